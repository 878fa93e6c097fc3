"""Strokes and texture: energies of Gabor filters by scale and direction, and correlations."""

from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from realart.data.pictures import Pixels
from realart.features.forensic import register
from realart.features.pixel_statistics import Vector

LONG_SIDE, SCALES, DIRECTIONS = 192, 4, 4
SHORTEST = 8
Map = NDArray[np.float32]


@register("wavelets", size=266)
def vector(pixels: Pixels) -> Vector:
    """Compute statistics of Gabor energies of L, a and b: shape (266,).

    At 4 scales, an octave apart, of a picture whose long side is 192, L alone at the first (JPEG
    halves the others): of each of 4 directions mean and spread (logarithms), skewness and kurtosis
    (logarithm), the correlations of directions, and spread, skewness and kurtosis of the picture
    minus its blurred copy; then the correlations of neighbouring scales and of channels. After
    Portilla and Simoncelli, "A Parametric Texture Model Based on Joint Statistics of Complex
    Wavelet Coefficients", 2000.
    """
    lab = cv2.cvtColor(pixels, cv2.COLOR_RGB2LAB).astype(np.float32)
    current = _resized(lab, LONG_SIDE / max(lab.shape[:2]))
    parts: list[NDArray[np.floating]] = []
    energies: list[list[Map]] = []
    for _ in range(SCALES):
        blurred = np.asarray(cv2.GaussianBlur(current, (0, 0), 1.0), np.float32)
        of_scale = []
        for channel in range(3 if energies else 1):
            by_direction = _energies(current[..., channel])
            detail = (current - blurred)[..., channel]
            parts += [*map(_moments, by_direction), _correlations(by_direction), _shape(detail)]
            of_scale.append(np.mean(by_direction, axis=0))
        energies.append(of_scale)
        current = _resized(blurred, 0.5)
    for fine, coarse in pairwise(energies):
        for energy, half in zip(fine, coarse, strict=False):  # L comes first
            enlarged = cv2.resize(half, energy.shape[::-1], interpolation=cv2.INTER_LINEAR)
            parts.append(_correlations([energy, np.asarray(enlarged, np.float32)]))
    parts += [_correlations(of_scale) for of_scale in energies[1:]]
    return np.concatenate(parts).astype(np.float32)


def _energies(channel: Map) -> list[Map]:
    return [
        np.hypot(*(cv2.filter2D(channel, cv2.CV_32F, kernel) for kernel in pair))
        for pair in _FILTERS
    ]


def _moments(energy: Map) -> NDArray[np.floating]:
    mean, spread = float(energy.mean()), float(energy.std())
    return np.concatenate([np.log1p([mean, spread]), _shape(energy)[1:]])


def _shape(values: Map) -> NDArray[np.floating]:
    """Return logarithm of the spread, skewness, and logarithm of the kurtosis."""
    spread = float(values.std()) + 1e-2
    standard = (values - values.mean()) / spread
    squares = standard * standard
    return np.array(
        [np.log(spread), (squares * standard).mean(), np.log((squares * squares).mean() + 1e-2)]
    )


def _correlations(maps: list[Map]) -> NDArray[np.floating]:
    """Return the correlation of each pair of maps; 0 where one has hardly any spread."""
    centred = np.stack([energy.ravel() - energy.mean() for energy in maps])
    spread = np.sqrt((centred**2).mean(1)) + 1e-2
    correlations = centred @ centred.T / centred.shape[1] / np.outer(spread, spread)
    return correlations[np.triu_indices(len(maps), 1)]


def _resized(picture: Map, scale: float) -> Map:
    sides = [max(SHORTEST, round(side * scale)) for side in picture.shape[1::-1]]
    return np.asarray(cv2.resize(picture, sides, interpolation=cv2.INTER_AREA), np.float32)


def _filters() -> list[tuple[Map, Map]]:
    """Return even and odd filters of 4 pixels a wave; their sums are 0."""
    pairs = []
    for direction in range(DIRECTIONS):
        angle = direction * np.pi / DIRECTIONS
        pair = [cv2.getGaborKernel((9, 9), 2.0, angle, 4.0, 0.7, phase) for phase in (0, np.pi / 2)]
        even, odd = (np.asarray(kernel - kernel.mean(), np.float32) for kernel in pair)
        pairs.append((even, odd))
    return pairs


_FILTERS = _filters()
