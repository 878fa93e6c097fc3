"""Batches of data larger than memory: rows are read from files in shuffled windows.

Data that fits stays memory-mapped, and the order of an epoch is one permutation. Otherwise adjacent
rows form blocks, blocks are shuffled, and so are the rows of each window of some hundred blocks: an
epoch still has every row once, and disks are read in long pieces.
"""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from mmap import mmap
from typing import Any

import numpy as np
from numpy.typing import NDArray

from realart.core.errors import RealartError
from realart.core.tables import Positions

BLOCKS = 500
"""Blocks of a window.

In rows sorted by class, the share of a class in a window deviates by .5/sqrt(500), .02, from that
in all rows (one standard deviation); in a batch of 32 it does so by .09 anyway.
"""

READERS = 4
"""Threads that read a window: disks are fastest at several pieces at once."""

AlignedArrays = tuple[NDArray[Any], ...]
"""Aligned rows of several arrays, (n, ...) each."""


@dataclass(frozen=True)
class Windows:
    """Reads aligned arrays in batches, holding a bounded part of them in memory.

    Attributes
    ----------
    arrays
        Shape (n, ...) each.
    gigabytes
        Of memory-mapped files that are larger in all, so much is in memory at most: two windows,
        one in use while the next is read.
    batch
        Rows in a batch.
    """

    arrays: AlignedArrays
    gigabytes: float
    batch: int

    @property
    def fits(self) -> bool:
        """Whether the arrays fit into memory, or are there already."""
        if not all(isinstance(array.base, mmap) for array in self.arrays):
            return True
        return sum(array.nbytes for array in self.arrays) <= self.gigabytes * 1e9

    def size(self, count: int) -> int:
        """Return the rows of a window, of `count`: whole batches, or all if the arrays fit."""
        if self.fits:
            return count
        row = sum(array.strides[0] for array in self.arrays)
        most = max(1, int(self.gigabytes * 1e9 / 2 / row) // self.batch)
        batches = -(-count // self.batch)
        windows = max(1, -(-batches // most))
        return -(-batches // windows) * self.batch

    def shuffled(self, positions: Positions, generator: np.random.Generator) -> Positions:
        """Return ascending `positions` in a random order that `reader` reads fast."""
        count, size = len(positions), self.size(len(positions))
        if count <= size:
            return generator.permutation(positions)
        block = max(1, size // BLOCKS)
        places = generator.permutation(-(-count // block))
        order = positions[np.argsort(places[np.arange(count) // block], kind="stable")]
        for start in range(0, count, size):
            generator.shuffle(order[start : start + size])
        return order

    def reader(self, order: Positions) -> Callable[[slice], AlignedArrays]:
        """Return a function that reads the rows at a slice of `order`, which lies in one window."""
        if self.fits:
            return lambda part: tuple(array[order[part]] for array in self.arrays)
        return _Reader(self.arrays, order, self.size(len(order)))


@dataclass(frozen=True)
class _Window:
    """Rows at ascending `positions`, complete as soon as all `pieces` are read."""

    number: int
    positions: Positions
    rows: AlignedArrays
    pieces: list[Future[None]]

    def wait(self) -> None:
        for piece in self.pieces:
            piece.result()


class _Reader:
    """Reads rows in a given order from the window in use, while threads read the next one."""

    def __init__(self, arrays: AlignedArrays, order: Positions, size: int) -> None:
        self.arrays, self.order, self.size = arrays, order, size
        self.threads = ThreadPoolExecutor(READERS)
        # Allocated once: pages of new arrays would cost as much time as what is read into them.
        self.buffers = [
            tuple(np.empty((size, *array.shape[1:]), array.dtype) for array in arrays)
            for _ in range(2)
        ]
        self.windows: list[_Window | None] = [None, None]

    def __call__(self, part: slice) -> AlignedArrays:
        number = part.start // self.size
        window = self._window(number)
        window.wait()
        if (number + 1) * self.size < len(self.order):
            self._window(number + 1)
        indices = np.searchsorted(window.positions, self.order[part])
        return tuple(rows[indices] for rows in window.rows)

    def _window(self, number: int) -> _Window:
        """Return a window that is read or being read, in the buffer of the one before the last."""
        window = self.windows[number % 2]
        if window and window.number == number:
            return window
        if window:
            window.wait()
        positions = np.sort(self.order[number * self.size : (number + 1) * self.size])
        rows = tuple(buffer[: len(positions)] for buffer in self.buffers[number % 2])
        pieces = [
            self.threads.submit(_read, array, positions[start:stop], into[start:stop])
            for array, into in zip(self.arrays, rows, strict=True)
            for start, stop in pairwise(np.linspace(0, len(positions), READERS + 1, dtype=int))
        ]
        self.windows[number % 2] = window = _Window(number, positions, rows, pieces)
        return window


def _read(array: Any, positions: Positions, into: NDArray[Any]) -> None:
    """Read rows at ascending `positions` from the file of a memory-mapped array.

    Not through the map: its touched pages count as resident memory, and random access through it
    reads far ahead at each step.
    """
    starts = np.flatnonzero(np.diff(positions, prepend=-2) != 1)
    with open(array.filename, "rb") as file:  # noqa: PTH123
        for start, stop in pairwise([*starts, len(positions)]):
            file.seek(array.offset + int(positions[start]) * array.strides[0])
            if file.readinto(into[start:stop].data) < into[start:stop].nbytes:
                raise RealartError(f"{array.filename} is shorter than it was: run `dvc repro`")
