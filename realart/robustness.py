"""What becomes of verdicts when pictures are changed as they are on their way through the world.

Thresholds stay where they were: nobody chooses them anew for a picture that was saved again.
"""

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image, ImageEnhance, ImageFilter

from realart import archive, evaluation, inputs, intervals, pictures, raw, tables
from realart.archive import Member
from realart.inputs import Input, Seen
from realart.models import Final

PICTURES = 500
"""How many pictures are tried, those of the lowest ids."""
LARGEST = 4096
"""Pixels of a side: larger pictures are shrunk before they are changed, as most places do."""
Changing = Callable[[Image.Image, float], Image.Image]
COLUMNS = {
    "change": str, "strength": float, "pictures": int, "auc": float, "auc_low": float,
    "auc_high": float, "point": str, "recall": float, "false_positive_rate": float,
}  # fmt: skip


@dataclass(frozen=True)
class Change:
    """What is done to a picture, and how much of it."""

    name: str
    strength: float

    def __call__(self, image: Image.Image) -> Image.Image:
        if max(image.size) > LARGEST:
            image = image.copy()
            image.thumbnail((LARGEST, LARGEST), Image.Resampling.LANCZOS)
        return CHANGES[self.name][0](image, self.strength)


def jpeg(image: Image.Image, quality: float) -> Image.Image:
    """Save as JPEG, with halved colour."""
    return _saved(image, "JPEG", quality=int(quality), subsampling=2)


def webp(image: Image.Image, quality: float) -> Image.Image:
    """Save as WebP, with losses."""
    return _saved(image, "WEBP", quality=int(quality))


def resize(image: Image.Image, factor: float) -> Image.Image:
    """Shrink, and enlarge to what it was."""
    small = image.resize(_scaled(image, factor), Image.Resampling.LANCZOS)
    return small.resize(image.size, Image.Resampling.BICUBIC)


def blur(image: Image.Image, radius: float) -> Image.Image:
    """Blur by a Gaussian whose standard deviation is so many pixels."""
    return image.filter(ImageFilter.GaussianBlur(radius))


def noise(image: Image.Image, spread: float) -> Image.Image:
    """Add normal noise of so many levels, the same for all pictures of a size."""
    pixels = np.asarray(image, np.float32)
    drawn = np.random.default_rng(0).standard_normal(pixels.shape, np.float32)
    return Image.fromarray(np.clip(np.rint(pixels + spread * drawn), 0, 255).astype(np.uint8))


def crop(image: Image.Image, share: float) -> Image.Image:
    """Keep the middle, so much of each side."""
    width, height = _scaled(image, share)
    left, top = (image.width - width) // 2, (image.height - height) // 2
    return image.crop((left, top, left + width, top + height))


def brightness(image: Image.Image, factor: float) -> Image.Image:
    """Multiply all levels."""
    return ImageEnhance.Brightness(image).enhance(factor)


def grey(image: Image.Image, share: float) -> Image.Image:
    """Take away so much of the colour."""
    return ImageEnhance.Color(image).enhance(1 - share)


def screenshot(image: Image.Image, times: float) -> Image.Image:
    """Show smaller, cut off the edges, and save as messengers do, so many times."""
    for _ in range(int(times)):
        image = jpeg(crop(image.resize(_scaled(image, 0.8), Image.Resampling.BILINEAR), 0.97), 80)
    return image


CHANGES: dict[str, tuple[Changing, Sequence[float]]] = {
    "jpeg": (jpeg, (95, 80, 60, 40)),
    "webp": (webp, (80, 50)),
    "resize": (resize, (0.75, 0.5, 0.25)),
    "blur": (blur, (1, 2)),
    "noise": (noise, (4, 10)),
    "crop": (crop, (0.9, 0.75)),
    "brightness": (brightness, (0.75, 1.25)),
    "grey": (grey, (1,)),
    "screenshot": (screenshot, (1, 2)),
}
"""What is tried, and how strongly, the mildest first."""


def table(
    archives: Mapping[str, Path], published: pd.DataFrame, groups: pd.Series, model: Final
) -> pd.DataFrame:
    """Score published pictures as they are and after each change: columns `COLUMNS`.

    A row for each change, strength and operating point; the first change is `none`.

    Parameters
    ----------
    archives
        The published zip archive of each set.
    published
        Columns of `tables.PICTURES`, with ids as index.
    groups
        The group of near-duplicates of each id.
    """
    tried = published.sort_values("id").head(PICTURES)
    labels = tables.is_ai(tried["label"])
    changes = [Change(name, strength) for name, (_, all_) in CHANGES.items() for strength in all_]
    look = partial(_look, seen=model.input, changes=changes)
    scores = model.scores_of(look, raw.members(tried, archives), "robustness")
    rows = []
    for number, change in enumerate([Change("none", 0.0), *changes]):
        area = intervals.of_auc(labels, scores[:, number], groups.loc[tried["id"]])
        for point, threshold in model.verdicts.points.items():
            found = evaluation.at(labels, scores[:, number], threshold)
            rows.append(
                {
                    "change": change.name,
                    "strength": change.strength,
                    "pictures": len(tried),
                    "auc": area.value,
                    "auc_low": area.low,
                    "auc_high": area.high,
                    "point": point,
                    "recall": found["recall"],
                    "false_positive_rate": found["false_positive_rate"],
                }
            )
    return pd.DataFrame(rows)


def _look(member: Member, seen: Input, changes: Sequence[Change]) -> Sequence[Seen]:
    """Return what is seen of a published picture as it is and after each change."""
    data = archive.read(*member)
    image, _ = pictures.decode(data, seen.clean.max_pixels, seen.clean.min_side)
    changed = [inputs.from_pixels(change(image), seen) for change in changes]
    return [inputs.from_decoded(data, image, seen), *changed]


def _saved(image: Image.Image, kind: str, **how: int) -> Image.Image:
    buffer = io.BytesIO()
    image.save(buffer, kind, **how)
    return Image.open(buffer).convert("RGB")


def _scaled(image: Image.Image, factor: float) -> tuple[int, int]:
    return max(1, round(image.width * factor)), max(1, round(image.height * factor))
