"""Conversion of a decoded picture to sRGB, eight bits a sample, with transparency on white."""

import io
import re
from contextlib import suppress
from functools import lru_cache

import numpy as np
from PIL import Image, ImageCms
from PIL.ImageFile import ImageFile
from PIL.TiffImagePlugin import PHOTOMETRIC_INTERPRETATION

from realart.data.formats import UnusableFileError

_SRGB = ImageCms.createProfile("sRGB")
_COLOURS = np.mgrid[:256:15, :256:15, :256:15].reshape(3, 18, -1).transpose(1, 2, 0)
_GREY = ("1", "L", "LA", "La")
_WHITE_IS_ZERO = 0


def sample_bits(image: ImageFile) -> int:
    """Return the bits of a sample in the file of a picture that is opened, not loaded."""
    if not image.tile:
        return 8
    arguments = image.tile[0].args
    raw_mode = arguments if isinstance(arguments, str) else (arguments or [""])[0]
    bits = re.search(r";(\d+)", str(raw_mode))
    return int(bits[1]) if bits else 8


def to_srgb(image: Image.Image, bits: int) -> Image.Image:
    """Convert a loaded picture, whose file has samples of `bits`, to RGB in sRGB.

    A colour profile describes the colours alone: they are converted first, then laid on white.

    Raises
    ------
    UnusableFileError
        `unsupported`, for samples of 32 bits.
    """
    if image.mode.startswith("I;16"):
        image = _eight_bits(image, bits)
    elif image.mode in ("I", "F"):
        raise UnusableFileError("unsupported", f"mode {image.mode} has no known white point")
    else:
        _scale_transparent_colour(image, bits)
    grey = image.mode in _GREY
    profile = image.info.get("icc_profile")
    if image.mode == "La":
        image = image.convert("LA")
    if image.has_transparency_data:
        image = image.convert("RGBA")
    elif image.mode not in ("L", "RGB", "CMYK"):
        image = image.convert("RGB")
    if profile:
        with suppress(ImageCms.PyCMSError, OSError):  # a broken one is no reason to lose a picture
            image = _grey_to_srgb(image, profile) if grey else _colours_to_srgb(image, profile)
    if image.mode == "RGBA":
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image)
    return image if image.mode == "RGB" else image.convert("RGB")


def _eight_bits(image: Image.Image, bits: int) -> Image.Image:
    """Keep the eight highest bits of each grey, as Pillow does of colours."""
    samples = np.asarray(image)
    grey = (samples >> bits - 8).astype(np.uint8)
    if getattr(image, "tag_v2", {}).get(PHOTOMETRIC_INTERPRETATION) == _WHITE_IS_ZERO:
        grey = ~grey  # of eight bits and fewer Pillow does it
    shallow = Image.fromarray(grey)
    if (transparent := image.info.get("transparency")) is not None:
        opaque = (samples != transparent).astype(np.uint8) * 255
        shallow.putalpha(Image.fromarray(opaque))
    if profile := image.info.get("icc_profile"):
        shallow.info["icc_profile"] = profile
    return shallow


def _scale_transparent_colour(image: Image.Image, bits: int) -> None:
    """Scale the transparent colour of a PNG from the file's bits to eight, as Pillow scales pixels.

    Of 16 bits eight are lost, so that its next neighbours become transparent, too.
    """
    colour = image.info.get("transparency")
    if colour is None or image.format != "PNG" or bits == 8:
        return
    if image.mode == "L":
        image.info["transparency"] = colour * 255 // (2**bits - 1)
    elif image.mode == "RGB":
        image.info["transparency"] = tuple(sample >> bits - 8 for sample in colour)


def _grey_to_srgb(image: Image.Image, profile: bytes) -> Image.Image:
    converted = _colours_to_srgb(image.getchannel(0), profile)
    if image.mode == "RGBA":
        converted.putalpha(image.getchannel("A"))
    return converted


def _colours_to_srgb(image: Image.Image, profile: bytes) -> Image.Image:
    transform = _transform(profile, image.mode)
    if transform is None:
        return image
    converted = ImageCms.applyTransform(image, transform)
    assert converted is not None  # only an in-place conversion returns None
    return converted


@lru_cache(maxsize=16)
def _transform(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """Return the transform to sRGB, or None for profiles that equal sRGB within one level.

    There are many of those, and to apply one takes longer than to decode a picture.
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
