"""Edges by direction, and where they lie: how a picture is composed."""

import cv2
import numpy as np
from PIL import Image

from realart.pictures import Pixels, square
from realart.traces import Vector, luma

SIDE, DIRECTIONS = 128, 8
GRIDS = (1, 2, 4)


def layout(pixels: Pixels) -> Vector:
    """Return histograms of edge directions on the centre square: shape (168,), each grid sums to 1.

    8 directions in each cell of grids of 1, 4 and 16 cells, weighted by strength (Bosch, Zisserman
    and Munoz, "Representing Shape with a Spatial Pyramid Kernel", 2007).
    """
    grey = luma(square(Image.fromarray(pixels), SIDE, "crop"))
    across, down = (cv2.Sobel(grey, cv2.CV_32F, *axes) for axes in ((1, 0), (0, 1)))
    strength = np.hypot(across, down)
    direction = (np.arctan2(down, across) / np.pi * DIRECTIONS).astype(np.int64) % DIRECTIONS
    found = []
    for cells in GRIDS:
        cell = np.arange(SIDE) * cells // SIDE
        number = (cell[:, None] * cells + cell) * DIRECTIONS + direction
        sums = np.bincount(number.ravel(), strength.ravel(), minlength=cells**2 * DIRECTIONS)
        found.append(sums / max(1e-6, sums.sum()))
    return np.concatenate(found).astype(np.float32)
