"""Brush strokes: a scene painted from coarse to fine, after Hertzmann (1998), "Painterly
Rendering with Curved Brush Strokes of Multiple Sizes".

Everything per pixel is integer arithmetic, so that a picture has the same pixels on every machine.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from realart.data.sample.sketch import Shape

Uint8Array = npt.NDArray[np.uint8]
Int16Array = npt.NDArray[np.int16]

ANGLES = 16  # directions of a stroke, over half a turn
BRISTLES = 4  # variants of each brush
BRUSHES = (4, 5, 6, 8, 10, 13, 17, 22, 29, 38, 50, 66, 88)  # lengths in pixels
GUIDE = 224  # long side at which a scene is drawn


@dataclass(frozen=True)
class BrushStyle:
    """The style of brush strokes; `passes` are their lengths as shares of the picture's side."""

    passes: tuple[float, ...] = (0.13, 0.075, 0.04)
    jitter: int = 14  # of a stroke's colour, in grey levels
    bristle: int = 12  # contrast of hairs within a stroke, in 1/16 of the brush's own
    relief: int = 12  # light on thick_style paint, in 1/16 of its slope


def thick_style(rng: np.random.Generator) -> BrushStyle:
    """Draw a style of thick paint (impasto)."""
    return BrushStyle(
        jitter=int(rng.integers(24, 52)),
        bristle=int(rng.integers(20, 50)),
        relief=int(rng.integers(12, 36)),
    )


def thin_style(rng: np.random.Generator) -> BrushStyle:
    """Draw a style of thin paint (glaze)."""
    return BrushStyle(
        jitter=int(rng.integers(4, 14)),
        bristle=int(rng.integers(2, 12)),
        relief=int(rng.integers(0, 10)),
    )


def clipped(values: npt.NDArray[Any]) -> Uint8Array:
    """Convert whole numbers to uint8, clipped to its range."""
    pixels: Uint8Array = values.clip(0, 255).astype(np.uint8)
    return pixels


def softened(pixels: Uint8Array, side: int) -> Uint8Array:
    """Blur pixels by a Gaussian of `side` x `side`; OpenCV's is exact on uint8."""
    return np.asarray(cv2.GaussianBlur(pixels, (side, side), 0), np.uint8)


def resized(pixels: Uint8Array, width: int, height: int, how: Image.Resampling) -> Uint8Array:
    """Resize uint8 pixels by Pillow's integer arithmetic."""
    return np.asarray(Image.fromarray(pixels).resize((width, height), how))


def noise(width: int, height: int, cell: float, rng: np.random.Generator) -> Int16Array:
    """Draw smooth noise in -128..127 whose bumps are about `cell` pixels wide."""
    coarse = rng.integers(
        0, 256, (max(2, round(height / cell) + 1), max(2, round(width / cell) + 1)), np.uint8
    )
    return resized(coarse, width, height, Image.Resampling.BICUBIC).astype(np.int16) - 128


def draw_guide(
    shapes: Sequence[Shape], width: int, height: int, rng: np.random.Generator
) -> tuple[Uint8Array, Int16Array]:
    """Draw a scene as flat pixels (h, w, 3) and stroke directions (h, w) in 0..ANGLES-1."""
    picture = np.zeros((height, width, 3), np.int16)
    flow = np.zeros((height, width), np.int16)
    grain, wander = noise(width, height, 14, rng), noise(width, height, 40, rng)
    for shape in shapes:
        points = np.rint(shape.outline * [width * 16, height * 16]).astype(np.int32)
        left, top, wide, tall = cv2.boundingRect((points >> 4).astype(np.int32))
        rows = slice(max(0, top - 1), min(height, top + tall + 1))
        columns = slice(max(0, left - 1), min(width, left + wide + 1))
        if rows.start >= rows.stop or columns.start >= columns.stop:
            continue
        origin = np.array([columns.start, rows.start], np.int32) * 16
        mask = np.zeros((rows.stop - rows.start, columns.stop - columns.start), np.uint8)
        cv2.fillPoly(mask, [points - origin], 1, cv2.LINE_8, 4)
        inside = mask.astype(bool)
        step = (np.arange(rows.start, rows.stop) - top).clip(0, tall)[:, None, None]
        ends = np.array(shape.top), np.array(shape.bottom)
        colour = ends[0] + (ends[1] - ends[0]) * step // max(1, tall)
        colour = colour + (grain[rows, columns, None].astype(np.int64) * shape.grain >> 7)
        np.copyto(picture[rows, columns], colour.astype(np.int16), where=inside[:, :, None])
        turn = round(shape.flow / math.pi * ANGLES)
        swirl = round(shape.swirl * ANGLES * 8)
        direction = turn + (wander[rows, columns].astype(np.int32) * swirl >> 10)
        np.copyto(flow[rows, columns], (direction % ANGLES).astype(np.int16), where=inside)
    return clipped(picture), flow


@cache
def brush(size: int, angle: int, variant: int) -> tuple[Int16Array, Int16Array]:
    """Return opacity (n, 4n), 0..110, and the trace of hairs (n, n), -64..64, of one stroke.

    The opacity of a pixel stands four times side by side, for RGB and paint height.
    """
    rng = np.random.Generator(np.random.PCG64([size, angle, variant, 98]))
    n, half = 96, 15
    rows = np.arange(n)[:, None] - n // 2
    columns = np.arange(n)[None, :] - n // 2
    bend = (columns * columns * int(rng.integers(-5, 6))) // (n * n // 4)
    hairs = rng.integers(-64, 65, n + 8)
    hairs = (hairs[:-1] + hairs[1:]) * 2 // 3
    across = (rows - bend).clip(-n // 2, n // 2 - 1)
    # Hairs lift off the canvas at different places, which makes the ends ragged.
    start = rng.integers(0, 14, n)[across + n // 2]
    end = rng.integers(0, 22, n)[across + n // 2]
    touch = (np.abs(across) < half) & (columns > start - 46) & (columns < 46 - end)
    trace = hairs[across + n // 2].clip(-64, 64) * touch
    turn = -angle * 180 / ANGLES
    alpha = _turned((touch * 110).astype(np.uint8), turn, size)
    height = _turned((trace + 64).astype(np.uint8), turn, size, 64)
    return np.repeat(alpha, 4, axis=1).astype(np.int16), height.astype(np.int16) - 64


def _turned(mask: Uint8Array, degrees: float, size: int, fill: int = 0) -> Uint8Array:
    """Return a square mask turned and brought to `size` pixels."""
    turned = Image.fromarray(mask).rotate(degrees, Image.Resampling.BILINEAR, fillcolor=fill)
    return np.asarray(turned.resize((size, size), Image.Resampling.BOX))


def paint(
    guide: Uint8Array,
    flow: Int16Array,
    width: int,
    height: int,
    style: BrushStyle,
    rng: np.random.Generator,
) -> Uint8Array:
    """Paint the guide in strokes at another size: uint8, shape (height, width, 3)."""
    margin = max(BRUSHES)
    ground = resized(guide, width, height, Image.Resampling.BICUBIC)
    around = ((margin, margin), (margin, margin), (0, 0))
    canvas = np.pad(ground.astype(np.int16), around, "edge")
    canvas = np.concatenate([canvas, np.zeros((*canvas.shape[:2], 1), np.int16)], axis=2)
    edges = _edge_mask(guide)
    flow = _along_edges(guide, flow)
    for number, part in enumerate(style.passes):
        wanted = part * math.sqrt(width * height)
        size = min(BRUSHES, key=lambda n: abs(n - wanted))
        mask = edges if number == len(style.passes) - 1 else None
        _lay_pass(canvas, guide, flow, mask, size, style, rng, (width, height))
    inner = canvas[margin:-margin, margin:-margin]
    return _lit(inner[:, :, :3], inner[:, :, 3], style.relief)


def _along_edges(guide: Uint8Array, flow: Int16Array) -> Int16Array:
    """Return stroke directions that follow the outlines of the guide where it has any."""
    grey = softened(guide[:, :, 1], 5)
    dx, dy = cv2.Sobel(grey, cv2.CV_16S, 1, 0), cv2.Sobel(grey, cv2.CV_16S, 0, 1)
    strong = np.abs(dx) + np.abs(dy) > 40
    tangent = np.arctan2(dy[strong], dx[strong]) + math.pi / 2
    turned = flow.copy()
    turned[strong] = np.rint(tangent * (ANGLES / math.pi)).astype(np.int16) % ANGLES
    return turned


def _edge_mask(guide: Uint8Array) -> npt.NDArray[np.bool_]:
    """Return the mask of edges in the guide (h, w, 3), where the last pass paints."""
    grey = guide.astype(np.int16).sum(axis=2)
    edge = np.abs(np.diff(grey, axis=0, append=grey[-1:]))
    edge += np.abs(np.diff(grey, axis=1, append=grey[:, -1:]))
    return cv2.dilate((edge > 36).astype(np.uint8), np.ones((5, 5), np.uint8)) > 0


def _lay_pass(
    canvas: Int16Array,
    guide: Uint8Array,
    flow: Int16Array,
    mask: npt.NDArray[np.bool_] | None,
    size: int,
    style: BrushStyle,
    rng: np.random.Generator,
    extent: tuple[int, int],
) -> None:
    """Lay strokes of one size on `canvas` (h + 2m, w + 2m, 4: RGB and paint height), in place."""
    width, height = extent
    xs, ys = _jittered_grid(width, height, size * 0.42, rng)
    at_y, at_x = ys * guide.shape[0] // height, xs * guide.shape[1] // width
    if mask is not None:
        selected = mask[at_y, at_x] | (rng.random(len(xs)) < 0.2)
        xs, ys, at_y, at_x = xs[selected], ys[selected], at_y[selected], at_x[selected]
    count = len(xs)
    shade = rng.integers(-style.jitter, style.jitter + 1, (count, 1))
    hue = rng.integers(-style.jitter // 2, style.jitter // 2 + 1, (count, 3))
    colours = np.zeros((count, 4), np.int16)
    colours[:, :3] = (guide[at_y, at_x] + shade + hue).clip(0, 255)
    colours[:, 3] = rng.integers(0, 40, count)
    angles = (flow[at_y, at_x] + rng.integers(-1, 2, count)) % ANGLES
    variants = rng.integers(0, BRISTLES, count)
    corner = (canvas.shape[0] - height) // 2 - size // 2
    # Rows of a patch are one axis for NumPy, whose loops over an axis of 4 are slow.
    flat = canvas.reshape(canvas.shape[0], -1)
    for y, x, colour, angle, variant in zip(
        (ys + corner).tolist(),
        (4 * (xs + corner)).tolist(),
        np.tile(colours, (1, size)),
        angles.tolist(),
        variants.tolist(),
        strict=True,
    ):
        alpha, trace = brush_with_hairs(size, angle, variant, style.bristle)
        patch = flat[y : y + size, x : x + 4 * size]
        change = trace - patch
        change += colour
        change *= alpha
        change >>= 7
        patch += change


@lru_cache(maxsize=4096)
def brush_with_hairs(
    size: int, angle: int, variant: int, bristle: int
) -> tuple[Int16Array, Int16Array]:
    """Return a brush's opacity and its hairs' change of RGB and paint height, both (n, 4n)."""
    alpha, trace = brush(size, angle, variant)
    change = np.empty((size, size, 4), np.int16)
    change[:, :, :3] = (trace * bristle >> 6)[:, :, None]
    change[:, :, 3] = trace >> 1
    return alpha, change.reshape(size, -1)


def _jittered_grid(
    width: int, height: int, step: float, rng: np.random.Generator
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return x and y of a jittered grid of points, shuffled."""
    down, across = max(1, round(height / step)), max(1, round(width / step))
    rows, columns = np.divmod(rng.permutation(down * across), across)
    ys = ((rows + rng.random(len(rows))) * height / down).astype(np.int64)
    xs = ((columns + rng.random(len(rows))) * width / across).astype(np.int64)
    return xs.clip(0, width - 1), ys.clip(0, height - 1)


def _lit(colour: Int16Array, relief: Int16Array, strength: int) -> Uint8Array:
    """Return paint (h, w, 3) whose relief (h, w) is lit from the upper left."""
    # Ridges of paint are as wide as strokes, which grow with the picture.
    reach = max(1, math.isqrt(relief.size) // 160)
    slope = np.zeros_like(relief)
    slope[reach:, reach:] = relief[reach:, reach:] - relief[:-reach, :-reach]
    shine = (slope * strength >> 4).clip(-60, 60)
    return clipped(colour + shine[:, :, None])
