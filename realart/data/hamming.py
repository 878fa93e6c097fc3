"""All pairs of 64-bit hashes that differ in few bits, found exactly and in flat memory.

Multi-index hashing (Norouzi, Punjani, Fleet, "Fast Exact Search in Hamming Space with Multi-Index
Hashing", 2014): of two hashes that differ in at most r bits, one of four chunks differs in at most
r // 4, so looking up a chunk and its few neighbours in a table finds every pair.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Hashes = NDArray[np.uint64]
Indices = NDArray[np.int64]

CHUNKS = 4
WIDTH = 16  # bits of a chunk
BLOCK = 1 << 16
"""Candidates compared at a time: their few MB stay in the processor's cache."""


@dataclass(frozen=True)
class _Table:
    """Hashes sorted by one chunk: those of value v lie from `starts[v]` up to `starts[v + 1]`."""

    order: Indices
    hashes: Hashes
    starts: NDArray[np.int32]


def near_pairs(
    queries: Hashes, hashes: Hashes, radius: int, once: bool = False
) -> Iterator[tuple[Indices, Indices]]:
    """Yield every (i, j) for which `queries[i]` and `hashes[j]` differ in at most `radius` bits.

    Parameters
    ----------
    queries, hashes
        uint64, shapes (m,) and (n,).
    radius
        0 to 64. Every step of 4 takes about ten times the time of the step before.
    once
        Yield only one of (i, j) and (j, i), and no (i, i). Queries must be the hashes themselves,
        or the hashes with the same bits flipped in all, so that both pairs are equally near.

    Yields
    ------
    i, j
        int64, both of shape (k,), k > 0; no pair comes twice, and the order has no meaning. The
        memory is that of the tables, and of `BLOCK` candidates or the largest bucket.
    """
    bounds = _bounds(radius)
    for chunk, bound in enumerate(bounds):
        table = _table(hashes, chunk)
        rows = np.argsort(_chunk(queries, chunk), kind="stable")  # neighbours share a bucket
        ordered = queries[rows]
        values = _chunk(ordered, chunk)
        after = 1 + np.argsort(table.order).astype(np.int32)[rows] if once else np.int32(0)
        for mask in _masks(bound):
            for row, place in _bucket_join(values ^ mask, table, after):
                apart = ordered.take(row) ^ table.hashes.take(place)
                hit = np.flatnonzero(np.bitwise_count(apart) <= radius)
                for earlier in range(chunk):  # has yielded those within its own bound
                    bits = np.bitwise_count(_chunk(apart[hit], earlier)).astype(np.int64)
                    hit = hit[bits > bounds[earlier]]
                if len(hit):
                    yield rows[row[hit]], table.order[place[hit]]


def gather_blocks(blocks: Iterator[tuple[Indices, Indices]]) -> Iterator[tuple[Indices, Indices]]:
    """Join blocks of pairs to blocks of at least `BLOCK` pairs; the last may be smaller."""
    pending: list[tuple[Indices, Indices]] = []
    for block in blocks:
        pending.append(block)
        if sum(len(i) for i, _ in pending) >= BLOCK:
            yield _joined(pending)
            pending = []
    if pending:
        yield _joined(pending)


def _joined(blocks: Sequence[tuple[Indices, Indices]]) -> tuple[Indices, Indices]:
    i, j = zip(*blocks, strict=True)
    return np.concatenate(i), np.concatenate(j)


def _bounds(radius: int) -> list[int]:
    """Return the bits in which each chunk may differ; -1 where the other chunks find all pairs.

    With radius = 4 a + b, not all of the first b + 1 chunks can differ in more than a bits while
    the others differ in more than a - 1 (Proposition 2 of the paper).
    """
    a, b = divmod(radius, CHUNKS)
    return [a if chunk <= b else a - 1 for chunk in range(CHUNKS)]


def _chunk(hashes: Hashes, chunk: int) -> NDArray[np.uint16]:
    return (hashes >> np.uint64(WIDTH * chunk)).astype(np.uint16)


def _masks(bound: int) -> NDArray[np.uint16]:
    values = np.arange(1 << WIDTH).astype(np.uint16)
    return values[np.bitwise_count(values).astype(np.int64) <= bound]


def _table(hashes: Hashes, chunk: int) -> _Table:
    values = _chunk(hashes, chunk)
    order = np.argsort(values, kind="stable")
    starts = np.searchsorted(values[order], np.arange((1 << WIDTH) + 1))
    return _Table(order, hashes[order], starts.astype(np.int32))


def _bucket_join(
    buckets: NDArray[np.uint16], table: _Table, after: NDArray[np.int32] | np.int32
) -> Iterator[tuple[Indices, Indices]]:
    """Yield (row, place) for every place in the bucket of every row, from `after[row]` on."""
    first = np.maximum(table.starts[:-1].take(buckets), after)
    counts = np.maximum(table.starts[1:].take(buckets) - first, 0)
    ends = np.cumsum(counts, dtype=np.int64)
    shift = first - (ends - counts)
    total = int(ends[-1]) if len(ends) else 0
    cuts = np.searchsorted(ends, np.arange(BLOCK, total, BLOCK)) + 1
    for low, high in zip([0, *cuts], [*cuts, len(buckets)], strict=True):
        row = np.repeat(np.arange(low, high), counts[low:high])
        if len(row):
            begin = int(ends[low] - counts[low])
            yield row, shift.take(row) + np.arange(begin, begin + len(row))
