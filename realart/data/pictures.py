"""The canonical form of pictures, and their resizing to a square.

A picture is a Pillow image of mode RGB, in sRGB, as `decoding` returns it. Resampling and JPEG
encoding are Pillow's: its resampling is fixed-point arithmetic, so that canonical pictures have the
same bytes on any machine with the locked packages.
"""

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from realart.params import Clean, Resample

Pixels = NDArray[np.uint8]
"""An RGB picture: uint8, shape (height, width, 3), sRGB."""


def canonical(image: Image.Image, clean: Clean) -> bytes:
    """Return the file of a picture in canonical form: shrunk, and encoded alike for all.

    With `encoding: original` the published pixels are encoded without loss instead.
    """
    if clean.encoding == "original":
        return encode(image, clean)
    shrunk = max(1, round(clean.shrink * max(image.size)))
    return encode(limit_size(image, min(clean.long_side, shrunk)), clean)


def limit_size(image: Image.Image, long_side: int) -> Image.Image:
    """Shrink a picture whose longer side is above `long_side` pixels, keeping its aspect."""
    if max(image.size) <= long_side:
        return image
    scale = long_side / max(image.size)
    width, height = (max(1, round(side * scale)) for side in image.size)
    return image.resize((width, height), Image.Resampling.BICUBIC, reducing_gap=3.0)


def suffix(clean: Clean) -> str:
    """Return the suffix of files that `encode` makes: `.png` or `.jpg`."""
    return ".png" if clean.encoding == "original" else ".jpg"


def stored(data: bytes, image: Image.Image, clean: Clean) -> bytes:
    """Return the file that `clean` stores for a published one, from its bytes and its picture."""
    return data if clean.encoding == "original" else canonical(image, clean)


def encode(image: Image.Image, clean: Clean) -> bytes:
    """Encode a picture for storage: JPEG (4:2:0), or PNG with `encoding: original`."""
    buffer = io.BytesIO()
    if clean.encoding == "original":
        image.save(buffer, "PNG", compress_level=1)
    else:
        image.save(buffer, "JPEG", quality=clean.quality, subsampling=2)
    return buffer.getvalue()


def square(image: Image.Image, size: int, shape: str, resample: Resample = "bicubic") -> Pixels:
    """Resize a picture to a square, uint8, shape (size, size, 3).

    Parameters
    ----------
    image
        An RGB picture.
    size
        Pixels of a side.
    shape
        `squash` changes the aspect, `crop` takes the centre square, `pad` adds grey bars.
    resample
        A filter of Pillow's, widened when it shrinks.
    """
    width, height = image.size
    box: tuple[float, float, float, float] = (0, 0, width, height)
    target = (size, size)
    if shape == "crop":
        side = min(width, height)
        left, top = (width - side) / 2, (height - side) / 2
        box = (left, top, left + side, top + side)
    elif shape == "pad":
        scale = size / max(width, height)
        target = (max(1, round(width * scale)), max(1, round(height * scale)))
    resized = np.asarray(image.resize(target, Image.Resampling[resample.upper()], box))
    if shape != "pad":
        return resized
    padded = np.full((size, size, 3), 128, np.uint8)
    top, left = (size - target[1]) // 2, (size - target[0]) // 2
    padded[top : top + target[1], left : left + target[0]] = resized
    return padded
