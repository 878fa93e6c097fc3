"""Plain straight borders around a picture: mats, letterboxes, margins of scans, instant film.

Pictures in equal borders have most of their area in common, which proves nothing.
"""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

CropBox = tuple[float, float, float, float]
"""Left, top, right, bottom, in pixels, as Pillow has them."""
PixelLines = NDArray[np.uint8]
"""Lines of pixels from one side inwards, uint8, shape (lines, pixels, 3)."""

TOLERANCE = 14
"""Grey levels by which a border may differ from its colour: grain of paper, an uneven light."""
SPECKS = 0.1
"""Largest share of a border's line that may differ from its colour."""
ACROSS = 0.3
"""Least share of a line that changes where a picture begins; objects and letters change less."""
THINNEST = 0.02
DEEPEST = 0.45
"""Least and greatest depth of a border, as shares of the side that it is cut from."""
BEHIND = 0.05
"""Share of the lines behind the edge that must be as full: a gap follows a line of text."""
NESTED = 3
"""Most borders inside each other that are cut, as those of a scanned photograph."""


def content_box(image: Image.Image) -> CropBox:
    """Return the box of an RGB picture inside its plain borders, or all of it without borders.

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


def _depths(lines: PixelLines) -> tuple[int, int]:
    return _depth(lines), _depth(lines[::-1])


def _depth(lines: PixelLines) -> int:
    """Return the depth, in lines, of the border that begins at the first line; 0 for none."""
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


def _share(lines: PixelLines, other: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return the share of each line that differs in some channel by more than `TOLERANCE`.

    `other` is a colour, shape (3,), or a line, (pixels, 3).
    """
    apart = np.abs(lines.astype(np.int16) - other) > TOLERANCE
    return np.asarray((apart[..., 0] | apart[..., 1] | apart[..., 2]).mean(1))
