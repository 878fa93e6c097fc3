"""Forensic features: measurements of a picture's pixels that need no trained weights.

They come in families. A family is a function in a module of this package that registers itself:
RGB pixels in, uint8 (h, w, 3), its measurements out, float32 (d,); d is the same for any picture.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from realart.core.registry import Registry, import_modules
from realart.data.pictures import Pixels
from realart.features.pixel_statistics import BLOCK, Vector

Measure = Callable[[Pixels], Vector]


class Family(NamedTuple):
    """A family of measurements: its function, and how many numbers that returns."""

    measure: Measure
    size: int


FAMILIES = Registry[Family]("family")
"""All families by name."""


def register(name: str, size: int) -> Callable[[Measure], Measure]:
    """Register the decorated function as the family `name`, of `size` measurements.

    Heights and widths of the pixels that it is called with are at least 8.
    """

    def add(measure: Measure) -> Measure:
        FAMILIES.add(name, Family(measure, size))
        return measure

    return add


def measure(pixels: Pixels, families: Sequence[str]) -> Vector:
    """Compute the measurements of `families`, concatenated in their order: float32 (d,).

    A picture with a side below 8 pixels, the block of a JPEG, has its edges repeated up to there.

    Raises
    ------
    RealartError
        There is no such family.
    """
    missing = [(0, max(0, BLOCK - side)) for side in pixels.shape[:2]]
    if any(any(padding) for padding in missing):
        pixels = np.pad(pixels, [*missing, (0, 0)], mode="edge")
    return np.concatenate([FAMILIES[family].measure(pixels) for family in families])


import_modules(__name__, __path__)
