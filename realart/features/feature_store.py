"""What a recipe is trained on, as files: read by training, written by `features.extraction`."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from realart.features import vectors

PIXELS = "pixels.npy"


def read(folder: Path) -> tuple[NDArray[Any], ...]:
    """Return what a network is trained on: pixels, activations of a frozen part, or vectors.

    An array for each input of the network, shape (n, ...); all but vectors are memory-mapped.
    """
    if blocks := vectors.read(folder):
        return (np.concatenate(blocks, axis=1),)
    return tuple(np.load(file, mmap_mode="r") for file in sorted(folder.glob("*.npy")))
