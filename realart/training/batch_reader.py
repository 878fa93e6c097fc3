"""A set larger than memory: its rows are read from their files in shuffled windows.

What fits stays memory-mapped, and an epoch sees it in the order of one permutation. Of what does
not fit, neighbours make a block, blocks are shuffled, and so are the rows of each window, which
holds some hundred blocks: an epoch still sees every row once, and disks are read in long pieces.
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
"""In a window. In rows sorted by class, the share of a class in a window deviates by .5/sqrt(500),
.02, from that in all rows (one standard deviation); in a batch of 32 it does so by .09 anyway.
"""

READERS = 4
"""Threads that read a window: disks are fastest when asked for several pieces at once."""

AlignedArrays = tuple[NDArray[Any], ...]
"""Some rows of each array, (n, ...), aligned."""


@dataclass(frozen=True)
class Windows:
    """How rows of aligned `arrays`, (n, ...) each, are read: `batch` at a time.

    Where arrays are memory-mapped files of more than `gigabytes` in all, so much of them is in
    memory at most, in two windows: one is taken from while the next is read.
    """

    arrays: AlignedArrays
    gigabytes: float
    batch: int

    @property
    def fits(self) -> bool:
        """Tell whether the arrays fit into memory, or are there already."""
        if not all(isinstance(array.base, mmap) for array in self.arrays):
            return True
        return sum(array.nbytes for array in self.arrays) <= self.gigabytes * 1e9

    def size(self, count: int) -> int:
        """Return how many of `count` rows a window holds: whole batches, but all if arrays fit."""
        if self.fits:
            return count
        row = sum(array.strides[0] for array in self.arrays)
        most = max(1, int(self.gigabytes * 1e9 / 2 / row) // self.batch)
        batches = -(-count // self.batch)
        windows = max(1, -(-batches // most))
        return -(-batches // windows) * self.batch

    def shuffled(self, positions: Positions, generator: np.random.Generator) -> Positions:
        """Return ascending `positions` in an order that `reader` reads fast."""
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
        """Return a function that gives the rows at a slice of `order`, which lies in one window."""
        if self.fits:
            return lambda part: tuple(array[order[part]] for array in self.arrays)
        return _Reader(self.arrays, order, self.size(len(order)))


@dataclass(frozen=True)
class _Window:
    """Rows at ascending `positions`, in memory as soon as all `pieces` are read."""

    number: int
    positions: Positions
    rows: AlignedArrays
    pieces: list[Future[None]]

    def wait(self) -> None:
        for piece in self.pieces:
            piece.result()


class _Reader:
    def __init__(self, arrays: AlignedArrays, order: Positions, size: int) -> None:
        self.arrays, self.order, self.size = arrays, order, size
        self.readers = ThreadPoolExecutor(READERS)
        # Allocated once: pages of new arrays would cost as much time as what is read into them.
        self.places = [
            tuple(np.empty((size, *one.shape[1:]), one.dtype) for one in arrays) for _ in range(2)
        ]
        self.held: list[_Window | None] = [None, None]

    def __call__(self, part: slice) -> AlignedArrays:
        number = part.start // self.size
        window = self._window(number)
        window.wait()
        if (number + 1) * self.size < len(self.order):
            self._window(number + 1)
        found = np.searchsorted(window.positions, self.order[part])
        return tuple(rows[found] for rows in window.rows)

    def _window(self, number: int) -> _Window:
        """Return a window that is read or being read, in the place of the one before the last."""
        held = self.held[number % 2]
        if held and held.number == number:
            return held
        if held:
            held.wait()
        positions = np.sort(self.order[number * self.size : (number + 1) * self.size])
        rows = tuple(place[: len(positions)] for place in self.places[number % 2])
        pieces = [
            self.readers.submit(_read, array, positions[start:stop], into[start:stop])
            for array, into in zip(self.arrays, rows, strict=True)
            for start, stop in pairwise(np.linspace(0, len(positions), READERS + 1, dtype=int))
        ]
        self.held[number % 2] = window = _Window(number, positions, rows, pieces)
        return window


def _read(array: Any, positions: Positions, into: NDArray[Any]) -> None:
    """Read rows at ascending `positions` of a memory-mapped array, not by its map.

    Pages of a map that were touched count as resident, and reading at random through one also
    reads, at each step, far ahead.
    """
    starts = np.flatnonzero(np.diff(positions, prepend=-2) != 1)
    with open(array.filename, "rb") as file:  # noqa: PTH123
        for start, stop in pairwise([*starts, len(positions)]):
            file.seek(array.offset + int(positions[start]) * array.strides[0])
            if file.readinto(into[start:stop].data) < into[start:stop].nbytes:
                raise RealartError(f"{array.filename} is shorter than it was: run `dvc repro`")
