"""The join finds exactly the pairs that comparing all with all finds, in little memory."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from realart.data import hamming
from realart.data.hamming import Hashes, near_pairs

SEEDS = st.integers(0, 10**6)


def clustered(seed: int, count: int) -> Hashes:
    """Draw hashes of which many are near each other, or share a chunk, or are the same."""
    rng = np.random.default_rng(seed)
    hashes = rng.integers(0, 2**64, count, dtype=np.uint64)
    kinds = rng.integers(0, 4, count)
    hashes[kinds == 1] = hashes[0]
    for _ in range(8):
        flipped = np.uint64(1) << rng.integers(0, 64, count).astype(np.uint64)
        hashes[kinds == 1] ^= flipped[kinds == 1]
    hashes[kinds == 2] &= np.uint64(0xFFFF << int(rng.integers(0, 4)) * 16)
    hashes[kinds == 3] = hashes[-1]
    return hashes


def joined(queries: Hashes, hashes: Hashes, radius: int, once: bool = False) -> list[list[int]]:
    found = [np.stack(block, axis=1) for block in near_pairs(queries, hashes, radius, once)]
    return sorted(np.concatenate([np.empty((0, 2), np.int64), *found]).tolist())


def compared(queries: Hashes, hashes: Hashes, radius: int) -> list[list[int]]:
    return np.argwhere(np.bitwise_count(queries[:, None] ^ hashes) <= radius).tolist()


@given(SEEDS, st.integers(0, 90), st.integers(1, 90), st.integers(0, 16), st.booleans())
def test_all_near_pairs_are_found(
    seed: int, queries: int, hashes: int, radius: int, like: bool
) -> None:
    first, second = clustered(seed, hashes), clustered(seed if like else seed + 1, max(queries, 1))
    second = second[:queries]
    assert joined(second, first, radius) == compared(second, first, radius)


@given(SEEDS, st.integers(1, 90), st.integers(0, 12), st.sampled_from([0, 0xFF, 2**64 - 1]))
def test_once_yields_one_of_two_directions(
    seed: int, count: int, radius: int, flipped: int
) -> None:
    hashes = clustered(seed, count)
    queries = hashes ^ np.uint64(flipped)
    found = [sorted(pair) for pair in joined(queries, hashes, radius, once=True)]
    assert sorted(found) == [[i, j] for i, j in compared(queries, hashes, radius) if i < j]


def test_blocks_that_end_inside_a_bucket_lose_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hamming, "BLOCK", 7)
    hashes = clustered(3, 80)
    assert joined(hashes, hashes, 9) == compared(hashes, hashes, 9)


def test_no_hashes_are_no_pairs() -> None:
    none = np.empty(0, np.uint64)
    some = np.arange(3, dtype=np.uint64)
    assert not joined(none, some, 8)
    assert not joined(some, none, 8)
    assert not joined(none, none, 8, once=True)


def test_a_bucket_that_holds_all_takes_no_more_memory() -> None:
    rng = np.random.default_rng(0)
    hashes = rng.integers(0, 2**64, 4000, dtype=np.uint64) & np.uint64(0xFFFF_FFFF_FFFF_0000)
    tracemalloc.start()
    found = sum(len(i) for i, _ in near_pairs(hashes, hashes, 3, once=True))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert not found
    assert peak < 16 * 2**20  # 8 million candidates of 8 bytes are 61 MiB
