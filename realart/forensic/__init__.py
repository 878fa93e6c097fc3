"""What a picture's pixels say without any trained weights: families of measurements, each a vector.

All take RGB pixels, uint8 (h, w, 3), and return float32 (d,), whatever h and w are; d belongs to
the family. What they measure of a picture's content is weak evidence each, so that heads are
trained on several together.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from realart.forensic import (
    blocks,
    colour,
    contrast,
    layout,
    levels,
    palette,
    patterns,
    residuals,
    spectrum,
    wavelets,
)
from realart.pictures import Pixels
from realart.traces import Vector

FAMILIES: Mapping[str, Callable[[Pixels], Vector]] = {
    "cooccurrences": residuals.cooccurrences,
    "neighbours": residuals.neighbours,
    "blocks": blocks.vector,
    "patterns": patterns.vector,
    "contrast": contrast.vector,
    "spectrum": spectrum.vector,
    "levels": levels.vector,
    "colour": colour.vector,
    "palette": palette.vector,
    "wavelets": wavelets.vector,
    "layout": layout.vector,
}


def measure(pixels: Pixels, families: Sequence[str]) -> Vector:
    """Return the vectors of `families`, one behind the other."""
    return np.concatenate([FAMILIES[family](pixels) for family in families])
