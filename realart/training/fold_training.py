"""Training of one fold: early stopping on a watched slice, best weights, interruptions survived.

The held-out fold is scored once, by the best weights; nothing here has seen it before.
"""

import json
import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from realart.core.outputs import fresh_file
from realart.core.tables import Positions
from realart.metrics import classification
from realart.networks import backend, builder
from realart.networks.backend import keras
from realart.params import NetworkRecipe, Train
from realart.training.batch_reader import Windows
from realart.training.folds import EpochCallback, EpochRecord, FoldIndices


@dataclass(frozen=True)
class Data:
    """What all folds share, aligned by position.

    `inputs` are arrays of shape (n, ...), one for each input of the network that is trained, and
    may be memory-mapped: pixels, or what a frozen part says of them. `labels` are int64, shape
    (n,), 1 for ai; `weights` float32, shape (n,), what each row counts in the loss. Of mapped
    inputs that take more than `gigabytes`, no more is in memory at once (`batch_reader`).
    """

    inputs: tuple[NDArray[Any], ...]
    labels: NDArray[np.int64]
    weights: NDArray[np.float32]
    gigabytes: float = math.inf


@dataclass
class State:
    """How far a fold has come."""

    phase: int = 0
    phase_began: int = 0  # the epoch
    epoch: int = 0
    waited: int = 0
    best: float = -np.inf
    history: list[EpochRecord] = field(default_factory=list)


class Batches(keras.utils.PyDataset):  # type: ignore[misc]
    """Rows of `data` in the order of `positions`, a batch at a time: inputs, targets, weights."""

    def __init__(self, data: Data, positions: Positions, recipe: NetworkRecipe) -> None:
        super().__init__()
        self.data, self.positions, self.recipe = data, positions, recipe
        self.read = _windows(data, recipe).reader(positions)

    def __len__(self) -> int:
        return -(-len(self.positions) // self.recipe.batch_size)

    def __getitem__(self, number: int) -> tuple[Any, NDArray[np.float32], NDArray[np.float32]]:
        size = self.recipe.batch_size
        part = slice(number * size, (number + 1) * size)
        rows, inputs = self.positions[part], self.read(part)
        targets = builder.targets(self.data.labels[rows], self.recipe)
        return inputs if len(inputs) > 1 else inputs[0], targets, self.data.weights[rows]


def train_fold(
    build: Callable[[], keras.Model],
    recipe: NetworkRecipe,
    train: Train,
    data: Data,
    rows: FoldIndices,
    fold: int,
    checkpoint: Path,
    on_epoch: EpochCallback,
) -> tuple[keras.Model, list[EpochRecord]]:
    """Train one fold, or go on where an earlier process that wrote `checkpoint` was stopped.

    `build` makes the network that reads the inputs of `data`: the recipe's whole network or, where
    they are what its frozen part says, the tail. `on_epoch` gets the record of every epoch, those
    before an interruption included.

    Returns
    -------
    model, history
        The model with the weights of its best epoch, and a record for each epoch.
    """
    backend.forget_networks()
    keras.utils.set_random_seed(train.seed * 1000 + fold)
    model = build()
    state, stored = _load(checkpoint)
    best = stored["best"] if stored else _values(model.weights)
    for record in state.history:
        on_epoch(record)
    phases = _phases(recipe)
    saved = time.monotonic()
    total = sum(epochs for _, epochs in phases) * len(rows.fit)
    with tqdm(None, f"train, fold {fold}", total, unit=" pictures", disable=None) as bar:
        bar.update(state.epoch * len(rows.fit))
        while state.phase < len(phases):
            learning_rate, epochs = phases[state.phase]
            _enter(model, recipe, state.phase, learning_rate)
            if stored:
                _assign(_variables(model), stored.pop("now"))
                stored = {}
            while state.epoch < state.phase_began + epochs and state.waited < recipe.patience:
                if recipe.optimizer.schedule == "cosine":
                    share = (state.epoch - state.phase_began) / epochs
                    rate = learning_rate * (1 + math.cos(math.pi * share)) / 2
                    model.optimizer.learning_rate.assign(rate)
                record = _epoch(model, recipe, train, data, rows, fold, state, bar)
                if _note(state, record, recipe.monitor):
                    best = _values(model.weights)
                on_epoch(record)
                if time.monotonic() - saved >= train.checkpoint_seconds:
                    _save(checkpoint, state, best, _values(_variables(model)))
                    saved = time.monotonic()
            _assign(model.weights, best)
            state.phase, state.phase_began, state.waited = state.phase + 1, state.epoch, 0
    return model, state.history


def predict(
    model: keras.Model, recipe: NetworkRecipe, data: Data, positions: Positions
) -> NDArray[np.float64]:
    """Return the probability of ai for the rows at `positions`: float64, shape (n,)."""
    batches = Batches(data, positions, recipe)
    # `predict` would divide the last batch among devices as the first one.
    said = [model.predict_on_batch(batches[number][0]) for number in range(len(batches))]
    return classification.of_outputs(np.concatenate(said))


def _windows(data: Data, recipe: NetworkRecipe) -> Windows:
    return Windows(data.inputs, data.gigabytes, recipe.batch_size)


def _phases(recipe: NetworkRecipe) -> list[tuple[float, int]]:
    """Learning rate and epochs of each phase."""
    phases = [(recipe.optimizer.learning_rate, recipe.epochs)]
    if recipe.fine_tune:
        phases.append((recipe.fine_tune.learning_rate, recipe.fine_tune.epochs))
    return phases


def _enter(model: keras.Model, recipe: NetworkRecipe, phase: int, learning_rate: float) -> None:
    if phase:
        assert recipe.backbone
        builder.fine_tune(model, recipe.backbone)
    builder.compile_for(model, recipe, learning_rate)
    model.optimizer.build(model.trainable_variables)


def _epoch(
    model: keras.Model,
    recipe: NetworkRecipe,
    train: Train,
    data: Data,
    rows: FoldIndices,
    fold: int,
    state: State,
    bar: "tqdm[Any]",
) -> EpochRecord:
    generator = np.random.default_rng([train.seed, fold, state.epoch])
    order = _windows(data, recipe).shuffled(rows.fit, generator)
    # `fit` and `evaluate` would set up their data anew in each epoch: 0.2 s, as long as a small
    # tail trains.
    fitted = _over(Batches(data, order, recipe), model, model.train_on_batch, bar)
    watched = _over(Batches(data, rows.val, recipe), model, model.test_on_batch)
    bar.set_postfix({name: f"{value:.3f}" for name, value in watched.items()})
    return {
        "epoch": state.epoch,
        "phase": state.phase,
        **fitted,
        **{f"val_{name}": value for name, value in watched.items()},
    }


def _over(
    batches: Batches, model: keras.Model, step: Callable[..., Any], bar: "tqdm[Any] | None" = None
) -> dict[str, float]:
    """Take a step for each batch; return the means of loss and metrics over all rows."""
    means: dict[str, float] = {}
    for number in range(len(batches)):
        inputs, targets, weights = batches[number]
        model.reset_metrics()  # else each step would say the mean since the epoch before
        for name, value in step(inputs, targets, weights, return_dict=True).items():
            share = len(weights) / len(batches.positions)
            means[name] = means.get(name, 0.0) + float(value) * share
        if bar is not None:
            bar.update(len(weights))
    return means


def _note(state: State, record: EpochRecord, monitor: str) -> bool:
    """Take an epoch into `state`; return whether it is the best so far."""
    value = record["val_accuracy"] if monitor == "accuracy" else -record["val_loss"]
    better = value > state.best
    if better:  # which no value is that is not a number
        state.best = value
    state.waited = 0 if better else state.waited + 1
    state.epoch += 1
    state.history.append(record)
    return better


def _variables(model: keras.Model) -> list[Any]:
    """All that an epoch changes: weights, states of random layers, the optimizer's moments."""
    return [*model.variables, *model.optimizer.variables]


def _values(variables: list[Any]) -> list[NDArray[Any]]:
    return [np.array(keras.ops.convert_to_numpy(variable)) for variable in variables]


def _assign(variables: list[Any], values: list[NDArray[Any]]) -> None:
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)


def _save(
    checkpoint: Path, state: State, best: list[NDArray[Any]], now: list[NDArray[Any]]
) -> None:
    named: dict[str, Any] = {
        f"{name}-{i}": array
        for name, arrays in (("best", best), ("now", now))
        for i, array in enumerate(arrays)
    }
    with fresh_file(checkpoint) as beside, beside.open("wb") as file:
        np.savez(file, state=np.array(json.dumps(asdict(state))), **named)


def _load(checkpoint: Path) -> tuple[State, dict[str, list[NDArray[Any]]]]:
    if not checkpoint.is_file():
        return State(), {}
    with np.load(checkpoint) as stored:
        state = State(**json.loads(str(stored["state"])))
        arrays = {
            name: [stored[f"{name}-{i}"] for i in range(sum(k.startswith(name) for k in stored))]
            for name in ("best", "now")
        }
    return state, arrays
