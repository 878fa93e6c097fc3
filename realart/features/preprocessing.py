"""The input of a recipe for a picture: one path, in training and for new pictures."""

from collections.abc import Sequence
from functools import singledispatch
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image

from realart.data import archive, decoding, pictures
from realart.data.archive import ArchiveMember
from realart.features import ela, forensic
from realart.features.views import views
from realart.params import (
    Clean,
    Ela,
    ForensicFeatures,
    KerasFeatures,
    NetworkFeatures,
    OnnxFeatures,
    Params,
    PixelInput,
    Strict,
)

ModelInput: TypeAlias = tuple[NDArray[Any], ...]
"""The input of a recipe for one picture or, stacked, for a batch: an array for each of its parts.

Pixels are uint8, shape (size, size, 3); squares for the network of a descriptor uint8, shape
(views, size, size, 3); forensic features float32, shape (d,).
"""


class InputSpec(Strict):
    """All that decides the input of a recipe for a published file; stored with each model.

    Attributes
    ----------
    parts
        Pixels, or descriptors by their names.
    clean
        How pictures are brought into canonical form.
    ela
        How ELA maps are computed, where the input is one; else None.
    """

    parts: dict[str, PixelInput | KerasFeatures | OnnxFeatures | ForensicFeatures]
    clean: Clean
    ela: Ela | None


def input_spec(params: Params) -> InputSpec:
    """Return the `InputSpec` of the chosen recipe."""
    sees = params.recipe.sees
    ela = params.ela if sees.of_ela else None
    parts: dict[str, Any] = {**params.recipe_descriptors} or {"pixels": sees}
    return InputSpec(parts=parts, clean=params.clean, ela=ela)


def from_published(data: bytes, spec: InputSpec) -> ModelInput:
    """Compute the input for the bytes of a published file.

    Raises
    ------
    UnusableFileError
        The file can't be decoded, or is rejected as `clean` rejects it.
    """
    return from_canonical(canonical(data, spec.clean), spec)


def from_member(spec: InputSpec, member: ArchiveMember) -> Sequence[ModelInput]:
    """Compute the input for a published file in a zip archive, as a list of one.

    Raises
    ------
    UnusableFileError
        The file can't be decoded, or is rejected as `clean` rejects it.
    """
    return [from_published(archive.read(*member), spec)]


def from_decoded(data: bytes, image: Image.Image, spec: InputSpec) -> ModelInput:
    """Compute the input for a published file, given its bytes and the RGB picture in them."""
    return from_canonical(canonical_of(data, image, spec.clean), spec)


def canonical(data: bytes, clean: Clean) -> Image.Image:
    """Decode the bytes of a published file to an RGB picture in canonical form.

    Raises
    ------
    UnusableFileError
        The file can't be decoded, or is rejected as `clean` rejects it.
    """
    image, _ = decoding.decode(data, clean.max_pixels, clean.min_side)
    return canonical_of(data, image, clean)


def canonical_of(data: bytes, image: Image.Image, clean: Clean) -> Image.Image:
    """Bring a decoded file, its bytes and the RGB picture in them, into canonical form."""
    return decoding.read(pictures.stored(data, image, clean))


def canonical_pixels(image: Image.Image, clean: Clean) -> Image.Image:
    """Bring an RGB picture into canonical form as if it had been published without losses."""
    return decoding.read(pictures.canonical(image, clean))


def from_pixels(image: Image.Image, spec: InputSpec) -> ModelInput:
    """Compute the input for an RGB picture as if it had been published without losses."""
    return from_canonical(canonical_pixels(image, spec.clean), spec)


def from_canonical(image: Image.Image, spec: InputSpec) -> ModelInput:
    """Compute the input for an RGB picture in canonical form, as `canonical` returns it."""
    return _from_image(ela.stored_map(image, spec.ela) if spec.ela else image, spec)


def from_stored(file: Path, spec: InputSpec) -> ModelInput:
    """Compute the input for a stored file: a picture or, where the input is of ELA, its map."""
    return _from_image(decoding.read(file.read_bytes()), spec)


def stack(batch: Sequence[ModelInput]) -> ModelInput:
    """Stack the inputs of n pictures, part by part: arrays of shape (n, ...)."""
    return tuple(np.stack(part) for part in zip(*batch, strict=True))


def files(rows: pd.DataFrame, data: Path, spec: InputSpec) -> list[Path]:
    """Return the stored file of each row (columns `tables.ROWS`): its picture, or its ELA map.

    Files lie below the folder `data`.
    """
    if spec.ela:
        return [data / ela.FOLDER / f"{row}.png" for row in rows["row"]]
    return [data / file for file in rows["file"]]


def _from_image(image: Image.Image, spec: InputSpec) -> ModelInput:
    return tuple(_prepare(part, image) for part in spec.parts.values())


@singledispatch
def _prepare(part: Any, image: Image.Image) -> NDArray[Any]:
    raise NotImplementedError(f"no input of the type {type(part).__name__}")


@_prepare.register
def _(part: PixelInput, image: Image.Image) -> NDArray[Any]:
    return pictures.square(image, part.size, part.shape)


@_prepare.register
def _(part: NetworkFeatures, image: Image.Image) -> NDArray[Any]:
    return views(image, part.size, part.shape, part.views, part.resample)


@_prepare.register
def _(part: ForensicFeatures, image: Image.Image) -> NDArray[Any]:
    return forensic.measure(np.asarray(image), part.families)
