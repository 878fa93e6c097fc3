"""What a training says while it runs, sent to MLflow beside it: the store never holds it up.

While the store can't be used, what it should be told waits. What still waits when the training has
ended is kept in a file, which `realart.tracking.outbox` sends.
"""

import json
import sys
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from threading import Condition, Event, Thread
from typing import Any

from mlflow.environment_variables import MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL
from mlflow.system_metrics.metrics.cpu_monitor import CPUMonitor
from mlflow.system_metrics.metrics.disk_monitor import DiskMonitor
from mlflow.system_metrics.metrics.gpu_monitor import GPUMonitor
from mlflow.system_metrics.metrics.network_monitor import NetworkMonitor
from mlflow.system_metrics.metrics.rocm_monitor import ROCMMonitor
from tqdm import tqdm

from realart.core.errors import RealartError
from realart.core.outputs import write_json
from realart.core.project import private
from realart.tracking import mlflow_runs, store
from realart.tracking.mlflow_runs import MetricEvent, Runs, TrainingRecord
from realart.tracking.store import StoreUnavailableError
from realart.training.folds import EpochCallback, FoldResult

SECONDS = 5
"""Between two looks at what a training takes of the machine."""
PAUSE = 10
"""Seconds until a store that can't be used is tried again."""
PATIENCE = 20
"""Seconds that a training waits for the store before it begins, and in its end."""


class BackgroundLogger:
    """Tells MLflow what a training says, in its order, while the training goes on.

    Raises
    ------
    RealartError
        The store refuses the training: its experiment was deleted.
    """

    outcome = ""
    """The fingerprint of what the training has made, once it has."""

    def __init__(self, training: TrainingRecord) -> None:
        self._training = training
        self._runs: Runs | None = None
        self._waiting = deque([MetricEvent(training.began)])
        self._changed = Condition()
        self._tried = Event()
        self._refusal: RealartError | None = None
        self._down = self._over = False
        self._thread = Thread(target=self._send, name="MLflow", daemon=True)
        self._thread.start()
        self._tried.wait(PATIENCE)
        if self._refusal:
            raise self._refusal

    def log(self, *events: MetricEvent) -> None:
        """Put events into the queue; this returns at once."""
        with self._changed:
            self._waiting.extend(events)
            self._changed.notify_all()

    def begin_fold(self, fold: int) -> EpochCallback:
        """Log that a fold begins; return what logs its epochs."""
        self.log(MetricEvent(mlflow_runs.now(), fold))
        return lambda record: self.log(mlflow_runs.epoch(fold, record))

    def end_fold(self, fold: int, result: FoldResult) -> None:
        """Log the whole history of a fold and its held-out figures, and that it has ended."""
        self.log(*mlflow_runs.fold_ended(fold, result.history, result.figures))

    def close(self) -> None:
        """Have the end told, and wait until all is; keep what is not, if there is an outcome."""
        self.log(mlflow_runs.ended(self.outcome))
        with self._changed:
            self._over = True
            self._changed.notify_all()
        self._thread.join(PATIENCE)
        if self._waiting and self.outcome:
            file = unsent() / self.outcome / f"{self._training.id}.json"
            save(file, self._training, list(self._waiting))
            self._write("was not told all: `realart send` sends the rest")

    def _send(self) -> None:
        while said := self._next():
            done = self._tell(said)
            self._tried.set()
            if done:
                self._waiting.popleft()
            elif self._over or self._refusal:
                return
            else:
                with self._changed:
                    self._changed.wait_for(lambda: self._over, PAUSE)

    def _next(self) -> MetricEvent | None:
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._over)
            return self._waiting[0] if self._waiting else None

    def _tell(self, said: MetricEvent) -> bool:
        """Return whether it was told."""
        try:
            with store.used():
                if not self._runs:
                    self._runs = Runs(store.connect(), self._training)
                self._runs.log(said)
        except StoreUnavailableError as error:
            self._runs = None  # all is found again by its id
            self._note(True, f"can't be used ({error.reason}): training goes on")
            return False
        except RealartError as error:
            self._refusal = error
            if self._tried.is_set():
                self._write(f"refuses this training: {error}")
            return False
        self._note(False, "can be used again")
        return True

    def _note(self, down: bool, said: str) -> None:
        if down != self._down:
            self._down = down
            self._write(said)

    def _write(self, said: str) -> None:
        tqdm.write(f"train: MLflow at {store.named()} {said}", file=sys.stderr)


@contextmanager
def logging_of(training: TrainingRecord) -> Iterator[BackgroundLogger]:
    """Yield what tells MLflow of a training, and tell of the machine meanwhile.

    The block sets the outcome in the end; a training without one has failed.
    """
    live = BackgroundLogger(training)
    try:
        with _watched(live):
            yield live
    finally:
        live.close()


@contextmanager
def _watched(live: BackgroundLogger) -> Iterator[None]:
    """Say how much of processors, memory, disk and GPU is in use while the block runs."""
    monitors = list(_monitors())
    seconds = MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL.get() or SECONDS
    over = Event()

    def watch() -> None:
        while not over.wait(seconds):
            used: dict[str, float] = {}
            for monitor in monitors:
                monitor.collect_metrics()
                used |= monitor.aggregate_metrics()
                monitor.clear_metrics()
            metrics = {f"system/{name}": float(value) for name, value in used.items()}
            live.log(MetricEvent(mlflow_runs.now(), metrics=metrics))

    thread = Thread(target=watch, name="machine", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _monitors() -> Iterator[Any]:
    for monitor in (CPUMonitor, DiskMonitor, NetworkMonitor, GPUMonitor, ROCMMonitor):
        with suppress(ImportError, RuntimeError):  # there is no such GPU
            yield monitor()


def save(file: Path, training: TrainingRecord, said: Sequence[MetricEvent]) -> None:
    """Keep in a file what MLflow has not been told of a training."""
    write_json({"training": asdict(training), "said": [asdict(one) for one in said]}, file)


def load(file: Path) -> tuple[TrainingRecord, list[MetricEvent]]:
    """Return what `save` has kept."""
    content = json.loads(file.read_text("utf-8"))
    return TrainingRecord(**content["training"]), [MetricEvent(**one) for one in content["said"]]


def unsent() -> Path:
    """Return the folder of all that MLflow could not be told, a folder for each outcome."""
    return private() / "unsent"
