"""Training of one fold: early stopping on the validation slice, best weights, checkpoints.

The held-out fold is scored once, by the best weights; nothing here depends on it before.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from realart.core.errors import RealartError
from realart.core.tables import Positions
from realart.metrics import classification
from realart.networks import backend, builder
from realart.networks.backend import keras
from realart.params import NetworkRecipe, Train
from realart.training.batch_reader import Windows
from realart.training.checkpoints import Checkpoint, TrainingState
from realart.training.folds import EpochCallback, EpochRecord, FoldIndices


@dataclass(frozen=True)
class TrainingData:
    """The training input of all folds, aligned by position.

    Attributes
    ----------
    inputs
        Arrays of shape (n, ...), one for each input of the network that is trained; they may be
        memory-mapped.
    labels
        int64, shape (n,), 1 for ai.
    weights
        float32, shape (n,): the weight of each row in the loss.
    gigabytes
        Of memory-mapped inputs that take more, no more is in memory at once (`batch_reader`).
    """

    inputs: tuple[NDArray[Any], ...]
    labels: NDArray[np.int64]
    weights: NDArray[np.float32]
    gigabytes: float = math.inf


class Batches(keras.utils.PyDataset):  # type: ignore[misc]
    """Rows of `data` in the order of `positions`, a batch at a time: inputs, targets, weights."""

    def __init__(self, data: TrainingData, positions: Positions, recipe: NetworkRecipe) -> None:
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


@dataclass(frozen=True)
class _Phase:
    """Epochs, at most, of one learning rate: training, then fine-tuning where a recipe has it."""

    learning_rate: float
    epochs: int


@dataclass(frozen=True)
class _Fold:
    """The network of a fold, and what its epochs depend on."""

    model: keras.Model
    recipe: NetworkRecipe
    train: Train
    data: TrainingData
    rows: FoldIndices
    number: int


def train_fold(
    build: Callable[[], keras.Model],
    recipe: NetworkRecipe,
    train: Train,
    data: TrainingData,
    rows: FoldIndices,
    number: int,
    path: Path,
    on_epoch: EpochCallback,
) -> tuple[keras.Model, list[EpochRecord]]:
    """Train one fold, or resume it from the checkpoint that an earlier process has left.

    Parameters
    ----------
    build
        Builds the network whose inputs are those of `data`: the recipe's whole network or, where
        they are activations of its frozen part, its trainable part.
    number
        Of the fold; with the seed and the epoch it decides the order of rows.
    path
        Of the checkpoint.
    on_epoch
        Called with the record of every epoch, those before an interruption included.

    Returns
    -------
    model, history
        The model with the weights of its best epoch, and a record for each epoch.

    Raises
    ------
    RealartError
        The training diverged: a loss or a weight is not finite.
    """
    backend.clear_session()
    keras.utils.set_random_seed((train.seed * 1000 + number) % 2**32)  # the range of NumPy
    fold = _Fold(build(), recipe, train, data, rows, number)
    model, phases = fold.model, _phases(recipe)
    checkpoint = Checkpoint.load(path)
    state = checkpoint.state if checkpoint else TrainingState()
    best = checkpoint.best if checkpoint else _values(model.weights)
    for record in state.history:
        on_epoch(record)
    saved = time.monotonic()
    with _progress_bar(fold, phases) as bar:
        bar.update(state.epoch * len(rows.fit))
        while state.phase < len(phases):
            phase = phases[state.phase]
            _compile(model, recipe, state.phase, phase)
            if checkpoint:
                _assign(_variables(model), checkpoint.current)
                checkpoint = None
            while not _phase_is_over(state, phase, recipe.patience):
                if recipe.optimizer.schedule == "cosine":
                    model.optimizer.learning_rate.assign(_cosine_rate(state, phase))
                record = _train_epoch(fold, state, bar)
                _require_finite(fold, record)
                if state.add(record, recipe.monitor):
                    best = _values(model.weights)
                on_epoch(record)
                if time.monotonic() - saved >= train.checkpoint_seconds:
                    Checkpoint(state, best, _values(_variables(model))).save(path)
                    saved = time.monotonic()
            _assign(model.weights, best)
            state.end_phase()
    return model, state.history


def predict(
    model: keras.Model, recipe: NetworkRecipe, data: TrainingData, positions: Positions
) -> NDArray[np.float64]:
    """Compute the probability of ai for the rows at `positions`: float64, shape (n,)."""
    batches = Batches(data, positions, recipe)
    # `predict` would divide the last batch among devices as the first one.
    outputs = [model.predict_on_batch(batches[number][0]) for number in range(len(batches))]
    return classification.of_outputs(np.concatenate(outputs))


def _windows(data: TrainingData, recipe: NetworkRecipe) -> Windows:
    return Windows(data.inputs, data.gigabytes, recipe.batch_size)


def _phases(recipe: NetworkRecipe) -> list[_Phase]:
    phases = [_Phase(recipe.optimizer.learning_rate, recipe.epochs)]
    if recipe.fine_tune:
        phases.append(_Phase(recipe.fine_tune.learning_rate, recipe.fine_tune.epochs))
    return phases


def _progress_bar(fold: _Fold, phases: list[_Phase]) -> "tqdm[Any]":
    total = sum(phase.epochs for phase in phases) * len(fold.rows.fit)
    return tqdm(None, f"train, fold {fold.number}", total, unit=" pictures", disable=None)


def _phase_is_over(state: TrainingState, phase: _Phase, patience: int) -> bool:
    return state.epoch >= state.phase_start + phase.epochs or state.epochs_without_gain >= patience


def _cosine_rate(state: TrainingState, phase: _Phase) -> float:
    """Return the learning rate of the next epoch (Loshchilov and Hutter, "SGDR", 2017)."""
    share = (state.epoch - state.phase_start) / phase.epochs
    return phase.learning_rate * (1 + math.cos(math.pi * share)) / 2


def _compile(model: keras.Model, recipe: NetworkRecipe, number: int, phase: _Phase) -> None:
    """Compile the model for a phase; in the second one, the end of the backbone is trainable."""
    if number:
        assert recipe.backbone
        builder.fine_tune(model, recipe.backbone)
    builder.compile_for(model, recipe, phase.learning_rate)
    model.optimizer.build(model.trainable_variables)
    # TensorFlow traces a step twice if it makes variables, and metrics make theirs when first used.
    nothing = np.zeros((1, recipe.outputs), np.float32)
    model.compute_metrics(None, nothing, nothing)


def _train_epoch(fold: _Fold, state: TrainingState, bar: "tqdm[Any]") -> EpochRecord:
    model, data, recipe = fold.model, fold.data, fold.recipe
    generator = np.random.default_rng([fold.train.seed, fold.number, state.epoch])
    order = _windows(data, recipe).shuffled(fold.rows.fit, generator)
    # `fit` and `evaluate` would set up their data anew in each epoch: 0.2 s, as long as a small
    # trainable part takes.
    trained = _mean_over_rows(model, model.train_on_batch, Batches(data, order, recipe), bar)
    validated = _mean_over_rows(model, model.test_on_batch, Batches(data, fold.rows.val, recipe))
    bar.set_postfix({name: f"{value:.3f}" for name, value in validated.items()})
    return {
        "epoch": state.epoch,
        "phase": state.phase,
        **trained,
        **{f"val_{name}": value for name, value in validated.items()},
    }


def _require_finite(fold: _Fold, record: EpochRecord) -> None:
    """Raise `RealartError` if an epoch has left a loss or weights that are not finite."""
    losses = [record["loss"], record["val_loss"]]
    floating = [weight for weight in fold.model.weights if "float" in weight.dtype]
    finite = (keras.ops.all(keras.ops.isfinite(weight)) for weight in floating)
    if np.isfinite(losses).all() and all(map(bool, finite)):
        return
    phase = int(record["phase"])
    param = ("optimizer", "fine_tune")[phase]
    rate = _phases(fold.recipe)[phase].learning_rate
    raise RealartError(
        f"the training of fold {fold.number} diverged in epoch {record['epoch']} (loss "
        f"{losses[0]:.3g}, of the validation slice {losses[1]:.3g}): lower the recipe's "
        f"{param}.learning_rate, which is {rate:g}"
    )


def _mean_over_rows(
    model: keras.Model, step: Callable[..., Any], batches: Batches, bar: "tqdm[Any] | None" = None
) -> dict[str, float]:
    """Run a step of the model on each batch; return loss and metrics, means over all rows."""
    means: dict[str, float] = {}
    for number in range(len(batches)):
        inputs, targets, weights = batches[number]
        model.reset_metrics()  # else each step would return the mean since the epoch before
        for name, value in step(inputs, targets, weights, return_dict=True).items():
            share = len(weights) / len(batches.positions)
            means[name] = means.get(name, 0.0) + float(value) * share
        if bar is not None:
            bar.update(len(weights))
    return means


def _variables(model: keras.Model) -> list[Any]:
    """Return all that an epoch changes: weights, states of random layers, optimizer's moments."""
    return [*model.variables, *model.optimizer.variables]


def _values(variables: list[Any]) -> list[NDArray[Any]]:
    return [np.array(keras.ops.convert_to_numpy(variable)) for variable in variables]


def _assign(variables: list[Any], values: list[NDArray[Any]]) -> None:
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
