"""Plain straight borders around a picture: mats, letterboxes, margins of scans, instant film.

Pictures in equal borders have most of their area in common, which proves nothing.
"""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Box = tuple[float, float, float, float]
"""Left, top, right, bottom, as Pillow has them."""
Lines = NDArray[np.uint8]
"""Lines of pixels from one side inwards, shape (lines, pixels, 3)."""

TOLERANCE = 14
"""Grey levels by which a border may differ from its colour: grain of paper, an uneven light."""
SPECKS = 0.1
"""Share of a border's line that may show something else."""
ACROSS = 0.3
"""Share of a line that a picture takes at least where it begins; objects and letters take less."""
THINNEST = 0.02
DEEPEST = 0.45
"""Of the side that borders lie at: the least and the greatest depth of one."""
BEHIND = 0.05
"""Share of the lines behind the edge that must be as full: a line of text is followed by a gap."""
NESTED = 3
"""How many borders may lie in each other, as those of a scanned photograph."""


def content(image: Image.Image) -> Box:
    """Return the box of an RGB picture inside its plain borders; all of it where there are none.

    An edge counts where, along a straight line, at least `ACROSS` of it changes at once. So
    skies and vignettes have none, nor have objects on plain ground or pages of text.
    """
    pixels = np.asarray(image)
    height, width = pixels.shape[:2]
    left, top, right, bottom = 0, 0, width, height
    for _ in range(NESTED):
        inside = pixels[top:bottom, left:right]
        above, below = _depths(inside)
        beside = inside[above : len(inside) - below].transpose(1, 0, 2)
        before, behind = _depths(beside)
        if not any((above, below, before, behind)):
            break
        left, top, right, bottom = left + before, top + above, right - behind, bottom - below
    return left, top, right, bottom


def _depths(lines: Lines) -> tuple[int, int]:
    return _depth(lines), _depth(lines[::-1])


def _depth(lines: Lines) -> int:
    """Return how many lines the border at the first of them is deep; 0 where there is none."""
    count = len(lines)
    thinnest = max(2, round(THINNEST * count))
    middle = lines.shape[1] // 2
    colour = np.partition(lines[0], middle, axis=0)[middle]
    for outermost in (lines[:1], lines[:thinnest]):  # most pictures have none at the first line
        if (_share(outermost, colour) > SPECKS).any():
            return 0
    shares = _share(lines[: round((DEEPEST + BEHIND) * count) + 3], colour)
    depth = int(np.argmax(shares > SPECKS))
    if not thinnest <= depth <= DEEPEST * count:
        return 0
    # The edge may lie within a line, which is then neither.
    behind = shares[depth + 1 : depth + 1 + max(4, round(BEHIND * count))]
    step = _share(lines[depth + 1 : depth + 2], lines[depth - 2])
    return depth if min(*behind, *step) >= ACROSS else 0


def _share(lines: Lines, other: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return the share of each line that differs in some channel by more than `TOLERANCE`.

    `other` is a colour, shape (3,), or a line, (pixels, 3).
    """
    apart = np.abs(lines.astype(np.int16) - other) > TOLERANCE
    return np.asarray((apart[..., 0] | apart[..., 1] | apart[..., 2]).mean(1))
