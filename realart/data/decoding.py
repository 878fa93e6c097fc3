"""Decoding of pictures: orientation applied, colours in sRGB, transparency laid on white.

A decoded picture is a Pillow image of mode RGB.
"""

import sys

from PIL import AvifImagePlugin, Image, ImageOps
from PIL.TiffImagePlugin import TILELENGTH, TILEWIDTH

from realart.data import avif, colours, decoder_messages, formats, headers
from realart.data.formats import DECODER_ERRORS
from realart.data.formats import UnusableFileError as UnusableFileError
from realart.data.headers import Header
from realart.data.limits import within_limits

BYTES_A_PIXEL = 4
"""Most bytes of a published file for each of `max_pixels`: as many as its picture in memory."""

AvifImagePlugin.DEFAULT_MAX_THREADS = 1  # each takes memory, and processes use all cores
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
    _require_side(*image.size, min_side)
    return image, header


def decode_within_limits(
    data: bytes, max_pixels: int, min_side: int = 1
) -> tuple[Image.Image, Header]:
    """Decode a file as `decode` does, in a process of its own: see `limits.within_limits`."""
    return within_limits(max_pixels, decode, data, max_pixels, min_side)


def from_image(image: Image.Image, max_pixels: int, min_side: int = 1) -> Image.Image:
    """Return a Pillow image in memory as `decode` returns the picture of a file; it is not changed.

    Raises
    ------
    UnusableFileError
        With the reason `too small`, `too large`, `unsupported` or, of a file that Pillow has opened
        and not yet decoded, `corrupt`.
    """
    _require_pixels(*image.size, max_pixels)
    _require_side(*image.size, min_side)
    with decoder_messages.collect() as messages:
        try:
            copy = image.copy()
            ImageOps.exif_transpose(copy, in_place=True)
            return colours.to_srgb(copy, 16 if copy.mode.startswith("I;16") else 8)
        except DECODER_ERRORS as error:
            raise formats.unusable_file_error(error, messages) from error


def read(data: bytes) -> Image.Image:
    """Decode a file that this project stored, of whatever size its params allowed."""
    return decode(data, max_pixels=sys.maxsize)[0]


def _decode(data: bytes, max_pixels: int) -> tuple[Image.Image, Header]:
    opened = formats.open_picture(data)
    _require_pixels(*opened.size, max_pixels)
    if (tile := _tile_pixels(opened)) > max_pixels:
        raise UnusableFileError("too large", f"a tile of {tile} pixels, at most {max_pixels}")
    header, bits = headers.read(opened), colours.sample_bits(opened)
    opened.load()
    box = avif.crop_box(data, opened.size) if opened.format == "AVIF" else None
    image = opened.crop(box) if box else opened
    ImageOps.exif_transpose(image, in_place=True)
    return colours.to_srgb(image, bits), header


def _require_pixels(width: int, height: int, max_pixels: int) -> None:
    if width * height > max_pixels:
        raise UnusableFileError("too large", f"{width}x{height}, at most {max_pixels} pixels")


def _require_side(width: int, height: int, min_side: int) -> None:
    if min(width, height) < min_side:
        raise UnusableFileError("too small", f"{width}x{height}, at least {min_side} a side")


def _tile_pixels(image: Image.Image) -> int:
    """Return the pixels of a TIFF's tile, which its decoder holds in memory as a whole."""
    tags = getattr(image, "tag_v2", {})
    return int(tags.get(TILEWIDTH, 0)) * int(tags.get(TILELENGTH, 0))
