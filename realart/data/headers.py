"""Headers of picture files: format, size, quantisation tables, metadata flags.

None of it is the picture itself, and much of it may be correlated with the label.
"""

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image, JpegImagePlugin

if TYPE_CHECKING:  # workers that decode pictures start in half the time without it
    import pandas as pd

SUBSAMPLING = {0: "4:4:4", 1: "4:2:2", 2: "4:2:0"}
FIELDS = {
    "quantisation table": ("quality", "luma_table", "chroma_table"),
    "chroma subsampling": ("subsampling",),
    "progressive": ("progressive",),
    "format": ("format",),
    "mode": ("mode",),
    "EXIF": ("exif",),
    "ICC profile": ("icc",),
    "width": ("width",),
    "height": ("height",),
    "aspect": ("aspect",),
    "width and height": ("width", "height", "aspect", "pixels"),
    "bytes": ("bytes",),
    "bits per pixel": ("bits_per_pixel",),
}
"""Columns of `features` by the property of a header that they hold."""

_CATEGORIES = ("format", "mode", "subsampling")

# ITU-T T.81 (1992), annex K, table K.1: the luminance table that JPEG qualities scale.
_LUMA = np.array([
    16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55,
    14, 13, 16, 24, 40, 57, 69, 56, 14, 17, 22, 29, 51, 87, 80, 62,
    18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92,
    49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99,
])  # fmt: skip


@dataclass(frozen=True)
class Header:
    """The header of a picture file.

    `luma_table` and `chroma_table` are sums of quantisation tables; `quality` is that (1 to 100) of
    the reference encoder whose luminance table has the nearest sum. Fields that only JPEG has are 0
    or empty in other formats.
    """

    format: str
    mode: str
    width: int
    height: int
    quality: int = 0
    luma_table: int = 0
    chroma_table: int = 0
    subsampling: str = ""
    progressive: bool = False
    exif: bool = False
    icc: bool = False


def read(image: Image.Image) -> Header:
    """Read the header of an opened picture whose pixels are not loaded yet."""
    sums = [sum(table) for table in getattr(image, "quantization", {}).values()]
    jpeg = isinstance(image, JpegImagePlugin.JpegImageFile)
    return Header(
        format=image.format or "",
        mode=image.mode,
        width=image.width,
        height=image.height,
        quality=quality(sums[0]) if sums else 0,
        luma_table=sums[0] if sums else 0,
        chroma_table=sums[1] if len(sums) > 1 else 0,
        subsampling=SUBSAMPLING.get(JpegImagePlugin.get_sampling(image), "other") if jpeg else "",
        progressive=bool(image.info.get("progressive")),
        exif="exif" in image.info,
        icc=bool(image.info.get("icc_profile")),
    )


def quality(luma_table: int) -> int:
    """Return the quality of the reference encoder whose luminance table has the nearest sum."""
    return int(np.abs(_sums() - luma_table).argmin()) + 1


def features(headers: "pd.DataFrame") -> "pd.DataFrame":
    """Return features of headers for a classifier: the columns that `FIELDS` names.

    Parameters
    ----------
    headers
        The fields of `Header` and `bytes`, a row for each file.

    Returns
    -------
    DataFrame
        Sizes are binary logarithms, so that differences are ratios for a linear model: `aspect` is
        the logarithm of width by height, `bits_per_pixel` that of 8 bytes by pixels.
    """
    sizes = ["width", "height", "bytes"]
    table = headers.copy()
    table[sizes] = np.log2(headers[sizes])
    table["pixels"] = table["width"] + table["height"]
    table["aspect"] = table["width"] - table["height"]
    table["bits_per_pixel"] = table["bytes"] + 3 - table["pixels"]
    columns = list(dict.fromkeys(column for columns in FIELDS.values() for column in columns))
    numbers = [column for column in columns if column not in _CATEGORIES]
    return table[columns].astype(dict.fromkeys(numbers, np.float64))


@cache
def _sums() -> NDArray[np.int64]:
    """Return the sum of the luminance table for each quality from 1 to 100."""
    levels = np.arange(1, 101)
    scales = np.where(levels < 50, 5000 // levels, 200 - 2 * levels)
    tables = np.clip((_LUMA * scales[:, None] + 50) // 100, 1, 255)
    return np.asarray(tables.sum(1), np.int64)
