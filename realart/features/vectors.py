"""Feature vectors: the numbers of each descriptor of a recipe, concatenated."""

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from realart.core import damage, paths, tables
from realart.core.errors import RealartError
from realart.networks import openvino_runtime
from realart.networks.openvino_runtime import InferenceFunction
from realart.params import ForensicFeatures, KerasFeatures, OnnxFeatures

ROWS = "vectors-{}.npy"
"""File name of a descriptor's vectors of all rows, by its number in the recipe."""

RESTORE = f"`dvc checkout --force {paths.FEATURES}`"
"""What brings back what the stage `features` wrote."""

SQUARES = 32
"""Squares in a batch of a network: more take more memory and no less time."""

NETWORK = "describer-{}"
"""File name of the network of a descriptor, by its name."""

FeatureVectors = NDArray[np.float32]
"""Shape (n, d)."""
Descriptors = Mapping[str, Any]
"""The descriptors of a recipe by their names, in its order: `preprocessing.InputSpec.parts`."""
Networks = Mapping[str, InferenceFunction]
"""Networks by the names of their descriptors: squares, uint8 (n, size, size, 3), to (n, d)."""


def save_networks(parts: Descriptors, folder: Path) -> Networks:
    """Build the networks of descriptors, and write them into `folder` for `load_networks`.

    Returns
    -------
    Networks
        Those that Keras runs, where it has an accelerator.

    Raises
    ------
    RealartError
        A backbone, encoder or layer does not exist, or weights can't be loaded.
    """
    built = {name: _BUILDERS[type(part)](name, part, folder) for name, part in parts.items()}
    return {name: network for name, network in built.items() if network}


def _save_keras(name: str, part: KerasFeatures, folder: Path) -> InferenceFunction | None:
    from realart.features import feature_extractors  # Keras takes seconds to import

    return feature_extractors.save_network(part, folder, NETWORK.format(name))


def _save_onnx(name: str, part: OnnxFeatures, folder: Path) -> None:
    from realart.features import onnx_encoders

    onnx_encoders.save_network(name, part, folder, NETWORK.format(name))


_BUILDERS: dict[type, Callable[[str, Any, Path], InferenceFunction | None]] = {
    KerasFeatures: _save_keras,
    OnnxFeatures: _save_onnx,
    ForensicFeatures: lambda name, part, folder: None,
}


def load_networks(parts: Descriptors, folder: Path) -> Networks:
    """Load the networks of descriptors from `folder`, once in each process."""
    return {
        name: openvino_runtime.load_cached(folder, NETWORK.format(name))
        for name in _with_network(parts)
    }


def copy_networks(parts: Descriptors, source: Path, target: Path) -> None:
    """Copy the files of the networks of descriptors from one folder to another."""
    for name in _with_network(parts):
        for file in (openvino_runtime.GRAPH, openvino_runtime.WEIGHTS):
            file = file.format(NETWORK.format(name))
            shutil.copyfile(source / file, target / file)


def extract(
    batch: tuple[NDArray[Any], ...], parts: Descriptors, networks: Networks
) -> FeatureVectors:
    """Compute the feature vectors of n pictures.

    Parameters
    ----------
    batch
        A `preprocessing.ModelInput` of n pictures, an array for each of `parts`.
    networks
        The networks of those descriptors that have one.

    Returns
    -------
    FeatureVectors
        float32, shape (n, d); those of several views of a picture are averaged.
    """
    vectors = [
        _mean_over_views(networks[name], array) if part.has_network else array
        for (name, part), array in zip(parts.items(), batch, strict=True)
    ]
    return np.concatenate(vectors, axis=1)


def read(folder: Path) -> list[FeatureVectors]:
    """Read each descriptor's vectors of all rows, memory-mapped; without files, an empty list."""
    count = len(list(folder.glob(ROWS.format("*"))))
    return [read_array(folder / ROWS.format(number)) for number in range(count)]


def read_array(file: Path) -> NDArray[Any]:
    """Read an array of the stage `features`, memory-mapped.

    Raises
    ------
    RealartError
        The file is damaged.
    """
    with damage.named(file, RESTORE):
        return np.load(file, mmap_mode="r")


def require_finite(folder: Path, rows: Path) -> None:
    """Check that the vectors of all rows are finite; `rows` is a table with `tables.ROWS`.

    Raises
    ------
    RealartError
        A feature is not finite; the message names the file and the picture.
    """
    for number, block in enumerate(read(folder)):
        finite = np.isfinite(block.min(axis=1)) & np.isfinite(block.max(axis=1))
        if not finite.all():
            picture = tables.read(rows, tables.ROWS)["file"].iloc[int(np.argmin(finite))]
            raise RealartError(
                f"{folder / ROWS.format(number)} has a feature of {paths.DATA / picture} that is "
                f"not finite: {RESTORE}"
            )


def _mean_over_views(network: InferenceFunction, squares: NDArray[np.uint8]) -> FeatureVectors:
    """Compute the mean vector, (n, d), of the views of pictures, (n, views, size, size, 3)."""
    flat = squares.reshape(-1, *squares.shape[2:])
    blocks = [network(flat[i : i + SQUARES])[0] for i in range(0, len(flat), SQUARES)]
    return np.concatenate(blocks).reshape(*squares.shape[:2], -1).mean(axis=1)


def _with_network(parts: Descriptors) -> list[str]:
    return [name for name, part in parts.items() if part.has_network]
