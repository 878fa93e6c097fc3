"""Feature vectors: what descriptors say of a picture, one behind the other."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from realart import inference
from realart.inference import Run
from realart.params import NetworkFeatures

ROWS = "vectors-{}.npy"
"""What each descriptor says of all rows, in the order that a recipe names them."""

SQUARES = 32
"""How many a network sees at once: more take more memory and no less time."""

NETWORK = "describer-{}"
"""What the network of each descriptor is kept as."""

Parts = Mapping[str, Any]
"""What is seen of a picture, `inputs.Input.parts`: descriptors by their names."""
Networks = Mapping[str, Run]
"""By the names of their descriptors: squares, uint8 (n, size, size, 3), in, vectors (n, d) out."""


def networks(parts: Parts, folder: Path) -> Networks:
    """Return the networks of descriptors that are kept in `folder`."""
    return {name: inference.kept(folder, NETWORK.format(name)) for name in _names(parts)}


def copy(parts: Parts, source: Path, target: Path) -> None:
    """Copy the files of the networks."""
    for name in _names(parts):
        for file in (inference.GRAPH, inference.WEIGHTS):
            file = file.format(NETWORK.format(name))
            shutil.copyfile(source / file, target / file)


def describe(
    batch: tuple[NDArray[Any], ...], parts: Parts, networks: Networks
) -> NDArray[np.float32]:
    """Return the vectors of what is seen of n pictures by `parts`: float32, shape (n, d).

    What a network says of several views of a picture is averaged.
    """
    vectors = []
    for (name, part), array in zip(parts.items(), batch, strict=True):
        vectors.append(
            _averaged(networks[name], array) if isinstance(part, NetworkFeatures) else array
        )
    return np.concatenate(vectors, axis=1)


def _averaged(network: Run, squares: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the mean vector of the views of each picture, uint8 (n, views, size, size, 3)."""
    flat = squares.reshape(-1, *squares.shape[2:])
    said = [network(flat[i : i + SQUARES])[0] for i in range(0, len(flat), SQUARES)]
    return np.concatenate(said).reshape(*squares.shape[:2], -1).mean(axis=1)


def _names(parts: Parts) -> list[str]:
    return [name for name, part in parts.items() if isinstance(part, NetworkFeatures)]


def rows(folder: Path) -> list[NDArray[np.float32]]:
    """Return what each descriptor said of all rows, float32 (n, d) each, memory-mapped."""
    count = len(list(folder.glob(ROWS.format("*"))))
    return [np.load(folder / ROWS.format(number), mmap_mode="r") for number in range(count)]
