"""A fold owes nothing to what it is judged on, learns, and survives being killed."""

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

from realart.metrics import classification
from realart.networks import backend, builder
from realart.networks.backend import keras
from realart.params import NetworkRecipe, Train
from realart.training import fold_training
from realart.training.fold_training import Batches, Data
from realart.training.folds import EpochRecord, FoldIndices

PLAIN = recipe(epochs=4, patience=4, batch_size=10)
"""Whose batches are of one length, as those of `TUNED`, so that each step is compiled once."""
TUNED = backbone_recipe(
    "VGG16",  # few layers, so that its gradient is quickly compiled
    layers=[*POOLED, {"BatchNormalization": {}}, {"Dropout": {"rate": 0.3}}],
    epochs=2,
    batch_size=10,
    backbone={"unfreeze": 3},
    fine_tune={"learning_rate": 0.3, "epochs": 3},  # it can only get worse
)
KILLED = {"plain": PLAIN, "tuned": TUNED}


@pytest.fixture(scope="module", autouse=True)
def _deterministic() -> None:
    backend.prepare(TRAIN.seed)


def trained(
    folder: Path,
    wanted: NetworkRecipe,
    data: Data | None = None,
    train: Train = TRAIN,
    fold: int = 0,
    parts: FoldIndices | None = None,
) -> tuple[keras.Model, list[EpochRecord]]:
    data = data or rows(40, wanted.sees.size)
    noted: list[EpochRecord] = []
    model, history = fold_training.train_fold(
        partial(builder.build, wanted), wanted, train, data, parts or thirds(data), fold,
        folder / "fold.npz", noted.append,
    )  # fmt: skip
    assert noted == history
    return model, history


def weights(model: keras.Model) -> list[NDArray[np.float32]]:
    return [keras.ops.convert_to_numpy(weight).copy() for weight in model.weights]


def same(one: keras.Model, other: keras.Model) -> bool:
    pairs = zip(weights(one), weights(other), strict=True)
    return all(np.array_equal(left, right) for left, right in pairs)


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Return model, history and finished checkpoint of trainings that nothing has disturbed."""
    folders = {name: tmp_path_factory.mktemp(name) for name in KILLED}
    return {
        name: (*trained(folders[name], wanted), folders[name] / "fold.npz")
        for name, wanted in KILLED.items()
    }


@pytest.mark.parametrize("monitor", ["accuracy", "loss"])
def test_an_epoch_of_no_number_is_not_the_best_and_does_not_end_the_search(monitor: str) -> None:
    state, better = fold_training.State(), []
    for value in (np.nan, 0.5, np.nan, 0.4, 0.6):
        record = {"val_accuracy": value, "val_loss": -value}
        better.append(fold_training._note(state, record, monitor))
    assert better == [False, True, False, False, True]
    assert state.waited == 0


@given(st.permutations(range(17)), st.integers(1, 17), st.integers(1, 20), st.sampled_from([1, 2]))
def test_batches_hold_every_row_once(order: list[int], count: int, size: int, outputs: int) -> None:
    labels = np.arange(17) // 3 % 2
    marked = (
        np.zeros((17, 16, 16, 3), np.uint8) + np.arange(17, dtype=np.uint8)[:, None, None, None]
    )
    data = Data((marked,), labels, np.arange(17, dtype=np.float32))
    positions = np.array(order[:count])
    batches = Batches(data, positions, recipe(batch_size=size, outputs=outputs))
    seen = [batches[number] for number in range(len(batches))]
    pixels, targets, counts = (np.concatenate(parts) for parts in zip(*seen, strict=True))
    np.testing.assert_array_equal(pixels[:, 0, 0, 0], positions)
    np.testing.assert_array_equal(counts, positions)
    np.testing.assert_array_equal(targets[:, -1], labels[positions])
    assert {len(batch[0]) for batch in seen[:-1]} <= {size}


@pytest.mark.parametrize("outputs", [1, 2])
def test_learns_what_is_plain_to_see(tmp_path: Path, outputs: int) -> None:
    wanted = recipe(
        epochs=12, patience=12, outputs=outputs, layers=POOLED,
        optimizer={"name": "Adam", "learning_rate": 0.5},
    )  # fmt: skip
    data = rows(60)
    model, history = trained(tmp_path, wanted, data)
    judged = thirds(data).held_out
    scores = fold_training.predict(model, wanted, data, judged)
    assert classification.figures(data.labels[judged], scores)["accuracy"] == 1
    assert history[-1]["loss"] < history[0]["loss"]
    assert [record["epoch"] for record in history] == list(range(len(history)))


def test_a_row_that_weighs_nothing_teaches_nothing(tmp_path: Path) -> None:
    data = rows(40)
    wrong = Data(data.inputs, data.labels.copy(), data.weights.copy())
    wrong.labels[:10], wrong.weights[:10] = 1 - wrong.labels[:10], 0
    silent = Data(data.inputs, data.labels, wrong.weights)
    one, other = (
        trained(tmp_path / name, PLAIN, d)[0] for name, d in (("a", wrong), ("b", silent))
    )
    assert same(one, other)


def downhill(monitor: str, patience: int, epochs: int) -> tuple[NetworkRecipe, Data]:
    """Make a training whose watched rows contradict the fitted ones, so that it only gets worse."""
    data = rows(40)
    data.labels[20:30] = 1 - data.labels[20:30]
    optimizer = {"name": "Adam", "learning_rate": 0.1}
    return recipe(
        monitor=monitor, patience=patience, epochs=epochs, layers=POOLED, optimizer=optimizer
    ), data


@pytest.mark.parametrize("monitor", ["loss", "accuracy"])
@pytest.mark.parametrize("patience", [1, 3])
def test_stops_when_it_got_no_better_for_so_long(
    tmp_path: Path, monitor: str, patience: int
) -> None:
    wanted, data = downhill(monitor, patience, 60)
    _, history = trained(tmp_path, wanted, data)
    watched = [record[f"val_{monitor}"] * (-1 if monitor == "loss" else 1) for record in history]
    assert len(history) < 60
    assert len(history) == int(np.argmax(watched)) + 1 + patience


@pytest.mark.parametrize("precision", ["mixed_bfloat16", "mixed_float16"])
def test_a_fold_is_trained_in_the_precision_asked_for(
    tmp_path: Path, unbroken: dict[str, Any], precision: str
) -> None:
    train = TRAIN.model_copy(update={"precision": precision})
    backend.prepare(train.seed, precision=train.precision)
    try:
        model, history = trained(tmp_path, PLAIN, train=train)
    finally:
        backend.prepare(TRAIN.seed)
    assert model.layers[2].compute_dtype == precision.removeprefix("mixed_")
    exact = unbroken["plain"][1]
    losses = [[record["loss"] for record in one] for one in (history, exact)]
    assert losses[0] != losses[1]
    assert losses[0][-1] < losses[0][0] / 10


def test_the_learning_rate_falls_along_a_cosine_in_each_phase(tmp_path: Path) -> None:
    cosine = TUNED.optimizer.model_copy(update={"schedule": "cosine"})
    wanted = TUNED.model_copy(update={"optimizer": cosine, "patience": 9})
    rates: list[float] = []

    def noting(model: keras.Model, *others: Any) -> EpochRecord:
        """What an epoch would teach is of no interest."""
        rates.append(float(model.optimizer.learning_rate))
        return {"val_loss": 1.0}

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(fold_training, "_epoch", noting)
        trained(tmp_path, wanted)
    np.testing.assert_allclose(rates, [0.01, 0.005, 0.3, 0.225, 0.075], rtol=1e-5)


def test_the_best_weights_are_kept_not_the_last(tmp_path: Path) -> None:
    wanted, data = downhill("loss", 60, 12)
    model, history = trained(tmp_path, wanted, data)
    losses = [record["val_loss"] for record in history]
    assert len(losses) == 12
    assert min(losses) < losses[-1] * 0.8
    scores = fold_training.predict(model, wanted, data, thirds(data).val)
    loss = classification.figures(data.labels[thirds(data).val], scores)["loss"]
    assert loss == pytest.approx(min(losses), rel=1e-3)


def test_same_seed_same_bits_and_another_seed_others(
    tmp_path: Path, unbroken: dict[str, Any]
) -> None:
    first, records, _ = unbroken["plain"]
    again, repeated = trained(tmp_path / "again", PLAIN)
    assert same(first, again)
    assert records == repeated
    seeded = trained(tmp_path / "seed", PLAIN, train=TRAIN.model_copy(update={"seed": 1}))
    folded = trained(tmp_path / "fold", PLAIN, fold=1)
    for model, history in (seeded, folded):
        assert not same(first, model)
        assert history != records


CHILD = """
import sys
from pathlib import Path
from networks import TRAIN, rows, thirds
from test_fold_training import KILLED
from functools import partial
from realart.networks import backend, builder
from realart.training import fold_training

backend.prepare(TRAIN.seed)
recipe = KILLED[sys.argv[1]]
data = rows(40, recipe.sees.size)
def say(record):
    print(record["epoch"], record["phase"], flush=True)
build = partial(builder.build, recipe)
fold_training.train_fold(build, recipe, TRAIN, data, thirds(data), 0, Path(sys.argv[2]), say)
"""


def test_fine_tuning_never_ends_worse(unbroken: dict[str, Any]) -> None:
    model, history, _ = unbroken["tuned"]
    assert [record["phase"] for record in history] == [0, 0, 1, 1, 1]
    losses = [record["val_loss"] for record in history]
    assert losses[-1] > min(losses) * 1.5
    data = rows(40, 32)
    watch = thirds(data).val
    scores = fold_training.predict(model, TUNED, data, watch)
    loss = classification.figures(data.labels[watch], scores)["loss"]
    assert loss == pytest.approx(min(losses), rel=1e-3)


@pytest.mark.parametrize(
    ("name", "last", "phase"), [("plain", "1 0", 0), ("tuned", "3 1", 1)], ids=["first", "second"]
)
def test_a_killed_training_goes_on_to_the_same_bits(
    tmp_path: Path, unbroken: dict[str, Any], name: str, last: str, phase: int
) -> None:
    command = [sys.executable, "-c", CHILD, name, str(tmp_path / "fold.npz")]
    with subprocess.Popen(
        command, cwd=REPOSITORY, env=clean_environment(), stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout
        while child.stdout.readline().strip() != last:
            assert child.poll() is None
        child.send_signal(signal.SIGKILL)
    assert child.returncode == -signal.SIGKILL
    state, _ = fold_training._load(tmp_path / "fold.npz")
    assert state.epoch > 0
    assert state.phase == phase
    model, history = trained(tmp_path, KILLED[name])
    expected, records, _ = unbroken[name]
    assert state.epoch < len(records)
    assert history == records
    assert same(model, expected)


def test_an_interruption_leads_to_the_same_bits(tmp_path: Path, unbroken: dict[str, Any]) -> None:
    """Stop before the first checkpoint, and between the last epoch and its own."""
    data, build = rows(40), partial(builder.build, PLAIN)
    whole, records, _ = unbroken["plain"]
    for stop in (0, PLAIN.epochs - 1):
        checkpoint = tmp_path / f"{stop}.npz"
        noted: list[EpochRecord] = []

        def note(record: EpochRecord, stop: int = stop, noted: list[EpochRecord] = noted) -> None:
            noted.append(record)
            if len(noted) > stop:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            fold_training.train_fold(build, PLAIN, TRAIN, data, thirds(data), 0, checkpoint, note)
        again, history = fold_training.train_fold(
            build, PLAIN, TRAIN, data, thirds(data), 0, checkpoint, lambda record: None
        )
        assert history == records
        assert same(again, whole)


def test_a_finished_checkpoint_gives_the_finished_model(unbroken: dict[str, Any]) -> None:
    model, history, checkpoint = unbroken["plain"]
    stored = checkpoint.read_bytes()
    again, repeated = trained(checkpoint.parent, PLAIN)
    assert repeated == history
    assert same(model, again)
    assert checkpoint.read_bytes() == stored


def test_no_checkpoint_is_written_before_its_time(tmp_path: Path) -> None:
    trained(tmp_path, PLAIN, train=TRAIN.model_copy(update={"checkpoint_seconds": 3600.0}))
    assert not list(tmp_path.iterdir())
