"""Feature vectors: what descriptors say of a picture, one behind the other."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from realart.params import Layers

ROWS = "vectors-{}.npy"
"""What each descriptor says of all rows, in the order that a recipe names them."""

SQUARES = 32
"""How many a network sees at once: more take more memory and no less time."""

Networks = Mapping[str, Any]
"""Those that `realart.describers` keeps, by the names of their descriptors."""


def describe(
    batch: tuple[NDArray[Any], ...], parts: Mapping[str, Any], networks: Networks
) -> NDArray[np.float32]:
    """Return the vectors of what is seen of n pictures by `parts`: float32, shape (n, d).

    What a network says of several views of a picture is averaged.
    """
    vectors = []
    for (name, part), array in zip(parts.items(), batch, strict=True):
        vectors.append(_averaged(networks[name], array) if isinstance(part, Layers) else array)
    return np.concatenate(vectors, axis=1)


def _averaged(network: Any, squares: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the mean vector of the views of each picture, uint8 (n, views, size, size, 3)."""
    flat = squares.reshape(-1, *squares.shape[2:])
    said = [
        network.predict_on_batch(flat[start : start + SQUARES])
        for start in range(0, len(flat), SQUARES)
    ]
    return np.concatenate(said).reshape(*squares.shape[:2], -1).mean(axis=1)


def rows(folder: Path) -> list[NDArray[np.float32]]:
    """Return what each descriptor said of all rows, float32 (n, d) each, memory-mapped."""
    count = len(list(folder.glob(ROWS.format("*"))))
    return [np.load(folder / ROWS.format(number), mmap_mode="r") for number in range(count)]
