"""Contact sheets: some pictures of each class side by side, for visual inspection."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from realart.core.outputs import fresh_file
from realart.data import decoding, pictures

Item = TypeVar("Item")

TILE = 132
GAP = 6
TITLE = 26


def draw_sheet(rows: Mapping[str, Sequence[Path]], path: Path, per_row: int = 10) -> None:
    """Write a JPEG with a row for each title: the first `per_row` of its pictures."""
    width = GAP + per_row * (TILE + GAP)
    height = max(1, len(rows)) * (TITLE + TILE + GAP)
    canvas = Image.new("RGB", (width, height), "white")
    draw = ImageDraw.Draw(canvas)
    for number, (title, files) in enumerate(rows.items()):
        top = number * (TITLE + TILE + GAP)
        draw.text((GAP, top + 5), title, "black", ImageFont.load_default(15))
        for column, file in enumerate(files[:per_row]):
            canvas.paste(_tile(file), (GAP + column * (TILE + GAP), top + TITLE))
    with fresh_file(path) as beside:
        canvas.save(beside, "JPEG", quality=88)


def evenly_spaced(items: Sequence[Item], count: int = 10) -> list[Item]:
    """Return `count` of `items`, or all if they are fewer, evenly spaced over their order."""
    chosen = np.linspace(0, len(items) - 1, min(count, len(items))).round().astype(int)
    return [items[i] for i in chosen]


def _tile(file: Path) -> Image.Image:
    return Image.fromarray(pictures.square(decoding.read(file.read_bytes()), TILE, "pad"))
