"""Compute the training input of a recipe for every row: once, for all folds and epochs.

It is pixels; where a backbone is frozen, the activations of its frozen part; or feature vectors.
"""

import sys
from collections.abc import Iterator, Sequence
from functools import partial, singledispatch
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from realart.core import paths
from realart.core.errors import RealartError
from realart.core.outputs import array_file, write_json
from realart.core.parallel import batches, map_parallel
from realart.features import feature_store, preprocessing, vectors
from realart.features.preprocessing import InputSpec, ModelInput
from realart.networks import openvino_runtime
from realart.networks.openvino_runtime import UnsupportedError
from realart.params import Params, PixelInput, VectorInput

SPEC = "input.json"
BATCH = 32
FROZEN = "frozen"
"""File name of the frozen part of a backbone, while it is run."""


def write(params: Params, rows: pd.DataFrame, folder: Path) -> str:
    """Write the training input of the chosen recipe into `folder`, and its `InputSpec`.

    Parameters
    ----------
    rows
        Columns `tables.ROWS`, of pictures below data/.

    Returns
    -------
    str
        A summary for the user.

    Raises
    ------
    RealartError
        A backbone, encoder, layer or family that there is not, weights that can't be had, or
        numbers that are not finite.
    """
    spec = preprocessing.input_spec(params)
    write_json(spec.model_dump(), folder / SPEC)
    return _write(
        params.recipe.sees, params, spec, preprocessing.files(rows, paths.DATA, spec), folder
    )


def read_spec(folder: Path) -> InputSpec:
    """Read the `InputSpec` of the training input in `folder`."""
    return InputSpec.model_validate_json((folder / SPEC).read_text("utf-8"))


@singledispatch
def _write(
    sees: PixelInput | VectorInput,
    params: Params,
    spec: InputSpec,
    files: Sequence[Path],
    folder: Path,
) -> str:
    raise NotImplementedError(f"no way to write the input {type(sees).__name__}")


@_write.register
def _(
    sees: PixelInput, params: Params, spec: InputSpec, files: Sequence[Path], folder: Path
) -> str:
    summary = f"{sees.size}x{sees.size} px, {'ELA' if spec.ela else 'RGB'}"
    if sees.backbone:
        from realart.features import frozen_backbone  # Keras takes seconds to import

        name, budget = sees.backbone.name, params.features.gigabytes
        backbone = frozen_backbone.save_backbone(sees, params.train.precision, folder)
        frozen = frozen_backbone.frozen_part(sees, backbone)
        size = frozen_backbone.gigabytes(frozen, len(files)) if frozen else 0.0
        if frozen and size <= budget:
            activations = _activations(frozen, spec, files, folder)
            frozen_backbone.write(frozen, activations, len(files), folder)
            return f"{summary}; the frozen part of {name} computed once, {size:.2g} GB"
        if frozen:
            reason = f"its frozen part would take {size:.2g} GB, features.gigabytes is {budget:g}"
        else:
            reason = "its input is augmented" if sees.augment else "nothing of it is frozen"
        summary += f"; {name} is trained from pixels: {reason}"
    with array_file(
        folder / feature_store.PIXELS, "uint8", (len(files), sees.size, sees.size, 3)
    ) as append:
        for (pixels,) in _inputs("features", spec, files):
            append(pixels)
    return summary


@_write.register
def _(
    sees: VectorInput, params: Params, spec: InputSpec, files: Sequence[Path], folder: Path
) -> str:
    networks = vectors.save_networks(spec.parts, folder)
    widths = {}
    for number, (name, part) in enumerate(spec.parts.items()):
        own_spec = spec.model_copy(update={"parts": {name: part}})
        blocks: Iterator[vectors.FeatureVectors]
        if name in networks:
            inputs = _inputs(name, own_spec, files)
            blocks = (vectors.extract(batch, own_spec.parts, networks) for batch in inputs)
        else:
            blocks = map_parallel(partial(extract_file, folder, own_spec), files, name, "row")
        file = folder / vectors.ROWS.format(number)
        widths[name] = _write_vectors(name, blocks, files, file)
    return "vectors: " + ", ".join(f"{width} numbers by {name}" for name, width in widths.items())


def extract_file(folder: Path, spec: InputSpec, file: Path) -> vectors.FeatureVectors:
    """Compute the feature vector of a stored picture: float32, shape (1, d).

    `folder` holds the networks of descriptors, which are loaded once in each process.
    """
    batch = preprocessing.stack([preprocessing.from_stored(file, spec)])
    return vectors.extract(batch, spec.parts, vectors.load_networks(spec.parts, folder))


def _inputs(title: str, spec: InputSpec, files: Sequence[Path]) -> Iterator[ModelInput]:
    """Yield the input of stored files, a batch at a time, with a progress bar."""
    prepare = partial(preprocessing.from_stored, spec=spec)
    return (preprocessing.stack(batch) for batch in batches(prepare, files, BATCH, title, "row"))


def _activations(
    model: Any, spec: InputSpec, files: Sequence[Path], folder: Path
) -> Iterator[Sequence[NDArray[Any]]]:
    """Yield the outputs of a Keras model for stored files, some rows at a time, the fastest way."""
    with TemporaryDirectory(dir=folder) as temporary:
        if _exported(model, Path(temporary)):
            yield from map_parallel(
                partial(_run_exported, Path(temporary), spec), files, "features", "row"
            )
        else:
            run = openvino_runtime.keras_inference(model)
            yield from (run(batch) for (batch,) in _inputs("features", spec, files))


def _exported(model: Any, folder: Path) -> bool:
    """Write a Keras model for OpenVINO, if that is the fastest way to run it here."""
    from realart.networks import backend

    if backend.has_accelerator():
        return False
    try:
        openvino_runtime.export(model, folder, FROZEN)
    except UnsupportedError as error:
        print(f"features: {error}; Keras runs it", file=sys.stderr)
        return False
    return True


def _run_exported(folder: Path, spec: InputSpec, file: Path) -> Sequence[NDArray[Any]]:
    (pixels,) = preprocessing.from_stored(file, spec)
    return openvino_runtime.load_cached(folder, FROZEN)(pixels[None])


def _write_vectors(
    name: str, blocks: Iterator[vectors.FeatureVectors], pictures: Sequence[Path], file: Path
) -> int:
    """Write the vectors of all pictures, a block at a time; return their length."""
    first, written = next(blocks), 0
    with array_file(file, "float32", (len(pictures), first.shape[1])) as append:
        for block in chain([first], blocks):
            if not (finite := np.isfinite(block).all(axis=1)).all():
                picture = pictures[written + int(np.argmin(finite))]
                raise RealartError(
                    f"descriptor '{name}' has features of {picture} that are not finite: choose "
                    "other layers, or remove it"
                )
            append(block)
            written += len(block)
    return first.shape[1]
