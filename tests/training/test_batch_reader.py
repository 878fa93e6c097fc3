"""What does not fit into memory is read once an epoch, whole, well mixed, a window at a time."""

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
from realart.training import batch_reader, fold_training, folds
from realart.training.batch_reader import Windows
from realart.training.fold_training import Data

WANTED = recipe(epochs=4, patience=4, batch_size=10)
TIGHT = 35e-6
"""Gigabytes of two windows of 22 rows of 16 px: of two batches."""


def mapped(arrays: Iterable[NDArray[Any]], folder: Path) -> tuple[NDArray[Any], ...]:
    """Keep arrays as `features` does, and map them as `train` does."""
    folder.mkdir(exist_ok=True)
    files = []
    for number, array in enumerate(arrays):
        files.append(folder / f"{number}.npy")
        with array_file(files[-1], str(array.dtype), array.shape) as append:
            append(array)
    return tuple(np.load(file, mmap_mode="r") for file in files)


def on_disk(folder: Path, gigabytes: float, count: int = 80) -> Data:
    """Make rows that are plain to see, kept on disk: humans' before those of ai."""
    data = rows(count)
    order = np.argsort(data.labels, kind="stable")
    (pixels,) = data.inputs
    return Data(mapped([pixels[order]], folder), data.labels[order], data.weights, gigabytes)


def interleaved(data: Data) -> folds.FoldIndices:
    """Fit on three of five rows, watch and hold out one each."""
    numbers = np.arange(len(data.labels))
    return folds.FoldIndices(
        *(numbers[np.isin(numbers % 5, of)] for of in ([0, 1, 2], [3], [4], [0, 1, 2, 3]))
    )


def gigabytes(arrays: Sequence[NDArray[Any]], count: int) -> float:
    """Return what two windows of `count` rows take."""
    return 2 * count * sum(array[0].nbytes for array in arrays) / 1e9


def sorted_by_class(count: int, window: int, folder: Path) -> Windows:
    (array,) = mapped([np.repeat([0, 1], count // 2).astype(np.uint8)[:, None]], folder)
    return Windows((array,), gigabytes([array], window), 32)


@st.composite
def sets(draw: st.DrawFn) -> tuple[list[NDArray[Any]], Positions, int, int]:
    """Draw arrays whose rows say where they are, positions, and rows of a batch and a window."""
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
def test_an_epoch_sees_every_row_once_and_aligned(
    drawn: tuple[list[NDArray[Any]], Positions, int, int], epoch: int
) -> None:
    arrays, positions, batch, window = drawn
    with tempfile.TemporaryDirectory() as folder:
        some = Windows(mapped(arrays, Path(folder)), gigabytes(arrays, window), batch)
        order = some.shuffled(positions, np.random.default_rng(epoch))
        assert sorted(order) == positions.tolist()
        for taken in (order, positions):
            read = some.reader(taken)
            for start in range(0, len(taken), batch):
                part = slice(start, start + batch)
                for seen, array in zip(read(part), arrays, strict=True):
                    assert seen.dtype == array.dtype
                    np.testing.assert_array_equal(seen, array[taken[part]])


@given(sets(), st.lists(st.integers(0, 299), max_size=9))
def test_batches_may_be_asked_for_in_any_order(
    drawn: tuple[list[NDArray[Any]], Positions, int, int], asked: list[int]
) -> None:
    """Keras looks at the first ones before it begins."""
    arrays, positions, batch, window = drawn
    with tempfile.TemporaryDirectory() as folder:
        some = Windows(mapped(arrays, Path(folder)), gigabytes(arrays, window), batch)
        read = some.reader(positions)
        for number in asked:
            start = number * batch
            if start < len(positions):
                seen, *_ = read(slice(start, start + batch))
                np.testing.assert_array_equal(seen, arrays[0][positions[start : start + batch]])


@given(st.integers(1, 5000), st.integers(1, 200), st.integers(1, 6000))
def test_two_windows_are_whole_batches_and_all_that_is_held(
    count: int, batch: int, window: int
) -> None:
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


def test_no_more_is_in_memory(tmp_path: Path) -> None:
    (array,) = mapped([np.zeros((4000, 1000), np.uint8)], tmp_path)
    some = Windows((array,), 1e-3, 10)
    tracemalloc.start()
    read = some.reader(some.shuffled(np.arange(4000), np.random.default_rng(0)))
    for start in range(0, 4000, 10):
        read(slice(start, start + 10))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert 0.9e6 < most < 1.2e6


def test_each_epoch_has_an_order_of_its_own(tmp_path: Path) -> None:
    some = sorted_by_class(2000, 200, tmp_path)
    positions = np.arange(0, 2000, 2)
    first, again, other = (
        some.shuffled(positions, np.random.default_rng([0, 0, epoch])) for epoch in (0, 0, 1)
    )
    np.testing.assert_array_equal(first, again)
    size = some.size(len(positions))
    assert size == 192
    ours, theirs = ({*one[:size].tolist()} for one in (first, other))
    assert len(ours & theirs) < size / 2
    assert (first == other).mean() < 0.05


@pytest.mark.parametrize("where", ["fits", "in memory", "one window"])
def test_what_fits_has_the_order_of_one_permutation(tmp_path: Path, where: str) -> None:
    some = sorted_by_class(1000, 300 if where == "one window" else 500, tmp_path)
    if where == "in memory":
        some = replace(some, arrays=(np.array(some.arrays[0]),), gigabytes=1e-9)
    assert some.fits == (where != "one window")
    positions = np.arange(0, 1000, 4)
    order = some.shuffled(positions, np.random.default_rng(7))
    np.testing.assert_array_equal(order, np.random.default_rng(7).permutation(positions))


def test_classes_are_mixed_as_by_one_permutation(tmp_path: Path) -> None:
    """In rows that are sorted by class."""
    count = 100_000
    some = sorted_by_class(count, 10_000, tmp_path)
    labels = np.arange(count) >= count // 2
    order = some.shuffled(np.arange(count), np.random.default_rng(0))
    spread = labels[order].reshape(-1, 32).mean(axis=1).std()
    exact = np.random.default_rng(0).permutation(labels).reshape(-1, 32).mean(axis=1).std()
    assert 0.98 < spread / exact < 1.08


def test_what_a_window_holds_lies_in_long_pieces(tmp_path: Path) -> None:
    some = sorted_by_class(100_000, 10_000, tmp_path)
    order = some.shuffled(np.arange(100_000), np.random.default_rng(0))
    size = some.size(100_000)
    for start in range(0, 100_000, size):
        pieces = np.count_nonzero(np.diff(np.sort(order[start : start + size])) != 1) + 1
        assert pieces < batch_reader.BLOCKS + 30


def test_a_part_of_a_mapped_array_is_itself(tmp_path: Path) -> None:
    (array,) = mapped([np.arange(50)[:, None]], tmp_path)
    for part in (array[7:], array[::2], np.asarray(array)):
        (seen,) = Windows((part,), 1e-9, 1).reader(np.array([3, 0]))(slice(0, 2))
        np.testing.assert_array_equal(seen, part[[3, 0]])


def test_a_file_that_became_shorter_is_an_error(tmp_path: Path) -> None:
    (array,) = mapped([np.zeros((50, 9))], tmp_path)
    (tmp_path / "0.npy").write_bytes((tmp_path / "0.npy").read_bytes()[:-1])
    with pytest.raises(RealartError, match=r"0\.npy is shorter than it was: run `dvc repro`"):
        Windows((array,), 1e-6, 1).reader(np.arange(50))(slice(49, 50))


@pytest.fixture(scope="module", autouse=True)
def _deterministic() -> None:
    backend.prepare(TRAIN.seed)


def test_small_sets_train_to_the_same_bits_wherever_they_are(tmp_path: Path) -> None:
    data = on_disk(tmp_path / "rows", 1.0)
    inside = replace(data, inputs=(np.array(data.inputs[0]),), gigabytes=TIGHT)
    one, other = (trained(tmp_path / name, WANTED, d) for name, d in (("a", data), ("b", inside)))
    assert same(one[0], other[0])
    assert one[1] == other[1]
    tight = trained(tmp_path / "c", WANTED, replace(data, gigabytes=TIGHT))
    assert not same(one[0], tight[0])


@pytest.mark.parametrize("gigabytes", [TIGHT, 1.0])
def test_seed_fold_and_epoch_decide_the_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, gigabytes: float
) -> None:
    orders: list[Positions] = []

    def noting(batches: fold_training.Batches, *others: Any) -> dict[str, float]:
        orders.append(batches.positions)
        return {"loss": 1.0, "accuracy": 1.0}

    monkeypatch.setattr(fold_training, "_over", noting)
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


def test_learns_what_is_plain_to_see(tmp_path: Path) -> None:
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
    assert not [one for one in gc.get_objects() if isinstance(one, batch_reader._Reader)]
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
def say(record):
    print(record["epoch"], flush=True)
build = partial(builder.build, WANTED)
fold_training.train_fold(build, WANTED, TRAIN, data, thirds(data), 0, folder / "fold.npz", say)
"""


def test_a_killed_training_goes_on_to_the_same_bits(tmp_path: Path) -> None:
    command = [sys.executable, "-c", CHILD, str(tmp_path)]
    with subprocess.Popen(
        command, cwd=REPOSITORY, env=clean_environment(), stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout
        while child.stdout.readline().strip() != "1":
            assert child.poll() is None
        child.send_signal(signal.SIGKILL)
    state, _ = fold_training._load(tmp_path / "fold.npz")
    assert 0 < state.epoch < WANTED.epochs
    data = on_disk(tmp_path / "rows", TIGHT)
    goes_on = trained(tmp_path, WANTED, data)
    unbroken = trained(tmp_path / "unbroken", WANTED, data)
    assert goes_on[1] == unbroken[1]
    assert same(goes_on[0], unbroken[0])
