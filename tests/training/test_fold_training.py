"""Training of a fold: early stopping, best weights, seeds, and resuming after a kill."""

import signal
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from networks import (
    POOLED,
    REPOSITORY,
    TRAIN,
    backbone_recipe,
    clean_environment,
    recipe,
    rows,
    thirds,
)
from numpy.typing import NDArray

from realart.core.errors import RealartError
from realart.metrics import classification
from realart.networks import backend, builder
from realart.networks.backend import keras
from realart.params import NetworkRecipe, Train
from realart.training import checkpoints, fold_training
from realart.training.fold_training import Batches, TrainingData
from realart.training.folds import EpochRecord, FoldIndices

pytestmark = pytest.mark.slow

PLAIN = recipe(epochs=4, patience=4, batch_size=10)
"""A recipe with batches of one length, as `TUNED`, so that each step is compiled once."""
TUNED = backbone_recipe(
    "VGG16",  # few layers, so that its gradient is quickly compiled
    layers=[*POOLED, {"BatchNormalization": {}}, {"Dropout": {"rate": 0.3}}],
    epochs=2,
    batch_size=10,
    backbone={"unfreeze": 3},
    fine_tune={"learning_rate": 0.3, "epochs": 3},  # it can only get worse
)
RECIPES = {"plain": PLAIN, "tuned": TUNED}


@pytest.fixture(scope="module", autouse=True)
def _deterministic() -> None:
    backend.prepare(TRAIN.seed)


def trained(
    folder: Path,
    wanted: NetworkRecipe,
    data: TrainingData | None = None,
    train: Train = TRAIN,
    fold: int = 0,
    parts: FoldIndices | None = None,
) -> tuple[keras.Model, list[EpochRecord]]:
    data = data or rows(40, wanted.sees.size)
    records: list[EpochRecord] = []
    model, history = fold_training.train_fold(
        partial(builder.build, wanted), wanted, train, data, parts or thirds(data), fold,
        folder / "fold.npz", records.append,
    )  # fmt: skip
    assert records == history
    return model, history


def weights(model: keras.Model) -> list[NDArray[np.float32]]:
    return [keras.ops.convert_to_numpy(weight).copy() for weight in model.weights]


def same(first: keras.Model, second: keras.Model) -> bool:
    pairs = zip(weights(first), weights(second), strict=True)
    return all(np.array_equal(left, right) for left, right in pairs)


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Return model, history and last checkpoint of uninterrupted trainings."""
    folders = {name: tmp_path_factory.mktemp(name) for name in RECIPES}
    return {
        name: (*trained(folders[name], wanted), folders[name] / "fold.npz")
        for name, wanted in RECIPES.items()
    }


@pytest.mark.parametrize("monitor", ["accuracy", "loss"])
def test_a_metric_that_is_not_a_number_is_never_the_best(monitor: str) -> None:
    state, better = checkpoints.TrainingState(), []
    for value in (np.nan, 0.5, np.nan, 0.4, 0.6):
        record = {"val_accuracy": value, "val_loss": -value}
        better.append(state.add(record, monitor))
    assert better == [False, True, False, False, True]
    assert state.epochs_without_gain == 0


@given(st.permutations(range(17)), st.integers(1, 17), st.integers(1, 20), st.sampled_from([1, 2]))
def test_batches_hold_every_row_once(order: list[int], count: int, size: int, outputs: int) -> None:
    labels = np.arange(17) // 3 % 2
    marked = (
        np.zeros((17, 16, 16, 3), np.uint8) + np.arange(17, dtype=np.uint8)[:, None, None, None]
    )
    data = TrainingData((marked,), labels, np.arange(17, dtype=np.float32))
    positions = np.array(order[:count])
    batches = Batches(data, positions, recipe(batch_size=size, outputs=outputs))
    read = [batches[number] for number in range(len(batches))]
    pixels, targets, counts = (np.concatenate(parts) for parts in zip(*read, strict=True))
    np.testing.assert_array_equal(pixels[:, 0, 0, 0], positions)
    np.testing.assert_array_equal(counts, positions)
    np.testing.assert_array_equal(targets[:, -1], labels[positions])
    assert {len(batch[0]) for batch in read[:-1]} <= {size}


@pytest.mark.parametrize("outputs", [1, 2])
def test_an_easy_set_is_learnt(tmp_path: Path, outputs: int) -> None:
    wanted = recipe(
        epochs=12, patience=12, outputs=outputs, layers=POOLED,
        optimizer={"name": "Adam", "learning_rate": 0.5},
    )  # fmt: skip
    data = rows(60)
    model, history = trained(tmp_path, wanted, data)
    held_out = thirds(data).held_out
    scores = fold_training.predict(model, wanted, data, held_out)
    assert classification.figures(data.labels[held_out], scores)["accuracy"] == 1
    assert history[-1]["loss"] < history[0]["loss"]
    assert [record["epoch"] for record in history] == list(range(len(history)))


def test_a_step_is_traced_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """TensorFlow calls the function of a step in Python only to trace it."""
    traced: list[keras.Model] = []
    step = keras.Model.train_step

    def counted(model: keras.Model, *data: Any) -> Any:
        traced.append(model)
        return step(model, *data)

    monkeypatch.setattr(keras.Model, "train_step", counted)
    trained(tmp_path, PLAIN)
    assert len(traced) == 1


def test_rows_of_weight_zero_change_no_weight(tmp_path: Path) -> None:
    data = rows(40)
    wrong = TrainingData(data.inputs, data.labels.copy(), data.weights.copy())
    wrong.labels[:10], wrong.weights[:10] = 1 - wrong.labels[:10], 0
    right = TrainingData(data.inputs, data.labels, wrong.weights)
    first, second = (
        trained(tmp_path / name, PLAIN, d)[0] for name, d in (("a", wrong), ("b", right))
    )
    assert same(first, second)


def downhill(monitor: str, patience: int, epochs: int) -> tuple[NetworkRecipe, TrainingData]:
    """Make a training that only gets worse: validation rows contradict the fitted ones."""
    data = rows(40)
    data.labels[20:30] = 1 - data.labels[20:30]
    optimizer = {"name": "Adam", "learning_rate": 0.1}
    return recipe(
        monitor=monitor, patience=patience, epochs=epochs, layers=POOLED, optimizer=optimizer
    ), data


@pytest.mark.parametrize("monitor", ["loss", "accuracy"])
@pytest.mark.parametrize("patience", [1, 3])
def test_training_stops_after_patience_epochs_without_gain(
    tmp_path: Path, monitor: str, patience: int
) -> None:
    wanted, data = downhill(monitor, patience, 60)
    _, history = trained(tmp_path, wanted, data)
    values = [record[f"val_{monitor}"] * (-1 if monitor == "loss" else 1) for record in history]
    assert len(history) < 60
    assert len(history) == int(np.argmax(values)) + 1 + patience


@pytest.mark.parametrize("precision", ["mixed_bfloat16", "mixed_float16"])
def test_a_fold_is_trained_in_the_precision_of_params(
    tmp_path: Path, uninterrupted: dict[str, Any], precision: str
) -> None:
    train = TRAIN.model_copy(update={"precision": precision})
    backend.prepare(train.seed, precision=train.precision)
    try:
        model, history = trained(tmp_path, PLAIN, train=train)
    finally:
        backend.prepare(TRAIN.seed)
    assert model.layers[2].compute_dtype == precision.removeprefix("mixed_")
    exact = uninterrupted["plain"][1]
    losses = [[record["loss"] for record in records] for records in (history, exact)]
    assert losses[0] != losses[1]
    assert losses[0][-1] < losses[0][0] / 10


def test_the_learning_rate_falls_along_a_cosine_in_each_phase(tmp_path: Path) -> None:
    cosine = TUNED.optimizer.model_copy(update={"schedule": "cosine"})
    wanted = TUNED.model_copy(update={"optimizer": cosine, "patience": 9})
    rates: list[float] = []

    def without_training(fold: Any, *others: Any) -> EpochRecord:
        rates.append(float(fold.model.optimizer.learning_rate))
        return {"epoch": 0, "phase": 0, "loss": 1.0, "val_loss": 1.0}

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(fold_training, "_train_epoch", without_training)
        trained(tmp_path, wanted)
    np.testing.assert_allclose(rates, [0.01, 0.005, 0.3, 0.225, 0.075], rtol=1e-5)


def test_a_model_has_the_weights_of_its_best_epoch(tmp_path: Path) -> None:
    wanted, data = downhill("loss", 60, 12)
    model, history = trained(tmp_path, wanted, data)
    losses = [record["val_loss"] for record in history]
    assert len(losses) == 12
    assert min(losses) < losses[-1] * 0.8
    scores = fold_training.predict(model, wanted, data, thirds(data).val)
    loss = classification.figures(data.labels[thirds(data).val], scores)["loss"]
    assert loss == pytest.approx(min(losses), rel=1e-3)


def test_seed_and_fold_decide_the_weights(tmp_path: Path, uninterrupted: dict[str, Any]) -> None:
    first, records, _ = uninterrupted["plain"]
    second, repeated = trained(tmp_path / "second", PLAIN)
    assert same(first, second)
    assert records == repeated
    seeded = trained(tmp_path / "seed", PLAIN, train=TRAIN.model_copy(update={"seed": 20_240_101}))
    folded = trained(tmp_path / "fold", PLAIN, fold=1)
    for model, history in (seeded, folded):
        assert not same(first, model)
        assert history != records


def with_rates(first: float, second: float) -> NetworkRecipe:
    """Return `TUNED` with learning rates that `check` may refuse."""
    assert TUNED.fine_tune
    optimizer = TUNED.optimizer.model_copy(update={"name": "SGD", "learning_rate": first})
    tuned = TUNED.fine_tune.model_copy(update={"learning_rate": second})
    return TUNED.model_copy(update={"optimizer": optimizer, "fine_tune": tuned})


@pytest.mark.parametrize(
    ("wanted", "epochs", "named"),
    [
        (with_rates(1e30, 0.01), 0, "epoch 0 .* the recipe's optimizer.learning_rate, .* 1e\\+30"),
        (with_rates(0.01, 1e30), 2, "epoch 2 .* the recipe's fine_tune.learning_rate, .* 1e\\+30"),
    ],
)
def test_a_training_that_diverges_names_fold_epoch_and_learning_rate(
    tmp_path: Path, wanted: NetworkRecipe, epochs: int, named: str
) -> None:
    """What lies in the checkpoint is of the last epoch that did not."""
    with pytest.raises(RealartError, match=f"the training of fold 7 diverged in {named}"):
        trained(tmp_path, wanted, fold=7)
    checkpoint = checkpoints.Checkpoint.load(tmp_path / "fold.npz")
    assert (checkpoint.state.epoch if checkpoint else 0) == epochs
    if checkpoint:
        assert all(np.isfinite(array).all() for array in checkpoint.best + checkpoint.current)


class Unheard(keras.layers.Layer):  # type: ignore[misc]
    """A layer whose weight grows beyond all numbers, and has no effect."""

    def build(self, shape: Any) -> None:
        self.weight = self.add_weight(shape=(), initializer="ones", trainable=False)

    def call(self, x: Any) -> Any:
        self.weight.assign(self.weight * 1e30)
        return x


def test_weights_that_are_not_finite_are_divergence_though_the_loss_is_finite(
    tmp_path: Path,
) -> None:
    def build() -> keras.Model:
        network = builder.build(PLAIN)
        return keras.Model(network.inputs, Unheard()(network.outputs[0]))

    data = rows(40)
    with pytest.raises(RealartError, match="fold 0 diverged in epoch 0"):
        fold_training.train_fold(
            build, PLAIN, TRAIN, data, thirds(data), 0, tmp_path / "fold.npz", lambda record: None
        )


CHILD = """
import sys
from pathlib import Path
from networks import TRAIN, rows, thirds
from test_fold_training import TUNED
from functools import partial
from realart.networks import backend, builder
from realart.training import fold_training

backend.prepare(TRAIN.seed)
data = rows(40, TUNED.sees.size)
def report(record):
    print(record["epoch"], record["phase"], flush=True)
build = partial(builder.build, TUNED)
fold_training.train_fold(build, TUNED, TRAIN, data, thirds(data), 0, Path(sys.argv[1]), report)
"""


def test_fine_tuning_never_ends_worse(uninterrupted: dict[str, Any]) -> None:
    model, history, _ = uninterrupted["tuned"]
    assert [record["phase"] for record in history] == [0, 0, 1, 1, 1]
    losses = [record["val_loss"] for record in history]
    assert losses[-1] > min(losses) * 1.5
    data = rows(40, 32)
    val = thirds(data).val
    scores = fold_training.predict(model, TUNED, data, val)
    loss = classification.figures(data.labels[val], scores)["loss"]
    assert loss == pytest.approx(min(losses), rel=1e-3)


def test_a_training_killed_in_its_second_phase_resumes_to_the_same_bits(
    tmp_path: Path, uninterrupted: dict[str, Any]
) -> None:
    """One that is killed in its first is resumed in `test_batch_reader`."""
    command = [sys.executable, "-c", CHILD, str(tmp_path / "fold.npz")]
    with subprocess.Popen(
        command, cwd=REPOSITORY, env=clean_environment(), stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout
        while child.stdout.readline() != "3 1\n":
            assert child.poll() is None
        child.send_signal(signal.SIGKILL)
    assert child.returncode == -signal.SIGKILL
    checkpoint = checkpoints.Checkpoint.load(tmp_path / "fold.npz")
    assert checkpoint
    state = checkpoint.state
    assert state.epoch > 0
    assert state.phase == 1
    model, history = trained(tmp_path, TUNED)
    expected, records, _ = uninterrupted["tuned"]
    assert state.epoch < len(records)
    assert history == records
    assert same(model, expected)


def test_an_interrupted_training_resumes_to_the_same_bits(
    tmp_path: Path, uninterrupted: dict[str, Any]
) -> None:
    """Stop before the first checkpoint, and between the last epoch and its own."""
    data, build = rows(40), partial(builder.build, PLAIN)
    whole, records, _ = uninterrupted["plain"]
    for stop in (0, PLAIN.epochs - 1):
        checkpoint = tmp_path / f"{stop}.npz"
        epochs: list[EpochRecord] = []

        def stopping(
            record: EpochRecord, stop: int = stop, epochs: list[EpochRecord] = epochs
        ) -> None:
            epochs.append(record)
            if len(epochs) > stop:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            fold_training.train_fold(
                build, PLAIN, TRAIN, data, thirds(data), 0, checkpoint, stopping
            )
        resumed, history = fold_training.train_fold(
            build, PLAIN, TRAIN, data, thirds(data), 0, checkpoint, lambda record: None
        )
        assert history == records
        assert same(resumed, whole)


def test_a_checkpoint_of_the_last_epoch_restores_the_model(uninterrupted: dict[str, Any]) -> None:
    model, history, checkpoint = uninterrupted["plain"]
    stored = checkpoint.read_bytes()
    restored, repeated = trained(checkpoint.parent, PLAIN)
    assert repeated == history
    assert same(model, restored)
    assert checkpoint.read_bytes() == stored


def test_no_checkpoint_is_written_before_its_time(tmp_path: Path) -> None:
    trained(tmp_path, PLAIN, train=TRAIN.model_copy(update={"checkpoint_seconds": 3600.0}))
    assert not list(tmp_path.iterdir())
