"""Changes that pictures undergo when they are shared, such as a JPEG or a crop.

Each is a function of an RGB image and a strength, by its name in `CHANGES`.
"""

import io
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageEnhance, ImageFilter

LARGEST = 4096
"""Pixels of a side: larger pictures are shrunk before they are changed, as most sites do."""


@dataclass(frozen=True)
class Change:
    """A change of `CHANGES`, by its name, with its strength; callable on an RGB image."""

    name: str
    strength: float

    def __call__(self, image: Image.Image) -> Image.Image:
        if max(image.size) > LARGEST:
            image = image.copy()
            image.thumbnail((LARGEST, LARGEST), Image.Resampling.LANCZOS)
        return CHANGES[self.name](image, self.strength)


def jpeg(image: Image.Image, quality: float) -> Image.Image:
    """Save as JPEG of a quality from 1 to 100, with halved chroma (4:2:0)."""
    return _saved(image, "JPEG", quality=int(quality), subsampling=2)


def webp(image: Image.Image, quality: float) -> Image.Image:
    """Save as lossy WebP of a quality from 1 to 100."""
    return _saved(image, "WEBP", quality=int(quality))


def resize(image: Image.Image, factor: float) -> Image.Image:
    """Shrink both sides by a factor below 1, then enlarge to the original size."""
    return shrink(image, factor).resize(image.size, Image.Resampling.BICUBIC)


def shrink(image: Image.Image, factor: float) -> Image.Image:
    """Shrink both sides by a factor below 1."""
    return image.resize(_scaled(image, factor), Image.Resampling.LANCZOS)


def blur(image: Image.Image, radius: float) -> Image.Image:
    """Blur by a Gaussian whose standard deviation is `radius` pixels."""
    return image.filter(ImageFilter.GaussianBlur(radius))


def noise(image: Image.Image, spread: float) -> Image.Image:
    """Add Gaussian noise of `spread` levels, the same for all pictures of a size."""
    pixels = np.asarray(image, np.float32)
    drawn = np.random.default_rng(0).standard_normal(pixels.shape, np.float32)
    return Image.fromarray(np.clip(np.rint(pixels + spread * drawn), 0, 255).astype(np.uint8))


def crop(image: Image.Image, share: float) -> Image.Image:
    """Crop to the middle `share` of each side."""
    width, height = _scaled(image, share)
    left, top = (image.width - width) // 2, (image.height - height) // 2
    return image.crop((left, top, left + width, top + height))


def brightness(image: Image.Image, factor: float) -> Image.Image:
    """Multiply all levels by `factor`."""
    return ImageEnhance.Brightness(image).enhance(factor)


def grey(image: Image.Image, share: float) -> Image.Image:
    """Remove a `share` of the saturation; 1 leaves a grey picture."""
    return ImageEnhance.Color(image).enhance(1 - share)


def screenshot(image: Image.Image, times: float) -> Image.Image:
    """Shrink, crop and save as JPEG, as screenshots that are sent on, `times` times."""
    for _ in range(int(times)):
        image = jpeg(crop(image.resize(_scaled(image, 0.8), Image.Resampling.BILINEAR), 0.97), 80)
    return image


CHANGES: dict[str, Callable[[Image.Image, float], Image.Image]] = {
    "jpeg": jpeg, "webp": webp, "shrink": shrink, "resize": resize, "blur": blur, "noise": noise,
    "crop": crop, "brightness": brightness, "grey": grey, "screenshot": screenshot,
}  # fmt: skip


def _saved(image: Image.Image, kind: str, **options: int) -> Image.Image:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return Image.open(buffer).convert("RGB")


def _scaled(image: Image.Image, factor: float) -> tuple[int, int]:
    return max(1, round(image.width * factor)), max(1, round(image.height * factor))
