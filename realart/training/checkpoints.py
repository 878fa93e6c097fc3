"""Checkpoints of the training of a fold: what a process leaves for the one that goes on."""

import io
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from realart.core import damage
from realart.core.outputs import fresh_file
from realart.training.folds import EpochRecord


def file(folder: Path, fold: int) -> Path:
    """Return the path of the checkpoint of a fold in the folder of its training."""
    return folder / f"{fold}.npz"


def epoch(path: Path) -> int | None:
    """Return the number of finished epochs in a checkpoint; None if there is none to go on from."""
    checkpoint = Checkpoint.load(path)
    return checkpoint.state.epoch if checkpoint else None


@dataclass
class TrainingState:
    """How far the training of a fold is: its phase, epochs, and the best value so far."""

    phase: int = 0
    phase_start: int = 0  # the first epoch of the phase
    epoch: int = 0
    epochs_without_gain: int = 0
    best: float = -np.inf
    history: list[EpochRecord] = field(default_factory=list)

    def add(self, record: EpochRecord, monitor: str) -> bool:
        """Add an epoch, and return whether it is the best so far by the monitored metric."""
        value = record["val_accuracy"] if monitor == "accuracy" else -record["val_loss"]
        better = value > self.best  # False for a value that is not a number
        if better:
            self.best = value
        self.epochs_without_gain = 0 if better else self.epochs_without_gain + 1
        self.epoch += 1
        self.history.append(record)
        return better

    def end_phase(self) -> None:
        """Go on to the next phase, which has all its patience."""
        self.phase, self.phase_start, self.epochs_without_gain = self.phase + 1, self.epoch, 0


@dataclass(frozen=True)
class Checkpoint:
    """All that a training is resumed from.

    `best` are the weights of the best epoch; `current` are the values of all variables after
    the last one.
    """

    state: TrainingState
    best: list[NDArray[Any]]
    current: list[NDArray[Any]]

    def save(self, path: Path) -> None:
        """Write the checkpoint as an NPZ file."""
        arrays: dict[str, Any] = {f"best-{i}": array for i, array in enumerate(self.best)}
        arrays |= {f"current-{i}": array for i, array in enumerate(self.current)}
        counts = np.array([len(self.best), len(self.current)])
        with fresh_file(path) as beside, beside.open("wb") as file:
            np.savez(file, state=np.array(json.dumps(asdict(self.state))), counts=counts, **arrays)

    @classmethod
    def load(cls, path: Path) -> "Checkpoint | None":
        """Read a checkpoint; None if there is none, or a damaged one, which is put aside."""
        if not path.is_file():
            return None
        data = io.BytesIO(path.read_bytes())  # errors of the system are raised here, and only here
        try:
            with np.load(data) as stored:
                best, current = (
                    [stored[f"{name}-{i}"] for i in range(count)]
                    for name, count in zip(("best", "current"), stored["counts"], strict=True)
                )
                return cls(TrainingState(**json.loads(str(stored["state"]))), best, current)
        except damage.ERRORS as error:
            damage.put_aside(path, error)
            return None
