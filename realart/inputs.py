"""From a picture to what a network sees: one path, for training and for `predict`."""

from pathlib import Path

import pandas as pd

from realart import ela, pictures
from realart.params import Clean, Ela, Params, Strict
from realart.pictures import Pixels


class Input(Strict):
    """All that decides what a network sees of a published picture; kept beside every model.

    `ela` is None where the network reads RGB.
    """

    size: int
    shape: str
    clean: Clean
    ela: Ela | None


def spec(params: Params) -> Input:
    """Return what the chosen recipe sees."""
    recipe = params.recipe
    return Input(
        size=recipe.size,
        shape=recipe.shape,
        clean=params.clean,
        ela=params.ela if recipe.input == "ela" else None,
    )


def from_published(data: bytes, seen: Input) -> Pixels:
    """Return what a network sees of a published file: uint8, shape (size, size, 3).

    Raises
    ------
    UnusableError
        The file can't become a picture.
    """
    image, _ = pictures.decode(data, seen.clean.max_pixels, seen.clean.min_side)
    image = pictures.read(pictures.stored(data, image, seen.clean))
    if seen.ela:
        image = ela.stored_map(image, seen.ela)
    return pictures.square(image, seen.size, seen.shape)


def from_stored(file: Path, seen: Input) -> Pixels:
    """Return the same of a stored picture or ELA map."""
    return pictures.square(pictures.read(file.read_bytes()), seen.size, seen.shape)


def files(rows: pd.DataFrame, data: Path, seen: Input) -> list[Path]:
    """List the file that a network sees for each row (columns `tables.ROWS`)."""
    if seen.ela:
        return [data / ela.FOLDER / f"{row}.png" for row in rows["row"]]
    return [data / file for file in rows["file"]]
