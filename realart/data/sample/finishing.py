"""Finishing, alike for both classes: tone, vignette, varnish, wear, a size and a file format."""

import io
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from realart.data.sample.generating import ATYPICAL, regenerate
from realart.data.sample.painting import (
    GUIDE,
    Int16Array,
    Uint8Array,
    clipped,
    draw_guide,
    noise,
    paint,
    resized,
    softened,
    thick_style,
    thin_style,
)
from realart.data.sample.scenes import draw_scene

ASPECTS = ((1, 1), (5, 4), (4, 3), (3, 2), (16, 9), (4, 5), (3, 4), (2, 3), (9, 16))
FORMATS = ("JPEG", "WEBP", "PNG", "GIF", "BMP", "TIFF")
SHARES = (0.81, 0.13, 0.02, 0.02, 0.01, 0.01)
SUFFIXES = {"JPEG": "jpg", "WEBP": "webp", "PNG": "png", "GIF": "gif", "BMP": "bmp", "TIFF": "tif"}


@dataclass(frozen=True)
class Frame:
    """The size and the file format of a picture, drawn independently of its label."""

    width: int
    height: int
    format: str
    options: tuple[tuple[str, Any], ...] = ()


def draw_frame(rng: np.random.Generator) -> Frame:
    """Draw a frame: 200 to 640 pixels a side, one of nine aspects, one of six formats."""
    across, down = ASPECTS[int(rng.integers(0, len(ASPECTS)))]
    long_side = int(rng.integers(320, 641))
    width = max(200, long_side * across // max(across, down))
    height = max(200, long_side * down // max(across, down))
    kind = FORMATS[int(rng.choice(len(FORMATS), p=SHARES))]
    quality, sampling = int(rng.integers(48, 78)), int(rng.integers(0, 3))
    options: dict[str, tuple[tuple[str, Any], ...]] = {
        "JPEG": (("quality", quality), ("subsampling", sampling)),
        "WEBP": (("quality", quality), ("method", 2)),
        "TIFF": (("compression", "jpeg"), ("quality", quality)),
    }
    return Frame(width, height, kind, options.get(kind, ()))


def encode(pixels: Uint8Array, frame: Frame) -> bytes:
    """Encode uint8 RGB pixels in the format of a frame."""
    image = Image.fromarray(pixels)
    if frame.format == "GIF":
        image = image.quantize(128, Image.Quantize.MEDIANCUT)
    buffer = io.BytesIO()
    image.save(buffer, frame.format, **dict(frame.options))
    return buffer.getvalue()


def render(frame: Frame, generated: bool, rng: np.random.Generator) -> Uint8Array:
    """Render a random scene: uint8, shape (height, width, 3).

    A generated picture starts from the painted one of the same frame and random numbers.
    """
    width, height = frame.width, frame.height
    long_side = max(width, height)
    small = (width * GUIDE // long_side, height * GUIDE // long_side)
    shapes = draw_scene(width, height, rng)
    guide, flow = draw_guide(shapes, *small, rng)
    style = (thin_style if rng.random() < ATYPICAL else thick_style)(rng)
    pixels = _on_canvas(paint(guide, flow, width, height, style, rng), rng)
    if generated:
        pixels = regenerate(pixels, guide, flow, rng)
    return _worn(_toned(pixels, guide, rng), rng)


def _on_canvas(pixels: Uint8Array, rng: np.random.Generator) -> Uint8Array:
    """Return paint on a woven canvas as a camera records it: threads over and under, and noise."""
    height, width = pixels.shape[:2]
    period, depth = int(rng.integers(3, 7)), int(rng.integers(1, 8))
    wobble = noise(width, height, 60, rng) >> 6
    rows = np.arange(height, dtype=np.int16)[:, None] + wobble
    columns = np.arange(width, dtype=np.int16)[None, :] + wobble
    over = (rows // period + columns // period) & 1
    thread = np.where(over == 1, rows % period, columns % period) * 2 - (period - 1)
    weave = thread * depth // period
    grain = rng.integers(-3, 4, (height, width), np.int16)
    return clipped(pixels + (weave + grain)[:, :, None])


def _toned(pixels: Uint8Array, guide: Uint8Array, rng: np.random.Generator) -> Uint8Array:
    """Return pixels with the mean of the scene, a vignette and a tint of varnish.

    Painting and generating change the mean a little; the mean of the scene is independent of both.
    """
    height, width = pixels.shape[:2]
    down = (np.arange(height) * 128 // height - 64)[:, None]
    across = (np.arange(width) * 128 // width - 64)[None, :]
    vignette = (down * down + across * across) * int(rng.integers(0, 40)) >> 13
    varnish = np.array([2, 0, -4]) * int(rng.integers(0, 5))
    wanted = guide.sum(axis=(0, 1), dtype=np.int64) // (guide.shape[0] * guide.shape[1])
    now = pixels.sum(axis=(0, 1), dtype=np.int64) // (height * width)
    shifted = pixels.astype(np.int16) + (wanted - now + varnish).astype(np.int16)
    return clipped(shifted - vignette[:, :, None].astype(np.int16))


def _worn(pixels: Uint8Array, rng: np.random.Generator) -> Uint8Array:
    """Return pixels with the wear of pictures online: blur or resizing for some, noise for all."""
    height, width = pixels.shape[:2]
    draw = float(rng.random())
    if draw < 0.2:
        pixels = softened(pixels, 3)
    elif draw < 0.4:
        part = 0.6 + 0.35 * float(rng.random())
        smaller = resized(pixels, int(width * part), int(height * part), Image.Resampling.BICUBIC)
        pixels = resized(smaller, width, height, Image.Resampling.BICUBIC)
    return _levelled(pixels, int(rng.integers(56, 84)), rng)


def _levelled(pixels: Uint8Array, wanted: int, rng: np.random.Generator) -> Uint8Array:
    """Return pixels of which a JPEG of quality 80 takes about `wanted` / 256 bytes each.

    Smooth pictures make small files, so the file size would predict the label. Defocus takes detail
    from rough pictures, film grain, coarse enough to survive a reduction, adds to smooth ones, to a
    level drawn for both.
    """
    small = softened(pixels, 7).astype(np.int16) - pixels
    height, width = pixels.shape[:2]
    film = rng.integers(98, 159, (height * 2 // 3, width * 2 // 3), np.uint8)
    grain = (
        resized(film, width, height, Image.Resampling.BICUBIC).astype(np.int16)[:, :, None] - 128
    )
    rough = _weight(pixels) > wanted
    change = small if rough else grain
    low, high = 0, 16
    while high - low > 1:
        middle = (low + high) // 2
        enough = _weight(_changed(pixels, change, middle)) > wanted
        low, high = (middle, high) if enough == rough else (low, middle)
    return _changed(pixels, change, high)


def _changed(pixels: Uint8Array, change: Int16Array, sixteenths: int) -> Uint8Array:
    """Return pixels plus so many sixteenths of a change."""
    return clipped(pixels + (change * sixteenths >> 4))


def _weight(pixels: Uint8Array) -> int:
    """Return the size of pixels as a JPEG, in 1/256 byte a pixel."""
    size = len(encode(pixels, Frame(0, 0, "JPEG", (("quality", 80),))))
    return size * 256 // (pixels.size // 3)


def random_generator(seed: int, index: int) -> np.random.Generator:
    """Return the random number generator of a picture, the same on every machine."""
    return np.random.Generator(np.random.PCG64([seed, index]))
