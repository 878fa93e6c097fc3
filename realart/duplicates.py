"""Which pictures are the same, or nearly: fingerprints, candidate pairs, a second look, groups.

A perceptual hash (the signs of the low frequencies of a discrete cosine transform, as in
Zauner, "Implementation and Benchmarking of Perceptual Image Hash Functions", 2010) proposes pairs;
the correlation of their thumbnails decides. Mirror images count.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from realart.pictures import Pixels

THUMBNAIL = 32
"""Side of the thumbnails that are hashed and correlated, in pixels."""

HASH_RADIUS = 14
"""Bits, of 64, by which two hashes may differ for their pictures to be looked at again."""

FLAT = 2.0
"""Standard deviation, in grey levels, below which a thumbnail says too little to be compared."""

# Integers, so that hashes are the same on every machine: no rounding depends on a processor.
_FREQUENCIES = np.arange(8)[:, None] * (2 * np.arange(THUMBNAIL)[None, :] + 1)
_DCT: NDArray[np.int64] = np.rint(
    np.cos(_FREQUENCIES * np.pi / (2 * THUMBNAIL)) * (1 << 14)
).astype(np.int64)


@dataclass(frozen=True)
class Fingerprint:
    """What is kept of a picture to find its duplicates.

    `exact` names its pixels; `hash` and `mirrored` are 64-bit perceptual hashes of it and of its
    mirror image; `thumbnail` is uint8, shape (32, 32, 3).
    """

    exact: str
    hash: int
    mirrored: int
    thumbnail: Pixels


def fingerprint(pixels: Pixels) -> Fingerprint:
    """Take the fingerprint of an RGB picture."""
    small = Image.fromarray(pixels).resize(
        (THUMBNAIL, THUMBNAIL), Image.Resampling.BOX, reducing_gap=2.0
    )
    grey = np.asarray(small.convert("L"))
    exact = sha256(repr(pixels.shape).encode())
    exact.update(pixels.tobytes())
    return Fingerprint(
        exact.hexdigest(), _hash(grey), _hash(grey[:, ::-1]), np.asarray(small).copy()
    )


def pairs(fingerprints: Sequence[Fingerprint], similar: float) -> NDArray[np.float64]:
    """Return the pairs that are at least `similar`, as rows (i, j, correlation) with i < j.

    Pictures of equal pixels have correlation 1. Flat ones pair with equal pixels only.
    """
    found = [(i, j, 1.0) for i, j in _equal(fingerprints)]
    equal = {(i, j) for i, j, _ in found}
    for i, j in _candidates(fingerprints):
        if (i, j) not in equal:
            score = correlation(fingerprints[i].thumbnail, fingerprints[j].thumbnail)
            if score >= similar:
                found.append((i, j, score))
    return np.array(found, np.float64).reshape(-1, 3)


def correlation(a: Pixels, b: Pixels) -> float:
    """Return the correlation of two thumbnails, the second mirrored if that is higher, in [-1, 1].

    Each channel is centred on its own mean. A flat thumbnail correlates with nothing: 0.
    """
    if min(_centred(a).std(), _centred(b).std()) < FLAT:
        return 0.0
    return max(_cosine(_centred(a), _centred(b)), _cosine(_centred(a), _centred(b[:, ::-1])))


def components(count: int, edges: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return for each of `count` pictures the number of its connected component, int64."""
    i, j = edges[:, 0].astype(np.int64), edges[:, 1].astype(np.int64)
    graph = coo_array((np.ones(len(edges)), (i, j)), shape=(count, count))
    return np.asarray(connected_components(graph, directed=False)[1], np.int64)


def _hash(grey: NDArray[np.uint8]) -> int:
    low = (_DCT @ grey.astype(np.int64) @ _DCT.T).ravel()
    bits = 2 * low > np.sort(low)[31:33].sum()
    return int.from_bytes(np.packbits(bits).tobytes(), "big")


def _equal(fingerprints: Sequence[Fingerprint]) -> list[tuple[int, int]]:
    first: dict[str, int] = {}
    return [
        (first[f.exact], i) for i, f in enumerate(fingerprints) if first.setdefault(f.exact, i) != i
    ]


def _centred(thumbnail: Pixels) -> NDArray[np.float64]:
    values = thumbnail.astype(np.float64)
    return values - values.mean((0, 1))


def _cosine(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    return float((a * b).sum() / np.sqrt((a * a).sum() * (b * b).sum()))


def _candidates(fingerprints: Sequence[Fingerprint]) -> list[tuple[int, int]]:
    hashes = np.array([f.hash for f in fingerprints], np.uint64)
    mirrored = np.array([f.mirrored for f in fingerprints], np.uint64)
    found = []
    for i in range(len(hashes) - 1):
        later = hashes[i + 1 :]
        near = np.bitwise_count(later ^ hashes[i]) <= HASH_RADIUS
        near |= np.bitwise_count(later ^ mirrored[i]) <= HASH_RADIUS
        found += [(i, int(j)) for j in np.flatnonzero(near) + i + 1]
    return found
