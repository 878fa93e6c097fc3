"""Fingerprints of pictures, by which near-duplicates are found: perceptual hashes and a thumbnail.

A hash is the signs of the lowest frequencies of the thumbnail's cosine transform (after Zauner,
"Implementation and Benchmarking of Perceptual Image Hash Functions", 2010). Several views are
hashed, since a cropped copy, or one with a caption below, resembles a part of the thumbnail rather
than all of it. Plain borders are cut before.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryFile
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from realart.data import borders
from realart.data.hamming import Hashes
from realart.data.pictures import Pixels

FloatArray = NDArray[np.float64]
"""Numbers in double precision, of any shape."""

SIDE = 32
"""Side of the thumbnails, in pixels."""

REDUCED = 192
"""Least pixels of the shorter side when borders are detected and thumbnails made."""

FLAT = 2.0
"""Standard deviation, in grey levels, below which a view shows too little to be compared."""

SPARSE = 0.1
"""Share of a thumbnail that deviates from its plain ground, below which a picture is sparse.

Sparse pictures, a line of text on white or a sun in the sky, are all similar in coarse detail; they
are compared whole, by the gradients of all detail.
"""

PLANE = 1
"""Degree of the polynomial that models the ground of a thumbnail: one colour, or a gradient."""

_ALL, _FIRST, _LAST, _INNER = slice(0, 32), slice(0, 30), slice(2, 32), slice(1, 31)

VIEWS = (
    (_ALL, _ALL),
    (_INNER, _INNER),
    *((rows, columns) for rows in (_FIRST, _LAST) for columns in (_FIRST, _LAST)),
    *((rows, _ALL) for rows in (_FIRST, _LAST)),
    *((_ALL, columns) for columns in (_FIRST, _LAST)),
)
"""Rows and columns of a thumbnail that a copy may show: all, the centre, corners, one side cut."""


class Orientation(NamedTuple):
    """One of the eight orientations of a picture: transposed first, then flipped and mirrored."""

    transposed: bool = False
    flipped: bool = False
    mirrored: bool = False


UPRIGHT, MIRRORED = Orientation(), Orientation(mirrored=True)


def _order() -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the 64 lowest frequencies, down and across, without the mean (0, 0)."""
    down, across = np.divmod(np.arange(100), 10)
    lowest = np.argsort(down**2 + across**2, kind="stable")[1:65]
    return down[lowest], across[lowest]


_DOWN, _ACROSS = _order()
_TRANSPOSED = np.nonzero(
    (_DOWN[:, None] == _ACROSS[None, :]) & (_ACROSS[:, None] == _DOWN[None, :])
)[1]


def _packed(bits: NDArray[np.bool_]) -> int:
    return int.from_bytes(np.packbits(bits).tobytes(), "big")


MIRROR = np.uint64(_packed(_ACROSS % 2 == 1))
"""Bits of a hash that a mirror flips: waves with an odd number of half periods across."""
FLIP = np.uint64(_packed(_DOWN % 2 == 1))
"""Bits of a hash that turning upside down and mirroring flips: those of odd waves down."""


def cosine_basis(side: int, count: int) -> FloatArray:
    """Return `count` cosine waves over `side` pixels (DCT-II), float64, shape (count, side)."""
    waves = np.arange(count)[:, None] * (2 * np.arange(side)[None, :] + 1)
    return np.asarray(np.cos(waves * np.pi / (2 * side)), np.float64)


# Integers, so that hashes are the same on every machine: no rounding depends on a processor.
_HASHED = {side: np.rint(cosine_basis(side, 10) * (1 << 14)).astype(np.int64) for side in (30, 32)}


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """The fingerprint of a picture.

    `exact` is a digest of its stored file; `hashes` are 64-bit perceptual hashes of its `VIEWS`,
    uint64, shape (10,); `thumbnail` is uint8, shape (32, 32, 3). `flat` pictures show nothing,
    `sparse` ones little.
    """

    exact: bytes
    hashes: Hashes
    thumbnail: Pixels
    flat: bool
    sparse: bool


class Fingerprints:
    """Fingerprints of many pictures, in the order of `append`.

    Thumbnails lie in a nameless file in `folder`, from which only those that are compared are
    read; the rest takes 160 bytes a picture.
    """

    def __init__(
        self, fingerprints: Iterable[Fingerprint] = (), folder: Path | None = None
    ) -> None:
        self.exact: list[bytes] = []
        self._hashes = bytearray()
        self._flags = bytearray()
        self._thumbnails = TemporaryFile(dir=folder)  # noqa: SIM115
        for fingerprint in fingerprints:
            self.append(fingerprint)

    def append(self, fingerprint: Fingerprint) -> None:
        """Add a fingerprint at the end."""
        self.exact.append(fingerprint.exact)
        self._hashes += fingerprint.hashes.tobytes()
        self._flags += bytes([fingerprint.flat, fingerprint.sparse])
        self._thumbnails.write(fingerprint.thumbnail.tobytes())

    def __len__(self) -> int:
        return len(self.exact)

    @property
    def hashes(self) -> Hashes:
        """All hashes, uint64, shape (n, 10)."""
        return np.frombuffer(self._hashes, np.uint64).reshape(-1, len(VIEWS))

    @property
    def flat(self) -> NDArray[np.bool_]:
        """Which pictures are flat, bool, shape (n,)."""
        return np.frombuffer(self._flags, np.bool_)[::2]

    @property
    def sparse(self) -> NDArray[np.bool_]:
        """Which pictures are sparse, bool, shape (n,)."""
        return np.frombuffer(self._flags, np.bool_)[1::2]

    @property
    def thumbnails(self) -> NDArray[np.uint8]:
        """All thumbnails, uint8, shape (n, 32, 32, 3), n > 0; a memory map of the file."""
        self._thumbnails.flush()
        shape = (len(self), SIDE, SIDE, 3)
        return np.memmap(self._thumbnails, np.uint8, "r", shape=shape)


def fingerprint(image: Image.Image, stored: bytes) -> Fingerprint:
    """Compute the fingerprint of an RGB picture, given also the bytes of its stored file."""
    small = _thumbnail(image)
    grey = np.asarray(small.convert("L")).astype(np.int64)
    thumbnail = np.asarray(small).copy()
    deviation = (subtract_ground(np.moveaxis(thumbnail, 2, 0), PLANE) ** 2).sum(0)
    # The inverse participation ratio: 1 if all pixels deviate alike, 1 / n if one of n does.
    share = deviation.mean() ** 2 / max((deviation**2).mean(), np.finfo(float).tiny)
    return Fingerprint(
        sha256(stored).digest(),
        np.array([_hash(grey[view]) for view in VIEWS], np.uint64),
        thumbnail,
        flat=bool(deviation.mean() < 3 * FLAT**2),
        sparse=bool(share < SPARSE),
    )


def subtract_ground(planes: NDArray[np.generic], degree: int) -> FloatArray:
    """Subtract from each plane the polynomial of x and y that fits it best.

    Parameters
    ----------
    planes
        Shape (..., 32, 32).
    degree
        The degree of the polynomial.

    Returns
    -------
    NDArray
        float64, the same shape; the mean of each plane is 0.
    """
    values = planes.reshape(*planes.shape[:-2], -1).astype(np.float64)
    grounds = _polynomials(degree)
    return np.asarray(values - (values @ grounds) @ grounds.T).reshape(planes.shape)


def orient_thumbnails(thumbnails: NDArray[np.uint8], orientation: Orientation) -> NDArray[np.uint8]:
    """Return the thumbnails of pictures in another orientation, uint8, shape (n, 32, 32, 3)."""
    if orientation.transposed:
        thumbnails = thumbnails.swapaxes(1, 2)
    if orientation.flipped:
        thumbnails = thumbnails[:, ::-1]
    return thumbnails[:, :, ::-1] if orientation.mirrored else thumbnails


def orient_hashes(hashes: Hashes, orientation: Orientation) -> Hashes:
    """Return the hashes of whole or centred views in another orientation, uint64, shape (n,)."""
    if orientation.transposed:
        bits = np.unpackbits(hashes.astype(">u8").view(np.uint8).reshape(-1, 8), axis=1)
        packed = np.ascontiguousarray(np.packbits(bits[:, _TRANSPOSED], axis=1))
        hashes = packed.view(">u8").reshape(-1).astype(np.uint64)
    for applies, bits_flipped in ((orientation.flipped, FLIP), (orientation.mirrored, MIRROR)):
        if applies:
            hashes = hashes ^ bits_flipped
    return hashes


def _thumbnail(image: Image.Image) -> Image.Image:
    # A box filter alone, or one that leaves less than four times the side, moves edges by part of
    # a pixel.
    factor = max(1, min(image.size) // REDUCED)
    reduced = image.reduce(factor) if factor > 1 else image
    box = borders.content_box(reduced)
    if box == (0, 0, *reduced.size):  # its last line may stand for fewer pixels
        box = (0, 0, image.width / factor, image.height / factor)
    return reduced.resize((SIDE, SIDE), Image.Resampling.HAMMING, box, reducing_gap=4.0)


@cache
def _polynomials(degree: int) -> FloatArray:
    """Return the k orthonormal polynomials up to a degree, float64, shape (1024, k)."""
    x = np.linspace(-1, 1, SIDE)
    powers = [
        np.outer(x**down, x**across).ravel()
        for down in range(degree + 1)
        for across in range(degree + 1 - down)
    ]
    return np.asarray(np.linalg.qr(np.array(powers).T)[0])


def _hash(grey: NDArray[np.int64]) -> int:
    height, width = grey.shape
    waves = _HASHED[height] @ grey @ _HASHED[width].T
    return _packed(waves[_DOWN, _ACROSS] > 0)
