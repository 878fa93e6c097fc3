"""What is kept of a picture to find its near-duplicates: perceptual hashes and a thumbnail.

Both rest on the cosine transform of the thumbnail. The signs of its lowest frequencies are a hash
(after Zauner, "Implementation and Benchmarking of Perceptual Image Hash Functions", 2010), the
correlation of its low frequencies is the second look. Each is taken of several views, since a
cropped copy, or one with a caption below, looks like a part of the thumbnail rather than all of it.
"""

from dataclasses import dataclass
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from realart.hamming import Hashes
from realart.pictures import Pixels

SIDE = 32
"""Side of the thumbnails, in pixels."""

FREQUENCIES = 16
"""Lowest frequencies either way that are correlated: what resizing and encoding leave alone."""

FLAT = 2.0
"""Standard deviation, in grey levels, of the low frequencies below which a view says too little."""

_ALL, _FIRST, _LAST, _INNER = slice(0, 32), slice(0, 30), slice(2, 32), slice(1, 31)

VIEWS = (
    (_ALL, _ALL),
    (_INNER, _INNER),
    *((rows, columns) for rows in (_FIRST, _LAST) for columns in (_FIRST, _LAST)),
    *((rows, _ALL) for rows in (_FIRST, _LAST)),
    *((_ALL, columns) for columns in (_FIRST, _LAST)),
)
"""Rows and columns of a thumbnail that a copy may show: all, the centre, corners, one side cut."""


def _order() -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the 64 lowest frequencies, down and across; the mean (0, 0) is none of them."""
    down, across = np.divmod(np.arange(100), 10)
    lowest = np.argsort(down**2 + across**2, kind="stable")[1:65]
    return down[lowest], across[lowest]


_DOWN, _ACROSS = _order()


def _packed(bits: NDArray[np.bool_]) -> int:
    return int.from_bytes(np.packbits(bits).tobytes(), "big")


MIRROR = np.uint64(_packed(_ACROSS % 2 == 1))
"""Bits of a hash that a mirror flips: waves with an odd number of half periods across."""


def _basis(side: int, count: int) -> NDArray[np.float64]:
    """Return `count` cosine waves over `side` pixels (DCT-II), float64, shape (count, side)."""
    waves = np.arange(count)[:, None] * (2 * np.arange(side)[None, :] + 1)
    return np.asarray(np.cos(waves * np.pi / (2 * side)), np.float64)


# Integers, so that hashes are the same on every machine: no rounding depends on a processor.
_HASHED = {side: np.rint(_basis(side, 10) * (1 << 14)).astype(np.int64) for side in (30, 32)}
_SEEN = {side: _basis(side, FREQUENCIES) * np.sqrt(2 / side) for side in (30, 32)}
for _waves in _SEEN.values():
    _waves[0] /= np.sqrt(2)  # orthonormal: the norm of a spectrum is that of the pixels


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What is kept of a picture to find its duplicates.

    `exact` names its pixels; `hashes` are 64-bit perceptual hashes of its `VIEWS`, uint64, shape
    (10,); `thumbnail` is uint8, shape (32, 32, 3); `flat` says that it shows too little to compare.
    """

    exact: bytes
    hashes: Hashes
    thumbnail: Pixels
    flat: bool


def fingerprint(pixels: Pixels) -> Fingerprint:
    """Take the fingerprint of an RGB picture, uint8, shape (height, width, 3)."""
    small = Image.fromarray(pixels).resize((SIDE, SIDE), Image.Resampling.BOX, reducing_gap=2.0)
    grey = np.asarray(small.convert("L")).astype(np.int64)
    exact = sha256(repr(pixels.shape).encode())
    exact.update(pixels.tobytes())
    thumbnail = np.asarray(small).copy()
    hashes = np.array([_hash(grey[view]) for view in VIEWS], np.uint64)
    flat = not spectra(thumbnail[None], 0).any()
    return Fingerprint(exact.digest(), hashes, thumbnail, flat)


def spectra(thumbnails: NDArray[np.uint8], view: int) -> NDArray[np.float64]:
    """Return the low frequencies of one view of thumbnails, without their mean, as unit vectors.

    Parameters
    ----------
    thumbnails
        uint8, shape (n, 32, 32, 3).
    view
        Index into `VIEWS`.

    Returns
    -------
    NDArray
        float64, shape (n, 3, 16, 16): channel, frequency down, frequency across. The product of
        two is the correlation of the smoothed views, each channel centred on its own mean. A view
        that is flat is all zeros: it correlates with nothing.
    """
    seen = np.moveaxis(thumbnails[:, *VIEWS[view]], 3, 1).astype(np.float64)
    height, width = seen.shape[2:]
    found = _SEEN[height] @ (seen @ _SEEN[width].T)
    found[:, :, 0, 0] = 0
    norms = np.sqrt((found**2).sum((1, 2, 3), keepdims=True))
    flat = norms < FLAT * np.sqrt(3 * height * width)
    return np.where(flat, 0, found / np.where(flat, 1, norms))


def correlations(
    ones: NDArray[np.uint8], others: NDArray[np.uint8], view: int, mirrored: bool
) -> NDArray[np.float64]:
    """Return how much a view of some thumbnails, mirrored or not, looks like all of others.

    Both uint8, shape (n, 32, 32, 3); the result is float64, shape (n,), in [-1, 1], 0 if one of
    the two is flat.
    """
    seen, whole = spectra(ones, view), spectra(others, 0)
    if mirrored:
        seen[..., 1::2] *= -1
    return np.asarray(np.einsum("ncuv,ncuv->n", seen, whole))


def _hash(grey: NDArray[np.int64]) -> int:
    height, width = grey.shape
    waves = _HASHED[height] @ grey @ _HASHED[width].T
    return _packed(waves[_DOWN, _ACROSS] > 0)
