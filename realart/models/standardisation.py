"""Standardise feature vectors, so that each descriptor in them counts alike."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from realart.features.vectors import FeatureVectors

MAX_DEVIATION = 10.0
"""Standardised features are clipped at so many standard deviations, against outliers."""


def fit(vectors: NDArray[np.float32], widths: Sequence[int]) -> dict[str, NDArray[np.float32]]:
    """Compute mean and standard deviation of each feature, and the factor that scales it.

    Parameters
    ----------
    vectors
        float32, shape (n, d).
    widths
        The number of features of each descriptor, in their order; they add up to d.

    Returns
    -------
    dict
        `mean`, `spread` and `share`, each float32 (d,). The factor `share` is 0 for a constant
        feature, else 1 / sqrt(width of its descriptor x descriptors): the squared length of a
        standardised vector is 1 on average.
    """
    mean = vectors.mean(axis=0, dtype=np.float64)
    spread = vectors.std(axis=0, dtype=np.float64)
    constant = spread <= 1e-6 * np.maximum(1, np.abs(mean))
    share = np.where(constant, 0, 1 / np.sqrt(np.repeat(widths, widths) * len(widths)))
    return {
        "mean": mean.astype(np.float32),
        "spread": np.where(constant, 1, spread).astype(np.float32),
        "share": share.astype(np.float32),
    }


def apply(vectors: FeatureVectors, arrays: Mapping[str, NDArray[np.float32]]) -> FeatureVectors:
    """Return vectors, shape (n, d), standardised by the arrays of `fit`."""
    standard = (vectors - arrays["mean"]) / arrays["spread"]
    return np.clip(standard, -MAX_DEVIATION, MAX_DEVIATION) * arrays["share"]
