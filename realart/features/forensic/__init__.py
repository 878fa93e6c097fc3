"""What a picture's pixels say without any trained weights: families of measurements, each a vector.

All take RGB pixels, uint8 (h, w, 3), and return float32 (d,), whatever h and w above 7 are; d
belongs to the family. Each is weak evidence, so that heads are trained on several together.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from realart.data.pictures import Pixels
from realart.features.forensic import (
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
from realart.features.pixel_statistics import BLOCK, Vector

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
    """Return the vectors of `families`, one behind the other.

    A picture with a side below 8 pixels, the block of a JPEG, has its edges repeated up to there.
    """
    missing = [(0, max(0, BLOCK - side)) for side in pixels.shape[:2]]
    if any(any(one) for one in missing):
        pixels = np.pad(pixels, [*missing, (0, 0)], mode="edge")
    return np.concatenate([FAMILIES[family](pixels) for family in families])
