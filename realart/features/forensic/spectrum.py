"""The power spectrum, whose fall-off towards high frequencies differs in generated pictures."""

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from realart.data.pictures import Pixels
from realart.features.forensic import register
from realart.features.pixel_statistics import Vector, luma

TILE = 128
RADII, SECTORS = 32, 8
BANDS = ((0.1, 0.25), (0.25, 0.5))


@register("spectrum", size=48)
def vector(pixels: Pixels) -> Vector:
    """Compute logarithms of the mean power of luma by frequency and direction: shape (48,).

    32 rings up to 1/2 cycle a pixel (Durall, Keuper and Keuper, "Watch your Up-Convolution", 2020)
    and 8 directions of each of `BANDS`, relative to the band; averaged over windowed tiles (Welch,
    "The Use of Fast Fourier Transform for the Estimation of Power Spectra", 1967).
    """
    grey = luma(pixels).astype(np.float32)
    missing = [(0, max(0, TILE - side)) for side in grey.shape]
    grey = np.pad(grey, missing, mode="symmetric")
    starts = [np.linspace(0, side - TILE, -(-side // TILE)).astype(int) for side in grey.shape]
    tiles = np.stack([grey[y : y + TILE, x : x + TILE] for y in starts[0] for x in starts[1]])
    tiles = (tiles - tiles.mean((1, 2), keepdims=True)) * _WINDOW
    power = (np.abs(scipy.fft.rfft2(tiles)) ** 2).mean(0).ravel()
    rings = np.log(_means(power, _RING, RADII) + 1)
    directions = [np.log(_means(power, sector, SECTORS) + 1) for sector in _SECTORS]
    return np.concatenate([rings, *(powers - powers.mean() for powers in directions)]).astype(
        np.float32
    )


def _means(power: NDArray[np.float32], bins: NDArray[np.int64], count: int) -> NDArray[np.float64]:
    """Return the mean power in each bin; those of bin `count` are left out."""
    sums = np.bincount(bins, power, minlength=count + 1)[:count]
    return sums / np.bincount(bins, minlength=count + 1)[:count]


def _bins() -> tuple[NDArray[np.int64], list[NDArray[np.int64]]]:
    y, x = np.meshgrid(scipy.fft.fftfreq(TILE), scipy.fft.rfftfreq(TILE), indexing="ij")
    radius, angle = np.hypot(y, x).ravel(), (np.arctan2(y, x).ravel() / np.pi + 0.5) % 1
    ring = np.minimum(radius * 2 * RADII, RADII).astype(np.int64)
    sector = np.minimum(angle * SECTORS, SECTORS - 1).astype(np.int64)
    inside = [(low <= radius) & (radius < high) for low, high in BANDS]
    return ring, [np.where(mask, sector, SECTORS) for mask in inside]


_WINDOW = np.outer(np.hanning(TILE), np.hanning(TILE)).astype(np.float32)
_RING, _SECTORS = _bins()
