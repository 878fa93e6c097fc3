"""Generated pictures: the same scenes through an upsampling generator, with the traces it leaves.

A scene is painted small, then upsampled by stages of transposed convolution, whose uneven overlap
makes a faint checkerboard (Odena, Dumoulin and Olah, 2016, "Deconvolution and Checkerboard
Artifacts"), or of nearest-neighbour copies and sharpening. Detail is noise that goes through the
same stages, or that repeats. Filters run on float32 arrays that hold whole numbers only: their sums
are exact, in whatever order a machine takes them.

As in image-to-image generation (Meng et al., 2022, "SDEdit: Guided Image Synthesis and Editing with
Stochastic Differential Equations"), a generated picture keeps something of a painted one: the two
are blended, in shares that differ from picture to picture, so that some show hardly any trace.
"""

from collections.abc import Callable

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from realart.data.sample.painting import (
    Int16Array,
    Uint8Array,
    clipped,
    noise,
    paint,
    resized,
    softened,
    thick_style,
    thin_style,
)

Stage = Callable[[Uint8Array, int, np.random.Generator], Uint8Array]


def _filtered(pixels: npt.NDArray[np.float32], kernels: Int16Array, total: int) -> Uint8Array:
    """Return each channel of `pixels` filtered by its own whole-number kernel (c, k, k)."""
    planes = [
        cv2.filter2D(
            pixels[:, :, c],
            cv2.CV_32F,
            kernel.astype(np.float32),
            borderType=cv2.BORDER_REFLECT_101,
        )
        for c, kernel in enumerate(kernels)
    ]
    return clipped(np.rint(np.stack(planes, axis=2) / total))


def _transposed(taps: tuple[int, ...], scale: int) -> Stage:
    """Return a x2 transposed convolution with these taps, whose sum is `scale` times two."""

    def stage(pixels: Uint8Array, strength: int, rng: np.random.Generator) -> Uint8Array:
        sparse = np.zeros((pixels.shape[0] * 2, pixels.shape[1] * 2, 3), np.float32)
        sparse[::2, ::2] = pixels
        kernel = np.outer(taps, taps) * 64
        shared = rng.integers(-strength, strength + 1, kernel.shape) * scale
        own = rng.integers(-strength, strength + 1, (3, *kernel.shape)) * scale // 3
        return _filtered(sparse, (kernel + shared + own).astype(np.int16), scale * scale * 64)

    return stage


def _copied(pixels: Uint8Array, strength: int, rng: np.random.Generator) -> Uint8Array:
    """Double by nearest-neighbour copies, smooth a little, sharpen more."""
    double = pixels.repeat(2, axis=0).repeat(2, axis=1)
    soft = softened(double, 5).astype(np.int16)
    gain = int(rng.integers(4, 10)) + 2 * strength
    wide = softened(double, 9).astype(np.int16)
    return clipped(soft + ((soft - wide) * gain >> 3))


ATYPICAL = 0.02
"""Share of pictures that are painted in the usual style of the other class."""
SHARES = (6, 64)
"""Least and largest share of the generator in a generated picture, in 1/64."""
DOUBLINGS: tuple[Stage, ...] = (
    _transposed((1, 2, 1), 2),
    _transposed((-1, 0, 9, 16, 9, 0, -1), 16),
    _copied,
)


def regenerate(
    painted: Uint8Array, guide: Uint8Array, flow: Int16Array, rng: np.random.Generator
) -> Uint8Array:
    """Blend painted pixels (h, w, 3) with what `generate` renders, in a share drawn at random."""
    height, width = painted.shape[:2]
    least, most = SHARES
    share = int(rng.integers(least, most + 1))
    change = generate(guide, flow, width, height, rng).astype(np.int16) - painted
    return clipped(painted + (change * share >> 6))


def generate(
    guide: Uint8Array, flow: Int16Array, width: int, height: int, rng: np.random.Generator
) -> Uint8Array:
    """Return the guide as a generator renders it: uint8, shape (height, width, 3)."""
    stages = 2 if min(width, height) > 300 and rng.random() < 0.7 else 1
    factor = 2**stages
    small = (-(-width // factor) + 4, -(-height // factor) + 4)
    strength = int(rng.integers(0, 7))
    pixels = _latent(guide, flow, *small, rng)
    doubling = DOUBLINGS[int(rng.integers(0, len(DOUBLINGS)))]
    for _ in range(stages):
        pixels = _with_detail(pixels, strength, rng)
        pixels = doubling(pixels, strength, rng)
    pixels = _with_grid(pixels, strength, rng)
    top, left = rng.integers(0, 2 * factor, 2)
    return pixels[top : top + height, left : left + width]


def _latent(
    guide: Uint8Array, flow: Int16Array, width: int, height: int, rng: np.random.Generator
) -> Uint8Array:
    """Return the small picture: even strokes blended with the smooth scene."""
    thickly = rng.random() < ATYPICAL
    style = (thick_style if thickly else thin_style)(rng)
    painted = paint(guide, flow, width, height, style, rng).astype(np.int16)
    smooth = resized(guide, width, height, Image.Resampling.BICUBIC)
    smooth = softened(smooth, 3).astype(np.int16)
    share = 60 if thickly else int(rng.integers(4, 44))
    return (smooth + ((painted - smooth) * share >> 6)).astype(np.uint8)


def _with_detail(pixels: Uint8Array, strength: int, rng: np.random.Generator) -> Uint8Array:
    """Return pixels with synthetic detail where there is already some: noise, or a tile of it."""
    height, width = pixels.shape[:2]
    if rng.random() < 0.5:
        detail = noise(width, height, float(rng.integers(2, 5)), rng)
    else:
        side = int(rng.integers(5, 14))
        tile = noise(side, side, 2.0, rng)
        detail = np.tile(tile, (height // side + 1, width // side + 1))[:height, :width]
    grey = pixels[:, :, 1]
    activity = clipped(np.abs(grey.astype(np.int16) - softened(grey, 7)))
    amount = softened(activity, 9).clip(0, 20).astype(np.int16) + 3
    added = detail * (amount * strength >> 2) >> 8
    return clipped(pixels + added[:, :, None])


def _with_grid(pixels: Uint8Array, strength: int, rng: np.random.Generator) -> Uint8Array:
    """Return pixels with a faint 8-pixel grid, as decoders of latent codes leave one."""
    height, width = pixels.shape[:2]
    tile = noise(8, 8, 4.0, rng) * strength // 128
    grid = np.tile(tile, (height // 8 + 1, width // 8 + 1))[:height, :width]
    return clipped(pixels + grid[:, :, None])
