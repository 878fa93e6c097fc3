"""Decoding of published pictures, their canonical form, and their resizing to a square.

A decoded picture is a Pillow image of mode RGB, in sRGB: what is done to it here needs no copy.
Resampling and JPEG encoding are Pillow's: its resampling is fixed-point arithmetic, so that
canonical pictures have the same bytes on any machine with the locked packages.
"""

import io
import sys

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps
from PIL.TiffImagePlugin import TILELENGTH, TILEWIDTH

from realart.data import avif, colours, decoder_messages, formats, headers
from realart.data.formats import DECODER_ERRORS
from realart.data.formats import UnusableFileError as UnusableFileError
from realart.data.headers import Header
from realart.params import Clean, Resample

Pixels = NDArray[np.uint8]
"""An RGB picture: uint8, shape (height, width, 3), sRGB."""

BYTES_A_PIXEL = 4
"""Most bytes of a published file for each of `max_pixels`: as many as its picture in memory."""

Image.init()  # else the first picture of a rarer format finds its decoder unregistered


def decode(data: bytes, max_pixels: int, min_side: int = 1) -> tuple[Image.Image, Header]:
    """Decode a file fully, by its content and not by its name.

    The EXIF rotation is applied, the colour profile converted to sRGB, transparency laid on white.

    Parameters
    ----------
    data
        The bytes of the file.
    max_pixels, min_side
        The most pixels, and the fewest of a side, that a picture may have.

    Raises
    ------
    UnusableFileError
        With the reason `empty`, `not a picture`, `corrupt`, `animated`, `too small`, `too large`
        or `unsupported`; the detail has the decoder's message.
    """
    if not data:
        raise UnusableFileError("empty")
    with decoder_messages.collect() as messages:
        try:
            image, header = _decode(data, max_pixels)
        except DECODER_ERRORS as error:
            raise formats.unusable_file_error(error, messages) from error
    if min(image.size) < min_side:
        raise UnusableFileError(
            "too small", f"{header.width}x{header.height}, at least {min_side} a side"
        )
    return image, header


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


def read(data: bytes) -> Image.Image:
    """Decode a file that this project stored, of whatever size its params allowed."""
    return decode(data, max_pixels=sys.maxsize)[0]


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


def _decode(data: bytes, max_pixels: int) -> tuple[Image.Image, Header]:
    opened = formats.open_picture(data)
    width, height = opened.size
    if width * height > max_pixels:
        raise UnusableFileError("too large", f"{width}x{height}, at most {max_pixels} pixels")
    if (tile := _tile_pixels(opened)) > max_pixels:
        raise UnusableFileError("too large", f"a tile of {tile} pixels, at most {max_pixels}")
    header, bits = headers.read(opened), colours.sample_bits(opened)
    opened.load()
    box = avif.crop_box(data, opened.size) if opened.format == "AVIF" else None
    image = opened.crop(box) if box else opened
    ImageOps.exif_transpose(image, in_place=True)
    return colours.to_srgb(image, bits), header


def _tile_pixels(image: Image.Image) -> int:
    """Return the pixels of a TIFF's tile, which its decoder holds in memory as a whole."""
    tags = getattr(image, "tag_v2", {})
    return int(tags.get(TILEWIDTH, 0)) * int(tags.get(TILELENGTH, 0))
