"""The 8x8 blocks of JPEG: how large each frequency is, and how it is distributed."""

import cv2
import numpy as np

from realart.data.pictures import Pixels
from realart.features.forensic import register
from realart.features.pixel_statistics import Vector, block_coefficients

LARGEST = 2048
_DIGIT = np.array([int(str(whole)[0]) for whole in range(LARGEST)])


@register("blocks", size=136)
def vector(pixels: Pixels) -> Vector:
    """Compute statistics of the block DCT of luma: shape (136,).

    The logarithm of each frequency's mean absolute coefficient (64 numbers; Frank et al.,
    "Leveraging Frequency Analysis for Deep Fake Image Recognition", 2020), how much heavier its
    tails are than those of a Gaussian (63 logarithms, without the mean of the block; a Laplacian
    has log 2: Lam and Goodman, "A Mathematical Analysis of the DCT Coefficient Distributions for
    Images", 2000), and the shares of the first digits 1 to 9 (Fu, Shi and Su, "A Generalized
    Benford's Law for JPEG Coefficients", 2007).
    """
    coefficients = block_coefficients(pixels).reshape(-1, 64)
    size = np.abs(coefficients)
    squares = coefficients[:, 1:] ** 2
    tails = (squares**2).mean(0) / (squares.mean(0) ** 2 + 1e-3)
    counts = cv2.calcHist([size[:, 1:].astype(np.uint16)], [0], None, [LARGEST], [0, LARGEST])
    digits = np.bincount(_DIGIT, counts.ravel())[1:]
    shares = digits / max(1, digits.sum())
    heavier = np.log(tails / 3 + 1e-3)
    return np.concatenate([np.log1p(size.mean(0)), heavier, shares]).astype(np.float32)
