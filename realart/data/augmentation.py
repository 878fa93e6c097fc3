"""Augmented copies of pictures: rotated, zoomed, brightened, flipped, and perhaps perturbed.

A copy is made of the published pixels and shrunk afterwards, which hides that it was interpolated,
if the interpolation keeps the frequencies that outlive the shrink: Lanczos does, bicubic does not.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from PIL import Image

from realart.core.parallel import map_parallel
from realart.data import archive, decoding, pictures, raw
from realart.data.archive import ArchiveMember
from realart.data.perturbations import Change
from realart.data.pictures import Pixels
from realart.params import Clean


@dataclass(frozen=True)
class Operation:
    """The augmentation that makes a copy: rotation, zoom, brightness, flips, then `changes`.

    `rotation` is in degrees, `zoom` and `brightness` are factors.
    """

    rotation: float = 0.0
    zoom: float = 1.0
    brightness: float = 1.0
    horizontal_flip: bool = False
    vertical_flip: bool = False
    changes: tuple[Change, ...] = ()

    def __str__(self) -> str:
        return json.dumps(asdict(self), separators=(",", ":"))

    @classmethod
    def parse(cls, text: str) -> "Operation":
        """Parse the JSON that `str` returns."""
        values = json.loads(text)
        changes = tuple(Change(**change) for change in values["changes"])
        return cls(**{**values, "changes": changes})


def write_copies(
    copies: pd.DataFrame, archives: Mapping[str, Path], folder: Path, clean: Clean
) -> None:
    """Make each augmented copy from its published file, and write it in canonical form.

    Parameters
    ----------
    copies
        Columns set, path, bytes and id (of the published file of the source), operation and file.
    archives
        The published zip archive of each set.
    folder
        Where to write the copies.
    clean
        The params of the canonical form.
    """
    files = [folder / Path(file).name for file in copies["file"]]
    items = list(zip(raw.members(copies, archives), copies["operation"], files, strict=True))
    for _ in map_parallel(partial(_write_copy, clean), items, "balance", "file"):
        pass


def _write_copy(clean: Clean, item: tuple[ArchiveMember, str, Path]) -> None:
    member, operation, file = item
    image, _ = decoding.decode(archive.read(*member), clean.max_pixels)
    copied = apply(image, Operation.parse(operation))
    file.write_bytes(pictures.canonical(copied, clean))


def apply(image: Image.Image, operation: Operation) -> Image.Image:
    """Apply an operation to an RGB image; its changes may alter the size."""
    copied = Image.fromarray(augment(np.asarray(image), operation))
    for change in operation.changes:
        copied = change(copied)
    return copied


def augment(pixels: Pixels, operation: Operation) -> Pixels:
    """Flip, rotate, zoom and brighten uint8 `pixels`, shape (height, width, 3), as in `operation`.

    The result has the same shape; beyond its border the picture is mirrored.
    """
    height, width = pixels.shape[:2]
    matrix = cv2.getRotationMatrix2D(
        ((width - 1) / 2, (height - 1) / 2), operation.rotation, operation.zoom
    )
    if operation.horizontal_flip:
        pixels = pixels[:, ::-1]
    if operation.vertical_flip:
        pixels = pixels[::-1]
    warped = cv2.warpAffine(
        np.ascontiguousarray(pixels),
        matrix,
        (width, height),
        flags=cv2.INTER_LANCZOS4,
        borderMode=cv2.BORDER_REFLECT_101 if min(height, width) > 1 else cv2.BORDER_REPLICATE,
    )
    levels = np.clip(np.arange(256) * operation.brightness, 0, 255).round().astype(np.uint8)
    return levels[warped]
