"""What is kept of a picture to find its near-duplicates: perceptual hashes and a thumbnail.

Both rest on the cosine transform of the thumbnail. The signs of its lowest frequencies are a hash
(after Zauner, "Implementation and Benchmarking of Perceptual Image Hash Functions", 2010), the
correlation of its low frequencies is the second look. Each is taken of several views, since a
cropped copy, or one with a caption below, looks like a part of the thumbnail rather than all of it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryFile

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from realart.hamming import Hashes
from realart.pictures import Pixels

Values = NDArray[np.float64]

SIDE = 32
"""Side of the thumbnails, in pixels."""

COARSE = 16
"""Lowest frequencies either way that are compared: what encoding and a shift by a pixel keep."""

OVERLAID = 0.1
"""Share of a picture's area that may show something else: a watermark, a caption, a scribble."""

STEPS = 3
"""How often the area that agrees is chosen anew; more change nothing."""

FLAT = 2.0
"""Standard deviation, in grey levels, below which a view says too little to be compared."""

SPARSE = 0.1
"""Share of a thumbnail that deviates from its mean below which it shows little on plain ground.

Such pictures, a line of text on white, are all alike in coarse detail; they are compared whole,
by the gradients of all detail.
"""

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


def _basis(side: int, count: int) -> Values:
    """Return `count` cosine waves over `side` pixels (DCT-II), float64, shape (count, side)."""
    waves = np.arange(count)[:, None] * (2 * np.arange(side)[None, :] + 1)
    return np.asarray(np.cos(waves * np.pi / (2 * side)), np.float64)


def _orthonormal(side: int, count: int) -> Values:
    waves = _basis(side, count) * np.sqrt(2 / side)
    waves[0] /= np.sqrt(2)
    return waves


# Integers, so that hashes are the same on every machine: no rounding depends on a processor.
_HASHED = {side: np.rint(_basis(side, 10) * (1 << 14)).astype(np.int64) for side in (30, 32)}
_SEEN = {side: _orthonormal(side, 30) for side in (30, 32)}  # products are those of pixels
_CELLS = _orthonormal(COARSE, COARSE)

_GRADIENTS = np.hypot(*np.mgrid[:30, :30])
_COARSE = np.ones((COARSE, COARSE))
_COARSE[0, 0] = 0  # each channel is centred on its own mean


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What is kept of a picture to find its duplicates.

    `exact` names the file that is stored of it; `hashes` are 64-bit perceptual hashes of its
    `VIEWS`, uint64, shape (10,); `thumbnail` is uint8, shape (32, 32, 3). `flat` and `sparse` say
    how little it shows.
    """

    exact: bytes
    hashes: Hashes
    thumbnail: Pixels
    flat: bool
    sparse: bool


class Fingerprints:
    """Fingerprints of many pictures, in the order of `append`.

    Thumbnails lie in a nameless file in `folder`, of which only those that are compared are read;
    the rest takes 160 bytes a picture.
    """

    def __init__(self, ones: Iterable[Fingerprint] = (), folder: Path | None = None) -> None:
        self.exact: list[bytes] = []
        self._hashes = bytearray()
        self._flags = bytearray()
        self._thumbnails = TemporaryFile(dir=folder)  # noqa: SIM115
        for one in ones:
            self.append(one)

    def append(self, one: Fingerprint) -> None:
        """Add one at the end."""
        self.exact.append(one.exact)
        self._hashes += one.hashes.tobytes()
        self._flags += bytes([one.flat, one.sparse])
        self._thumbnails.write(one.thumbnail.tobytes())

    def __len__(self) -> int:
        return len(self.exact)

    @property
    def hashes(self) -> Hashes:
        """All hashes, uint64, shape (n, 10)."""
        return np.frombuffer(self._hashes, np.uint64).reshape(-1, len(VIEWS))

    @property
    def flat(self) -> NDArray[np.bool_]:
        """Which are flat, shape (n,)."""
        return np.frombuffer(self._flags, np.bool_)[::2]

    @property
    def sparse(self) -> NDArray[np.bool_]:
        """Which are sparse, shape (n,)."""
        return np.frombuffer(self._flags, np.bool_)[1::2]

    @property
    def thumbnails(self) -> NDArray[np.uint8]:
        """All thumbnails, uint8, shape (n, 32, 32, 3), read from the file where they are asked for.

        n must not be 0.
        """
        self._thumbnails.flush()
        shape = (len(self), SIDE, SIDE, 3)
        return np.memmap(self._thumbnails, np.uint8, "r", shape=shape)


def fingerprint(image: Image.Image, stored: bytes) -> Fingerprint:
    """Take the fingerprint of an RGB picture, and of the file that is stored of it."""
    # A box filter, or a reduction to less than four times the side, moves edges by part of a pixel.
    small = image.resize((SIDE, SIDE), Image.Resampling.HAMMING, reducing_gap=4.0)
    grey = np.asarray(small.convert("L")).astype(np.int64)
    thumbnail = np.asarray(small).copy()
    deviation = ((thumbnail - thumbnail.mean((0, 1))) ** 2).sum(2)
    # The inverse participation ratio: 1 if all pixels deviate alike, 1 / n if one of n does.
    share = deviation.mean() ** 2 / max((deviation**2).mean(), np.finfo(float).tiny)
    return Fingerprint(
        sha256(stored).digest(),
        np.array([_hash(grey[view]) for view in VIEWS], np.uint64),
        thumbnail,
        flat=bool(deviation.mean() < 3 * FLAT**2),
        sparse=bool(share < SPARSE),
    )


def correlations(
    ones: NDArray[np.uint8],
    others: NDArray[np.uint8],
    sparse: bool = False,
    view: int = 0,
    mirrored: bool = False,
) -> Values:
    """Return how much a view of some pictures looks like all of others.

    Parameters
    ----------
    ones, others
        Thumbnails, uint8, shape (n, 32, 32, 3).
    sparse
        Whether to compare gradients in all detail, as for `SPARSE` pictures.
    view, mirrored
        Which of `VIEWS` is taken of `ones`, and whether it is mirrored.

    Returns
    -------
    NDArray
        Shape (n,), in [-1, 1]: the correlation of pixels from which high frequencies are
        removed, each channel centred on its own mean, over all of the area but the `OVERLAID` share
        that agrees least. 0 if one of the two is flat.
    """
    weights = _GRADIENTS if sparse else _COARSE
    seen, whole = _spectra(ones, view, weights), _spectra(others, 0, weights)
    if mirrored:
        seen[..., 1::2] *= -1
    kept = np.ones((len(ones), 1, *weights.shape))
    if not sparse:
        # As pixels again, no more than there are frequencies: an overlay has its place there.
        seen, whole = (_CELLS.T @ spectra @ _CELLS for spectra in (seen, whole))
        for _ in range(STEPS):
            kept = _agreeing(seen, whole, kept)
        seen, whole = _centred(seen, kept), _centred(whole, kept)
    norms = np.sqrt(_products(seen, seen, kept) * _products(whole, whole, kept))
    found = _products(seen, whole, kept) / np.maximum(norms, 1e-9)
    return np.round(found, 9)  # BLAS adds in another order with another number of threads


def _agreeing(ones: Values, others: Values, kept: Values) -> Values:
    """Return 1 for the cells where two pictures differ least, by their brightness over `kept`.

    One concentration step of least trimmed squares (Rousseeuw and Van Driessen, "Computing LTS
    Regression for Large Data Sets", 2006).
    """
    ones, others = (_centred(side, kept) for side in (ones, others))
    spreads = (np.sqrt(_products(side, side, kept)) for side in (ones, others))
    scale, other_scale = (np.maximum(spread, 1e-9)[:, None, None, None] for spread in spreads)
    apart = ((ones / scale - others / other_scale) ** 2).sum(1, keepdims=True)
    worst = round((1 - OVERLAID) * COARSE**2) - 1
    limit = np.partition(apart.reshape(len(apart), -1), worst, axis=1)[:, worst]
    return (apart <= limit[:, None, None, None]).astype(np.float64)


def _centred(values: Values, kept: Values) -> Values:
    return values - (values * kept).sum((2, 3), keepdims=True) / kept.sum((2, 3), keepdims=True)


def _spectra(thumbnails: NDArray[np.uint8], view: int, weights: Values) -> Values:
    """Return the lowest frequencies of a view, as many as `weights`, all 0 where it is flat."""
    # In C order: sums over rows and columns are ten times faster where they lie together.
    seen = np.moveaxis(thumbnails[:, *VIEWS[view]], 3, 1).astype(np.float64, order="C")
    seen[seen.var((2, 3)).mean(1) < FLAT**2] = 0
    down, across = (_SEEN[side][: len(weights)] for side in seen.shape[2:])
    return np.asarray(down @ (seen @ across.T) * weights)


def _products(ones: Values, others: Values, kept: Values) -> Values:
    return np.asarray(np.einsum("ncuv,ncuv->n", ones, others * kept))


def _hash(grey: NDArray[np.int64]) -> int:
    height, width = grey.shape
    waves = _HASHED[height] @ grey @ _HASHED[width].T
    return _packed(waves[_DOWN, _ACROSS] > 0)
