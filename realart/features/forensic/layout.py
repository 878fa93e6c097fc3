"""Composition: where in a picture edges and colours lie."""

import cv2
import numpy as np
from PIL import Image

from realart.data.pictures import Pixels, square
from realart.features.forensic import register
from realart.features.pixel_statistics import Vector, luma

SIDE, DIRECTIONS = 128, 8
GRIDS = (1, 2, 4)


@register("layout", size=264)
def vector(pixels: Pixels) -> Vector:
    """Compute histograms of edges and moments of colours by place, on the centre square: (264,).

    Shares of 8 directions in each cell of grids of 1, 4 and 16 cells, weighted by strength, each
    grid summing to 1 (Bosch, Zisserman and Munoz, "Representing Shape with a Spatial Pyramid
    Kernel", 2007); mean and spread of L, a and b in each of the 16 cells.
    """
    centre = square(Image.fromarray(pixels), SIDE, "crop")
    grey = luma(centre)
    across, down = (cv2.Sobel(grey, cv2.CV_32F, *axes) for axes in ((1, 0), (0, 1)))
    strength = np.hypot(across, down)
    turned = np.rint(np.arctan2(down, across) / np.pi * DIRECTIONS)
    direction = turned.astype(np.int64) % DIRECTIONS
    parts = []
    for cells in GRIDS:
        cell = np.arange(SIDE) * cells // SIDE
        number = (cell[:, None] * cells + cell) * DIRECTIONS + direction
        sums = np.bincount(number.ravel(), strength.ravel(), minlength=cells**2 * DIRECTIONS)
        parts.append(sums / max(1e-6, sums.sum()))
    lab = cv2.cvtColor(centre, cv2.COLOR_RGB2LAB).astype(np.float32)
    places = lab.reshape(GRIDS[-1], SIDE // GRIDS[-1], GRIDS[-1], SIDE // GRIDS[-1], 3)
    parts += [places.mean((1, 3)).ravel(), places.std((1, 3)).ravel()]
    return np.concatenate(parts).astype(np.float32)
