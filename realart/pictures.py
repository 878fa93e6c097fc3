"""Pictures as published, in canonical form, and as a network's square input. Knows no labels.

A decoded picture is a Pillow image of mode RGB, in sRGB: what is done to it here needs no copy.
Resampling and JPEG encoding are Pillow's: its resampling is fixed-point arithmetic, so that
canonical pictures have the same bytes on any machine with the locked packages.
"""

import io
import struct
import sys
import zlib
from contextlib import suppress
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError
from PIL.TiffImagePlugin import TILELENGTH, TILEWIDTH

from realart import headers
from realart.headers import Header
from realart.params import Clean

Pixels = NDArray[np.uint8]
"""An RGB picture: uint8, shape (height, width, 3), sRGB."""

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF")
STILL_WITH_FRAMES = ("MPO",)  # opened as JPEG: a preview or a second eye, no animation

BYTES_A_PIXEL = 4
"""Of `max_pixels`, the most that a published file may have: as much as its picture in memory."""

# What fuzzing has seen decoders raise on damaged files.
_DECODER_ERRORS = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    EOFError,
    RuntimeError,
    LookupError,
    ArithmeticError,
    struct.error,
    zlib.error,
)
_SRGB = ImageCms.createProfile("sRGB")
_COLOURS = np.mgrid[:256:15, :256:15, :256:15].reshape(3, 18, -1).transpose(1, 2, 0)
Image.init()  # else the first picture of a rarer format finds its decoder unregistered


class UnusableError(Exception):
    """A file that can't become a picture; `reason` is from a closed list, `detail` says more."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = " ".join(detail.split())

    def __str__(self) -> str:
        return f"{self.reason}: {self.detail}" if self.detail else self.reason


def decode(data: bytes, max_pixels: int, min_side: int = 1) -> tuple[Image.Image, Header]:
    """Decode a file fully, by its content and not by its name.

    The EXIF rotation is applied, the colour profile converted to sRGB, transparency laid on white.

    Raises
    ------
    UnusableError
        With the reason `empty`, `not a picture`, `corrupt`, `animated`, `too small`, `too large`
        or `unsupported`.
    """
    if not data:
        raise UnusableError("empty")
    image = _open(data)
    width, height = image.size
    if width * height > max_pixels:
        raise UnusableError("too large", f"{width}x{height}, at most {max_pixels} pixels")
    try:
        if (tile := _tile_pixels(image)) > max_pixels:
            raise UnusableError("too large", f"a tile of {tile} pixels, at most {max_pixels}")
        frames = getattr(image, "n_frames", 1)
        if frames > 1 and image.format not in STILL_WITH_FRAMES:
            raise UnusableError("animated", f"{frames} frames")
        header = headers.read(image)
        image.load()
        image = _upright_srgb(image)
    except _DECODER_ERRORS as error:
        raise UnusableError("corrupt", str(error)) from error
    if min(width, height) < min_side:
        raise UnusableError("too small", f"{width}x{height}, at least {min_side} a side")
    return image, header


def canonical(image: Image.Image, clean: Clean) -> bytes:
    """Return the file of a picture in canonical form: shrunk, and encoded alike for all.

    Where published pixels are kept (`encoding: original`) it is these, encoded without loss.
    """
    if clean.encoding == "original":
        return encode(image, clean)
    shrunk = max(1, round(clean.shrink * max(image.size)))
    return encode(bound(image, min(clean.long_side, shrunk)), clean)


def bound(image: Image.Image, long_side: int) -> Image.Image:
    """Shrink a picture whose longer side is above `long_side`, keeping its shape."""
    if max(image.size) <= long_side:
        return image
    scale = long_side / max(image.size)
    width, height = (max(1, round(side * scale)) for side in image.size)
    return image.resize((width, height), Image.Resampling.BICUBIC, reducing_gap=3.0)


def suffix(clean: Clean) -> str:
    """Return the file suffix of what `encode` makes."""
    return ".png" if clean.encoding == "original" else ".jpg"


def read(data: bytes) -> Image.Image:
    """Decode a file that this project stored, of whatever size its params allowed."""
    return decode(data, max_pixels=sys.maxsize)[0]


def stored(data: bytes, image: Image.Image, clean: Clean) -> bytes:
    """Return the file that stands for a published one, given its bytes and what they show."""
    return data if clean.encoding == "original" else canonical(image, clean)


def encode(image: Image.Image, clean: Clean) -> bytes:
    """Encode as every stored picture is: JPEG (4:2:0), or PNG where published pixels are kept."""
    buffer = io.BytesIO()
    if clean.encoding == "original":
        image.save(buffer, "PNG", compress_level=1)
    else:
        image.save(buffer, "JPEG", quality=clean.quality, subsampling=2)
    return buffer.getvalue()


def square(image: Image.Image, size: int, shape: str) -> Pixels:
    """Resize to (size, size, 3): `squash` the sides, `crop` the centre square, or `pad` with grey.

    One filter for every model, in training and in `predict`: bicubic, widened when it shrinks.
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
    resized = np.asarray(image.resize(target, Image.Resampling.BICUBIC, box))
    if shape != "pad":
        return resized
    padded = np.full((size, size, 3), 128, np.uint8)
    top, left = (size - target[1]) // 2, (size - target[0]) // 2
    padded[top : top + target[1], left : left + target[0]] = resized
    return padded


def _open(data: bytes) -> Image.Image:
    try:
        return Image.open(io.BytesIO(data), formats=FORMATS)
    except Image.DecompressionBombError as error:
        raise UnusableError("too large", str(error)) from error
    except UnidentifiedImageError as error:
        raise UnusableError("not a picture") from error
    except _DECODER_ERRORS as error:
        raise UnusableError("corrupt", str(error)) from error


def _tile_pixels(image: Image.Image) -> int:
    """Return how many pixels a TIFF's tiles have, of which its decoder holds a whole one."""
    tags = getattr(image, "tag_v2", {})
    return int(tags.get(TILEWIDTH, 0)) * int(tags.get(TILELENGTH, 0))


def _upright_srgb(image: Image.Image) -> Image.Image:
    ImageOps.exif_transpose(image, in_place=True)
    if image.mode.startswith("I;16"):
        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8)).convert("RGB")
    if image.mode in ("I", "F"):
        raise UnusableError("unsupported", f"mode {image.mode} has no known white point")
    profile = image.info.get("icc_profile")
    if image.has_transparency_data:
        image = image.convert("RGBA")
    elif image.mode == "P":
        image = image.convert("RGB")
    if profile:
        with suppress(ImageCms.PyCMSError, OSError):  # a broken one is no reason to lose a picture
            image = _to_srgb(image, profile)
    if image.mode == "RGBA":
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image)
    return image if image.mode == "RGB" else image.convert("RGB")


def _to_srgb(image: Image.Image, profile: bytes) -> Image.Image:
    transform = _to_srgb_transform(profile, image.mode)
    if transform is None:
        return image
    converted = ImageCms.applyTransform(image, transform)
    assert converted is not None  # only an in-place conversion returns None
    return converted


@lru_cache(maxsize=16)
def _to_srgb_transform(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """Return the way to sRGB, or None for the many profiles that are sRGB by another name.

    Those change no colour by more than a level; to apply one takes longer than to decode.
    """
    source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    target = "RGBA" if mode == "RGBA" else "RGB"
    transform = ImageCms.buildTransform(source, _SRGB, mode, target)
    if mode != target:
        return transform
    colours = Image.fromarray(_COLOURS.astype(np.uint8)).convert(mode)
    converted = ImageCms.applyTransform(colours, transform)
    change = np.abs(np.asarray(converted, np.int16) - np.asarray(colours)).max()
    return transform if change > 1 else None
