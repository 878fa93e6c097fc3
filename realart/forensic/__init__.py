"""What a picture's pixels say without any trained weights: families of measurements, each a vector.

All take RGB pixels, uint8 (h, w, 3), and return float32 (d,), whatever h and w are; d belongs to
the family. What they measure of a picture's content is weak evidence each, so that heads are
trained on several together.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from realart.forensic.blocks import blocks
from realart.forensic.colour import colour
from realart.forensic.contrast import contrast
from realart.forensic.layout import layout
from realart.forensic.levels import levels
from realart.forensic.patterns import patterns
from realart.forensic.residuals import neighbours, residuals
from realart.forensic.spectrum import spectrum
from realart.pictures import Pixels
from realart.traces import Vector

FAMILIES: Mapping[str, Callable[[Pixels], Vector]] = {
    "residuals": residuals,
    "neighbours": neighbours,
    "blocks": blocks,
    "patterns": patterns,
    "contrast": contrast,
    "spectrum": spectrum,
    "levels": levels,
    "colour": colour,
    "layout": layout,
}


def measure(pixels: Pixels, families: Sequence[str]) -> Vector:
    """Return the vectors of `families`, one behind the other."""
    return np.concatenate([FAMILIES[family](pixels) for family in families])
