"""Noise residuals: differences of neighbouring pixels, and how they occur together."""

from collections.abc import Iterator
from itertools import product

import cv2
import numpy as np
from numpy.typing import NDArray

from realart.data.pictures import Pixels
from realart.features.forensic import register
from realart.features.pixel_statistics import Vector, luma

LEVELS = 5  # of a quantised residual: -2 to 2
STEPS = (3.0, 6.0)
LARGEST = 4 * 255
DIFFERENCES = np.arange(-255, 256, dtype=np.float64)


@register("cooccurrences", size=464)
def cooccurrences(pixels: Pixels) -> Vector:
    """Compute co-occurrences of third-order residuals: shape (464,), shares in 0..1.

    For each of `STEPS`, by which residuals are divided before they are rounded and cut at 2: four
    neighbours along rows and columns of luma, 169 patterns that differ in more than sign and
    direction (Fridrich and Kodovsky, "Rich Models for Steganalysis of Digital Images", 2012), and
    red, green and blue of a pixel, 63 patterns that differ in more than sign (Goljan, Fridrich and
    Cogranne, "Rich Model for Steganalysis of Color Images", 2014).
    """
    grey, colour = luma(pixels).astype(np.int16), pixels.astype(np.int16)
    along_rows = [_third_order(grey), _third_order(grey.T)]
    of_channels = [_third_order(colour), _third_order(colour.transpose(1, 0, 2))]
    vectors = []
    for step in STEPS:
        rounded = _rounding(step)
        counts = sum(_line_counts(np.take(rounded, residual)) for residual in along_rows)
        vectors.append(np.bincount(_LINES, counts))
        counts = sum(_colour_counts(np.take(rounded, residual)) for residual in of_channels)
        vectors.append(np.bincount(_COLOURS, counts))
    return np.concatenate([sums / max(1, sums.sum()) for sums in vectors]).astype(np.float32)


@register("neighbours", size=36)
def neighbours(pixels: Pixels) -> Vector:
    """Compute how pixels of 2x2 cells differ from the first: shape (36,), logarithms and shares.

    For right, lower and diagonal neighbour and each channel: mean absolute and root mean square
    difference, share of equal values, kurtosis. Upsampling inside generators leaves its mark there
    (Tan et al., "Rethinking the Up-Sampling Operations in CNN-based Generative Network", 2024).
    """
    height, width = (side // 2 * 2 for side in pixels.shape[:2])
    cells = pixels[:height, :width].astype(np.int16)
    first = cells[::2, ::2]
    others = (cells[::2, 1::2], cells[1::2, ::2], cells[1::2, 1::2])
    parts = []
    for other in others:
        shares = np.stack([_differences(other[..., i], first[..., i]) for i in range(3)])
        spread = shares @ DIFFERENCES**2 + 1e-3
        parts += [
            np.log1p(shares @ np.abs(DIFFERENCES)),
            np.log(spread) / 2,
            shares[:, 255],
            np.log(shares @ DIFFERENCES**4 / spread**2 + 1e-3),
        ]
    return np.concatenate(parts).astype(np.float32)


def _differences(left: NDArray[np.int16], right: NDArray[np.int16]) -> NDArray[np.float64]:
    """Return the share of each of `DIFFERENCES`."""
    return _counts((left - right + np.int16(255)).astype(np.uint16), 511) / left.size


def _counts(codes: NDArray[np.uint16], count: int) -> NDArray[np.float64]:
    """Return how often each of `count` codes occurs; NumPy's own way takes five times as long."""
    return cv2.calcHist([codes], [0], None, [count], [0, count]).ravel().astype(np.float64)


def _third_order(values: NDArray[np.int16]) -> NDArray[np.int16]:
    """Return the third differences along the second axis, as indices of `_rounding`."""
    middle = values[:, 2:-1] - values[:, 1:-2]
    return 3 * middle + values[:, :-3] - values[:, 3:] + np.int16(LARGEST)


def _rounding(step: float) -> NDArray[np.uint16]:
    """Return the level, 0 to 4, of every residual."""
    values = np.arange(-LARGEST, LARGEST + 1) / step
    return (np.clip(np.round(values), -2, 2) + 2).astype(np.uint16)


def _line_counts(level: NDArray[np.uint16]) -> NDArray[np.float64]:
    """Count the codes of four neighbours in a row."""
    code = ((level[:, :-3] * 5 + level[:, 1:-2]) * 5 + level[:, 2:-1]) * 5 + level[:, 3:]
    return _counts(code, LEVELS**4)


def _colour_counts(level: NDArray[np.uint16]) -> NDArray[np.float64]:
    """Count the codes of red, green and blue of a pixel."""
    code = (level[..., 0] * 5 + level[..., 1]) * 5 + level[..., 2]
    return _counts(code, LEVELS**3)


def _classes(length: int, directions: int) -> NDArray[np.int64]:
    """Number the patterns of `length` levels so that those of one class get the same number.

    A class holds a pattern, its negative and, with two directions, both of them reversed.
    """
    numbers: dict[tuple[int, ...], int] = {}

    def equivalent(pattern: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
        for turned in (pattern, pattern[::-1])[:directions]:
            yield turned
            yield tuple(LEVELS - 1 - level for level in turned)

    patterns = product(range(LEVELS), repeat=length)
    return np.array(
        [numbers.setdefault(min(equivalent(pattern)), len(numbers)) for pattern in patterns]
    )


_LINES, _COLOURS = _classes(4, 2), _classes(3, 1)
