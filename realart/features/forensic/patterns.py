"""Local binary patterns: which neighbours of a pixel are darker than it, and which lighter."""

import cv2
import numpy as np
from numpy.typing import NDArray

from realart.data.pictures import Pixels
from realart.features.forensic import register
from realart.features.pixel_statistics import Vector, luma

SCALES = 3
CIRCLE = ((0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1), (-1, 0), (-1, 1))


@register("patterns", size=177)
def vector(pixels: Pixels) -> Vector:
    """Compute shares of uniform patterns of eight neighbours: shape (177,), in 0..1.

    59 of luma at each scale of 1, 1/2 and 1/4: patterns with at most two changes around the
    circle, and the others together (Ojala, Pietikäinen and Mäenpää, "Multiresolution Gray-Scale and
    Rotation Invariant Texture Classification with Local Binary Patterns", 2002).
    """
    grey, shares = luma(pixels), []
    for _ in range(SCALES):
        grey = _at_least(grey, 3)
        counts = np.bincount(_UNIFORM[_codes(grey)].ravel(), minlength=59)
        shares.append(counts / counts.sum())
        height, width = grey.shape
        half = (max(1, width // 2), max(1, height // 2))
        grey = np.asarray(cv2.resize(grey, half, interpolation=cv2.INTER_AREA), np.uint8)
    return np.concatenate(shares).astype(np.float32)


def _at_least(grey: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    missing = [(0, max(0, side - length)) for length in grey.shape]
    return np.pad(grey, missing, mode="edge")


def _codes(grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the pattern of every inner pixel: a bit for each neighbour that is no darker."""
    height, width = grey.shape
    centre = grey[1:-1, 1:-1]
    code = np.zeros(centre.shape, np.uint8)
    for bit, (y, x) in enumerate(CIRCLE):
        other = grey[1 + y : height - 1 + y, 1 + x : width - 1 + x]
        code |= (other >= centre).view(np.uint8) << np.uint8(bit)
    return code


def _uniform() -> NDArray[np.uint8]:
    """Return the number, 0 to 58, of every code."""
    bits = (np.arange(256)[:, None] >> np.arange(8)) & 1
    changes = (bits != np.roll(bits, 1, axis=1)).sum(1)
    numbers = np.full(256, 58, np.uint8)
    numbers[changes <= 2] = np.arange(58)
    return numbers


_UNIFORM = _uniform()
