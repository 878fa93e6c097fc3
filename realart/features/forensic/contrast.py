"""Natural scene statistics: the distribution of luma after local normalisation."""

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.special import gamma

from realart.data.pictures import Pixels
from realart.features.forensic import register
from realart.features.pixel_statistics import Vector, luma

SCALES = 2
PAIRS = ((0, 1), (1, 0), (1, 1), (1, -1))
Map = NDArray[np.float32]


@register("contrast", size=36)
def vector(pixels: Pixels) -> Vector:
    """Fit the distribution of locally normalised luma: shape (36,), at scales 1 and 1/2.

    Shape and variance of a generalised Gaussian fitted to it, and for products of neighbours in
    four directions shape, mean, left and right variance of an asymmetric one (Mittal, Moorthy and
    Bovik, "No-Reference Image Quality Assessment in the Spatial Domain", 2012).
    """
    grey, parameters = luma(pixels).astype(np.float32), list[float]()
    for _ in range(SCALES):
        normal = _normalised(grey)
        parameters += _gaussian(normal)
        for y, x in PAIRS:
            height, width = normal.shape
            first = normal[: height - y, max(0, -x) : width - max(0, x)]
            second = normal[y:, max(0, x) : width - max(0, -x)]
            parameters += _asymmetric(first * second)
        half = (max(2, grey.shape[1] // 2), max(2, grey.shape[0] // 2))
        grey = np.asarray(cv2.resize(grey, half, interpolation=cv2.INTER_AREA), np.float32)
    return np.array(parameters, np.float32)


def _normalised(grey: Map) -> Map:
    mean = cv2.GaussianBlur(grey, (7, 7), 7 / 6)
    variance = cv2.GaussianBlur(grey * grey, (7, 7), 7 / 6) - mean * mean
    return (grey - mean) / (np.sqrt(np.maximum(variance, 0)) + 1)


def _gaussian(values: Map) -> list[float]:
    """Fit a generalised Gaussian by moments: its exponent and its variance."""
    variance = float((values**2).mean())
    ratio = variance / (float(np.abs(values).mean()) ** 2 + 1e-12)
    return [_shape(1 / max(ratio, 1e-12)), variance]


def _asymmetric(values: Map) -> list[float]:
    """Fit an asymmetric generalised Gaussian by moments (Lasmar, Stitou and Berthoumieu, 2009).

    Returns its exponent, mean, left and right variance.
    """
    squares = values * values
    negative = values < 0
    of_left, of_right = float((squares * negative).sum()), float(squares.sum())
    of_right -= of_left
    counts = int(negative.sum()), int((values > 0).sum())
    spreads = [
        np.sqrt(max(total, 1e-6) / max(count, 1))
        for total, count in zip((of_left, of_right), counts, strict=True)
    ]
    skew = spreads[0] / spreads[1]
    ratio = float(np.abs(values).mean()) ** 2 / ((of_left + of_right) / values.size + 1e-12)
    shape = _shape(ratio * (skew**3 + 1) * (skew + 1) / (skew**2 + 1) ** 2)
    scale = np.sqrt(gamma(1 / shape) / gamma(3 / shape))
    mean = (spreads[1] - spreads[0]) * scale * gamma(2 / shape) / gamma(1 / shape)
    return [shape, float(mean), spreads[0] ** 2, spreads[1] ** 2]


def _shape(ratio: float) -> float:
    """Return the exponent, 0.2 to 10, for which squared mean size over mean square is `ratio`."""
    return float(np.interp(ratio, _RATIOS, _SHAPES))


_SHAPES = np.arange(0.2, 10.001, 0.001)
_RATIOS = gamma(2 / _SHAPES) ** 2 / (gamma(1 / _SHAPES) * gamma(3 / _SHAPES))  # rises with shape
