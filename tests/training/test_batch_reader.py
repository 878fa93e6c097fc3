"""Batches of data larger than memory: complete, well mixed, a window at a time."""

import gc
import signal
import subprocess
import sys
import tempfile
import tracemalloc
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from networks import POOLED, REPOSITORY, TRAIN, clean_environment, recipe, rows
from numpy.typing import NDArray
from test_fold_training import same, trained

from realart.core.errors import RealartError
from realart.core.outputs import array_file
from realart.core.tables import Positions
from realart.metrics import classification
from realart.networks import backend
from realart.training import batch_reader, checkpoints, fold_training, folds
from realart.training.batch_reader import Windows
from realart.training.fold_training import TrainingData

pytestmark = pytest.mark.slow

WANTED = recipe(epochs=4, patience=4, batch_size=10)
TIGHT = 35e-6
"""Gigabytes of two windows of 22 rows of 16 px: of two batches."""


def mapped(arrays: Iterable[NDArray[Any]], folder: Path) -> tuple[NDArray[Any], ...]:
    """Write arrays as `features` does, and map them as `train` does."""
    folder.mkdir(exist_ok=True)
    files = []
    for number, array in enumerate(arrays):
        files.append(folder / f"{number}.npy")
        with array_file(files[-1], str(array.dtype), array.shape) as append:
            append(array)
    return tuple(np.load(file, mmap_mode="r") for file in files)


def on_disk(folder: Path, gigabytes: float, count: int = 80) -> TrainingData:
    """Make rows of an easy set on disk, those of human before those of ai."""
    data = rows(count)
    order = np.argsort(data.labels, kind="stable")
    (pixels,) = data.inputs
    return TrainingData(
        mapped([pixels[order]], folder), data.labels[order], data.weights, gigabytes
    )


def interleaved(data: TrainingData) -> folds.FoldIndices:
    """Fit on three of five rows, validate and hold out one each."""
    numbers = np.arange(len(data.labels))
    return folds.FoldIndices(
        *(numbers[np.isin(numbers % 5, of)] for of in ([0, 1, 2], [3], [4], [0, 1, 2, 3]))
    )


def gigabytes(arrays: Sequence[NDArray[Any]], count: int) -> float:
    """Return the size of two windows of `count` rows."""
    return 2 * count * sum(array[0].nbytes for array in arrays) / 1e9


def sorted_by_class(count: int, window: int, folder: Path) -> Windows:
    (array,) = mapped([np.repeat([0, 1], count // 2).astype(np.uint8)[:, None]], folder)
    return Windows((array,), gigabytes([array], window), 32)


@st.composite
def sets(draw: st.DrawFn) -> tuple[list[NDArray[Any]], Positions, int, int]:
    """Draw arrays whose rows hold their number, positions, and rows of a batch and a window."""
    count = draw(st.integers(1, 300))
    numbers = np.arange(count)
    arrays: list[NDArray[Any]] = [
        numbers.astype(np.float32)[:, None],
        np.repeat(numbers, 6).reshape(count, 2, 3).astype(np.float16),
        np.stack([numbers // 256, numbers % 256], axis=1).astype(np.uint8),
    ]
    chosen = np.random.default_rng(draw(st.integers(0, 9))).random(count)
    positions = np.flatnonzero(chosen < draw(st.sampled_from([0.1, 0.5, 1.0])))
    return (
        arrays[: draw(st.integers(1, 3))], positions,
        draw(st.integers(1, 9)), draw(st.integers(1, 99)),
    )  # fmt: skip


@given(sets(), st.integers(0, 5))
def test_an_epoch_has_every_row_once_and_aligned(
    drawn: tuple[list[NDArray[Any]], Positions, int, int], epoch: int
) -> None:
    arrays, positions, batch, window = drawn
    with tempfile.TemporaryDirectory() as folder:
        windows = Windows(mapped(arrays, Path(folder)), gigabytes(arrays, window), batch)
        order = windows.shuffled(positions, np.random.default_rng(epoch))
        assert sorted(order) == positions.tolist()
        for taken in (order, positions):
            read = windows.reader(taken)
            for start in range(0, len(taken), batch):
                part = slice(start, start + batch)
                for rows_read, array in zip(read(part), arrays, strict=True):
                    assert rows_read.dtype == array.dtype
                    np.testing.assert_array_equal(rows_read, array[taken[part]])


@given(sets(), st.lists(st.integers(0, 299), max_size=9))
def test_batches_are_read_in_any_order(
    drawn: tuple[list[NDArray[Any]], Positions, int, int], numbers: list[int]
) -> None:
    """Keras reads the first ones before it begins."""
    arrays, positions, batch, window = drawn
    with tempfile.TemporaryDirectory() as folder:
        windows = Windows(mapped(arrays, Path(folder)), gigabytes(arrays, window), batch)
        read = windows.reader(positions)
        for number in numbers:
            start = number * batch
            if start < len(positions):
                rows_read, *_ = read(slice(start, start + batch))
                np.testing.assert_array_equal(
                    rows_read, arrays[0][positions[start : start + batch]]
                )


@given(st.integers(1, 5000), st.integers(1, 200), st.integers(1, 6000))
def test_two_windows_of_whole_batches_fit_the_budget(count: int, batch: int, window: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        arrays = mapped([np.zeros((5000, 3), np.uint8)], Path(folder))
        size = Windows(arrays, gigabytes(arrays, window) * (1 + 1e-9), batch).size(count)
    if 2 * window >= 5000:
        assert size == count
    else:
        assert size % batch == 0
        assert size <= max(window, batch)
        number = -(-count // size)
        assert number == -(-count // (max(window, batch) // batch * batch))
        assert size == batch or -(-count // (size - batch)) > number  # they are even


def test_memory_stays_within_the_budget(tmp_path: Path) -> None:
    (array,) = mapped([np.zeros((4000, 1000), np.uint8)], tmp_path)
    windows = Windows((array,), 1e-3, 10)
    tracemalloc.start()
    read = windows.reader(windows.shuffled(np.arange(4000), np.random.default_rng(0)))
    for start in range(0, 4000, 10):
        read(slice(start, start + 10))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert 0.9e6 < peak < 1.2e6


def test_each_epoch_has_an_order_of_its_own(tmp_path: Path) -> None:
    windows = sorted_by_class(2000, 200, tmp_path)
    positions = np.arange(0, 2000, 2)
    first, again, other = (
        windows.shuffled(positions, np.random.default_rng([0, 0, epoch])) for epoch in (0, 0, 1)
    )
    np.testing.assert_array_equal(first, again)
    size = windows.size(len(positions))
    assert size == 192
    ours, theirs = ({*order[:size].tolist()} for order in (first, other))
    assert len(ours & theirs) < size / 2
    assert (first == other).mean() < 0.05


@pytest.mark.parametrize("where", ["fits", "in memory", "one window"])
def test_data_that_fits_has_the_order_of_one_permutation(tmp_path: Path, where: str) -> None:
    windows = sorted_by_class(1000, 300 if where == "one window" else 500, tmp_path)
    if where == "in memory":
        windows = replace(windows, arrays=(np.array(windows.arrays[0]),), gigabytes=1e-9)
    assert windows.fits == (where != "one window")
    positions = np.arange(0, 1000, 4)
    order = windows.shuffled(positions, np.random.default_rng(7))
    np.testing.assert_array_equal(order, np.random.default_rng(7).permutation(positions))


def test_classes_are_mixed_as_by_one_permutation(tmp_path: Path) -> None:
    """In rows that are sorted by class."""
    count = 100_000
    windows = sorted_by_class(count, 10_000, tmp_path)
    labels = np.arange(count) >= count // 2
    order = windows.shuffled(np.arange(count), np.random.default_rng(0))
    spread = labels[order].reshape(-1, 32).mean(axis=1).std()
    exact = np.random.default_rng(0).permutation(labels).reshape(-1, 32).mean(axis=1).std()
    assert 0.98 < spread / exact < 1.08


def test_a_window_is_read_in_long_pieces(tmp_path: Path) -> None:
    windows = sorted_by_class(100_000, 10_000, tmp_path)
    order = windows.shuffled(np.arange(100_000), np.random.default_rng(0))
    size = windows.size(100_000)
    for start in range(0, 100_000, size):
        pieces = np.count_nonzero(np.diff(np.sort(order[start : start + size])) != 1) + 1
        assert pieces < batch_reader.BLOCKS + 30


def test_a_part_of_a_mapped_array_is_read_as_such(tmp_path: Path) -> None:
    (array,) = mapped([np.arange(50)[:, None]], tmp_path)
    for part in (array[7:], array[::2], np.asarray(array)):
        (rows_read,) = Windows((part,), 1e-9, 1).reader(np.array([3, 0]))(slice(0, 2))
        np.testing.assert_array_equal(rows_read, part[[3, 0]])


def test_a_file_that_became_shorter_is_an_error(tmp_path: Path) -> None:
    (array,) = mapped([np.zeros((50, 9))], tmp_path)
    (tmp_path / "0.npy").write_bytes((tmp_path / "0.npy").read_bytes()[:-1])
    with pytest.raises(RealartError, match=r"0\.npy is shorter than it was: run `dvc repro`"):
        Windows((array,), 1e-6, 1).reader(np.arange(50))(slice(49, 50))


@pytest.fixture(scope="module", autouse=True)
def _deterministic() -> None:
    backend.prepare(TRAIN.seed)


def test_small_sets_train_alike_from_disk_and_memory(tmp_path: Path) -> None:
    data = on_disk(tmp_path / "rows", 1.0)
    inside = replace(data, inputs=(np.array(data.inputs[0]),), gigabytes=TIGHT)
    from_disk, from_memory = (
        trained(tmp_path / name, WANTED, d) for name, d in (("a", data), ("b", inside))
    )
    assert same(from_disk[0], from_memory[0])
    assert from_disk[1] == from_memory[1]
    tight = trained(tmp_path / "c", WANTED, replace(data, gigabytes=TIGHT))
    assert not same(from_disk[0], tight[0])


@pytest.mark.parametrize("gigabytes", [TIGHT, 1.0])
def test_seed_fold_and_epoch_decide_the_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, gigabytes: float
) -> None:
    orders: list[Positions] = []

    def without_steps(
        model: Any, step: Any, batches: fold_training.Batches, *others: Any
    ) -> dict[str, float]:
        orders.append(batches.positions)
        return {"loss": 1.0, "accuracy": 1.0}

    monkeypatch.setattr(fold_training, "_mean_over_rows", without_steps)
    data = on_disk(tmp_path / "rows", gigabytes)
    parts = interleaved(data)
    wanted = WANTED.model_copy(update={"epochs": 2})
    trained(tmp_path / "0", wanted, data, parts=parts, fold=1)
    assert len(orders) == 4
    for epoch in range(2):
        generator = np.random.default_rng([TRAIN.seed, 1, epoch])
        fits = generator.permutation(parts.fit)
        assert sorted(orders[2 * epoch]) == parts.fit.tolist()
        assert (orders[2 * epoch] == fits).all() == (gigabytes == 1.0)
        np.testing.assert_array_equal(orders[2 * epoch + 1], parts.val)
    assert (orders[0] != orders[2]).any()
    first, second, again = orders[0], orders[2], len(orders)
    trained(tmp_path / "1", wanted, data, parts=parts, fold=1)
    trained(tmp_path / "2", wanted, data, parts=parts, fold=2)
    np.testing.assert_array_equal(orders[again], first)
    np.testing.assert_array_equal(orders[again + 2], second)
    assert (orders[again + 4] != first).any()


def test_an_easy_set_is_learnt_in_windows(tmp_path: Path) -> None:
    wanted = recipe(
        epochs=12, patience=12, batch_size=10, layers=POOLED,
        optimizer={"name": "Adam", "learning_rate": 0.5},
    )  # fmt: skip
    data = on_disk(tmp_path / "rows", TIGHT, 200)
    parts = interleaved(data)
    assert fold_training._windows(data, wanted).size(len(parts.fit)) == 20
    model, _ = trained(tmp_path, wanted, data, parts=parts)
    scores = fold_training.predict(model, wanted, data, parts.held_out)
    gc.collect()
    assert not [item for item in gc.get_objects() if isinstance(item, batch_reader._Reader)]
    assert classification.figures(data.labels[parts.held_out], scores)["accuracy"] == 1
    inside = replace(data, gigabytes=1.0)
    np.testing.assert_array_equal(
        scores, fold_training.predict(model, wanted, inside, parts.held_out)
    )


CHILD = """
import sys
from pathlib import Path
from networks import TRAIN, thirds
from test_batch_reader import TIGHT, WANTED, on_disk
from functools import partial
from realart.networks import backend, builder
from realart.training import fold_training

backend.prepare(TRAIN.seed)
folder = Path(sys.argv[1])
data = on_disk(folder / "rows", TIGHT)
def report(record):
    print(record["epoch"], flush=True)
build = partial(builder.build, WANTED)
fold_training.train_fold(build, WANTED, TRAIN, data, thirds(data), 0, folder / "fold.npz", report)
"""


def test_a_killed_training_resumes_to_the_same_bits(tmp_path: Path) -> None:
    command = [sys.executable, "-c", CHILD, str(tmp_path)]
    with subprocess.Popen(
        command, cwd=REPOSITORY, env=clean_environment(), stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout
        while child.stdout.readline().strip() != "1":
            assert child.poll() is None
        child.send_signal(signal.SIGKILL)
    checkpoint = checkpoints.Checkpoint.load(tmp_path / "fold.npz")
    assert checkpoint
    assert 0 < checkpoint.state.epoch < WANTED.epochs
    data = on_disk(tmp_path / "rows", TIGHT)
    resumed = trained(tmp_path, WANTED, data)
    uninterrupted = trained(tmp_path / "uninterrupted", WANTED, data)
    assert resumed[1] == uninterrupted[1]
    assert same(resumed[0], uninterrupted[0])
