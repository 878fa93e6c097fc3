"""The files that a recipe is trained on, which `features.extraction` writes."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from realart.features import vectors

PIXELS = "pixels.npy"


def read(folder: Path) -> tuple[NDArray[Any], ...]:
    """Read the training input in `folder`: pixels, activations of a frozen part, or vectors.

    Returns
    -------
    tuple of arrays
        One for each input of the network, shape (n, ...); all but vectors are memory-mapped.
    """
    if blocks := vectors.read(folder):
        return (np.concatenate(blocks, axis=1),)
    return tuple(vectors.read_array(file) for file in sorted(folder.glob("*.npy")))
