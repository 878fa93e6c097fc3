"""From a picture to what a recipe sees of it: one path, for training and for `predict`."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image

from realart import archive, ela, forensic, pictures
from realart.archive import Member
from realart.params import (
    Clean,
    Ela,
    EncoderFeatures,
    Families,
    Layers,
    NetworkFeatures,
    Params,
    Square,
    Strict,
    Vectors,
)
from realart.views import views

Seen: TypeAlias = tuple[NDArray[Any], ...]
"""An array for each of `Input.parts`: of one picture, or stacked, of a batch.

A square is uint8, shape (size, size, 3); squares for a descriptor's network (views, size, size, 3);
measurements are float32, shape (d,).
"""


class Input(Strict):
    """All that decides what a recipe sees of a published picture; kept beside every model.

    `ela` is None where it sees RGB.
    """

    parts: dict[str, Square | Layers | EncoderFeatures | Families]
    clean: Clean
    ela: Ela | None


def spec(params: Params) -> Input:
    """Return what the chosen recipe sees."""
    sees = params.recipe.sees
    if isinstance(sees, Vectors):
        return Input(parts={**params.described}, clean=params.clean, ela=None)
    of_ela = params.ela if sees.input == "ela" else None
    return Input(parts={"pixels": sees}, clean=params.clean, ela=of_ela)


def from_published(data: bytes, seen: Input) -> Seen:
    """Return what is seen of a published file.

    Raises
    ------
    UnusableError
        The file can't become a picture.
    """
    return from_canonical(canonical(data, seen.clean), seen)


def of_member(seen: Input, member: Member) -> Sequence[Seen]:
    """Return the one look at a published file."""
    return [from_published(archive.read(*member), seen)]


def from_decoded(data: bytes, image: Image.Image, seen: Input) -> Seen:
    """Return the same of a published file, given its bytes and what they show."""
    return from_canonical(pictures.read(pictures.stored(data, image, seen.clean)), seen)


def canonical(data: bytes, clean: Clean) -> Image.Image:
    """Return the canonical picture of a published file.

    Raises
    ------
    UnusableError
        The file can't become a picture.
    """
    image, _ = pictures.decode(data, clean.max_pixels, clean.min_side)
    return pictures.read(pictures.stored(data, image, clean))


def from_pixels(image: Image.Image, seen: Input) -> Seen:
    """Return the same of a picture that was published without losses."""
    return from_canonical(pictures.read(pictures.canonical(image, seen.clean)), seen)


def from_canonical(image: Image.Image, seen: Input) -> Seen:
    """Return the same of a canonical picture, as `canonical` returns it."""
    return _look(ela.stored_map(image, seen.ela) if seen.ela else image, seen)


def from_stored(file: Path, seen: Input) -> Seen:
    """Return the same of a stored picture or ELA map."""
    return _look(pictures.read(file.read_bytes()), seen)


def stack(batch: Sequence[Seen]) -> Seen:
    """Return what is seen of several pictures as one."""
    return tuple(np.stack(part) for part in zip(*batch, strict=True))


def files(rows: pd.DataFrame, data: Path, seen: Input) -> list[Path]:
    """List the file that is looked at for each row (columns `tables.ROWS`)."""
    if seen.ela:
        return [data / ela.FOLDER / f"{row}.png" for row in rows["row"]]
    return [data / file for file in rows["file"]]


def _look(image: Image.Image, seen: Input) -> Seen:
    return tuple(_part(image, part) for part in seen.parts.values())


def _part(image: Image.Image, part: Square | NetworkFeatures | Families) -> NDArray[Any]:
    if isinstance(part, Families):
        return forensic.measure(np.asarray(image), part.families)
    if isinstance(part, Square):
        return pictures.square(image, part.size, part.shape)
    return views(image, part.size, part.shape, part.views, part.resample)
