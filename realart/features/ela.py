"""Error level analysis (ELA): the difference that a second JPEG save makes.

The method is Krawetz, "A Picture's Worth: Digital Image Analysis and Forensics", 2007; saving in
memory and scaling by the maximum is what the well-known ELA notebooks do.
"""

from functools import partial
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
import pandas as pd
from PIL import Image

from realart.core.parallel import map_parallel
from realart.data import decoding
from realart.data.pictures import Pixels, limit_size
from realart.params import Ela

FOLDER = "ela/maps"
"""Folder of ELA maps below data/; the files are named by rows."""


def write_maps(rows: pd.DataFrame, data: Path, folder: Path, ela: Ela) -> list[float]:
    """Write the ELA map of each row into `folder`, as `<row>.png`.

    Parameters
    ----------
    rows
        Columns `tables.ROWS`, of pictures stored below `data`.

    Returns
    -------
    list
        The mean level of each map, 0 to 255.
    """
    items = [
        (data / file, folder / f"{row}.png")
        for row, file in zip(rows["row"], rows["file"], strict=True)
    ]
    return list(map_parallel(partial(_write_map, ela), items, "ela", "map"))


def _write_map(ela: Ela, item: tuple[Path, Path]) -> float:
    picture, file = item
    level = stored_map(decoding.read(picture.read_bytes()), ela)
    file.write_bytes(encode(level))
    return float(np.asarray(level).mean())


def stored_map(image: Image.Image, ela: Ela) -> Image.Image:
    """Compute the ELA map of a canonical picture, its long side bounded to `ela.long_side`."""
    level = error_level(np.asarray(image), ela.quality, ela.scale)
    return limit_size(Image.fromarray(level), ela.long_side)


def encode(level: Image.Image) -> bytes:
    """Encode a map as PNG without row filters and by run lengths.

    Neither filters nor a search for repeats gains anything on such maps: this takes a quarter of
    the time of Pillow's fastest level, and is a few percent smaller.
    """
    bgr = cv2.cvtColor(np.asarray(level), cv2.COLOR_RGB2BGR)
    filtering = [cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FILTER_NONE]
    packing = [cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_RLE]
    return cv2.imencode(".png", bgr, [*filtering, *packing])[1].tobytes()


def error_level(pixels: Pixels, quality: int, scale: Literal["max"] | float) -> Pixels:
    """Compute the ELA map of an RGB picture: uint8, of its shape.

    Parameters
    ----------
    quality
        JPEG quality of the second save, 1 to 100. At the quality that the picture was saved with
        before, almost nothing changes and the map is blank.
    scale
        `max` stretches each picture's largest difference to 255; a factor multiplies, and so
        keeps the absolute error comparable between pictures.
    """
    bgr = cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR)
    _, saved = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])
    decoded = cv2.imdecode(saved, cv2.IMREAD_COLOR)
    assert decoded is not None  # it was encoded a line above
    difference = cv2.absdiff(bgr, decoded)
    factor = 255 / max(1, int(difference.max())) if scale == "max" else scale
    scaled = np.clip(np.arange(256) * factor, 0, 255).round().astype(np.uint8)
    return cv2.cvtColor(scaled[difference], cv2.COLOR_BGR2RGB)
