"""Distributions of colours, and correlations of channels."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from realart.data.pictures import Pixels
from realart.features.forensic import register
from realart.features.pixel_statistics import Vector

GREYS = np.arange(256)
BINS = 16


@register("colour", size=78)
def vector(pixels: Pixels) -> Vector:
    """Compute statistics of colour: shape (78,).

    Mean, spread and skewness of RGB and Lab (18); correlations of channels (3); colourfulness
    (Hasler and Süsstrunk, "Measuring Colourfulness in Natural Images", 2003); shares of hues, of
    saturations and of lightnesses (16 each, square roots); shares of 0 and of 255 in the channels
    (6), of grey pixels and of saturated ones (2).
    """
    lab = cv2.cvtColor(pixels, cv2.COLOR_RGB2LAB)
    hsv = cv2.cvtColor(pixels, cv2.COLOR_RGB2HSV_FULL)
    histograms = [_histogram(space, i) for space in (pixels, lab, hsv) for i in range(3)]
    red, green, blue, light, _, _, hue, saturation, _ = histograms
    moments = [_moments(histogram) for histogram in histograms[:6]]
    coarse = [histogram.reshape(BINS, -1).sum(1) for histogram in (hue, saturation, light)]
    ends = [histogram[[0, 255]] for histogram in (red, green, blue)]
    chroma = [saturation[:16].sum(), saturation[240:].sum()]
    roots = [np.sqrt(shares) for shares in coarse]
    parts = [*moments, *_correlations(pixels), *roots, *ends, chroma]
    return np.concatenate(parts).astype(np.float32)


def _histogram(picture: Any, channel: int) -> NDArray[np.float64]:
    """Return the share of each of 256 values in a channel."""
    counts = cv2.calcHist([picture], [channel], None, [256], [0, 256]).ravel().astype(np.float64)
    return counts / counts.sum()


def _moments(shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return mean, standard deviation and skewness of a channel, given its histogram."""
    mean = shares @ GREYS
    spread = np.sqrt(shares @ (GREYS - mean) ** 2) + 1e-3
    return np.array([mean, spread, shares @ ((GREYS - mean) / spread) ** 3])


def _correlations(pixels: Pixels) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the correlations of red-green, red-blue and green-blue, and the colourfulness."""
    rgb = pixels[::2, ::2].reshape(-1, 3).astype(np.float64)  # enough for nine numbers
    mean = rgb.mean(0)
    # Sums of whole numbers are exact, in whatever order BLAS adds them.
    covariance = rgb.T @ rgb / len(rgb) - np.outer(mean, mean) + np.eye(3) * 1e-3
    spread = np.sqrt(np.diag(covariance))
    opponents = np.array([[1, -1, 0], [0.5, 0.5, -1]])
    spreads = np.diag(opponents @ covariance @ opponents.T).sum()
    colourfulness = np.sqrt(spreads) + 0.3 * np.linalg.norm(opponents @ mean)
    correlations = (covariance / np.outer(spread, spread))[[0, 0, 1], [1, 2, 2]]
    return correlations, np.array([colourfulness])
