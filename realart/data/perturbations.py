"""Changes that pictures undergo when they are shared, such as a JPEG or a crop.

Each is a function of an RGB image and a strength, by its name in `CHANGES`.
"""

import io
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter

LARGEST = 4096
"""Pixels of a side: larger pictures are shrunk before they are changed, as most sites do."""
PAPER, INK = 255, 60
"""Grey levels of a collage's ground, and of the words on it."""


@dataclass(frozen=True)
class Change:
    """A change of `CHANGES`, by its name, with its strength; callable on an RGB image."""

    name: str
    strength: float

    def __call__(self, image: Image.Image) -> Image.Image:
        return CHANGES[self.name](thumbnail(image, LARGEST), self.strength)


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


def thumbnail(image: Image.Image, long_side: float) -> Image.Image:
    """Shrink to a longer side of at most `long_side` pixels."""
    return shrink(image, long_side / max(image.size)) if max(image.size) > long_side else image


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


def corner(image: Image.Image, share: float) -> Image.Image:
    """Cut a `share` of the width from the right and of the height from below, as a watermark is."""
    return image.crop((0, 0, *_scaled(image, 1 - share)))


def letterbox(image: Image.Image, share: float) -> Image.Image:
    """Add two black bars that take a `share` of the result, to the picture's longer sides.

    A quarter are the bars of a 4:3 picture on a 16:9 screen, or in a square post.
    """
    width, height = image.size
    if width >= height:
        height = round(height / (1 - share))
    else:
        width = round(width / (1 - share))
    framed = Image.new("RGB", (width, height))
    framed.paste(image, ((width - image.width) // 2, (height - image.height) // 2))
    return framed


def collage(image: Image.Image, share: float) -> Image.Image:
    """Lay the picture beside a panel and a caption; it takes a `share` of the width.

    The panel, a grey gradient, and the lines of the caption are the same for all pictures of a
    size, so that nothing but the picture itself depends on who made it.
    """
    width, height = round(image.width / share), image.height
    page = Image.new("RGB", (width, height), (PAPER,) * 3)
    page.paste(image)
    gap = max(1, height // 50)
    left, middle = image.width + gap, height // 2
    gradient = Image.linear_gradient("L").resize((max(1, width - left), max(1, middle - gap)))
    page.paste(gradient.convert("RGB"), (left, 0))
    _write_lines(page, (left, middle, width - gap, height - gap), line_height=2 * gap)
    return page


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
    "corner": corner, "letterbox": letterbox, "collage": collage, "thumbnail": thumbnail,
}  # fmt: skip


def _saved(image: Image.Image, kind: str, **options: int) -> Image.Image:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return Image.open(buffer).convert("RGB")


def _write_lines(page: Image.Image, box: tuple[int, int, int, int], line_height: int) -> None:
    """Draw lines of words, as dark rectangles, into a box (left, top, right, bottom) of a page."""
    left, top, right, bottom = box
    draw, generator = ImageDraw.Draw(page), np.random.default_rng(0)
    for y in range(top, bottom - line_height, 2 * line_height):
        x = left
        while (end := x + line_height * int(generator.integers(1, 6))) < right:
            draw.rectangle((x, y, end, y + line_height), (INK,) * 3)
            x = end + line_height


def _scaled(image: Image.Image, factor: float) -> tuple[int, int]:
    return max(1, round(image.width * factor)), max(1, round(image.height * factor))
