"""Copies, defective files and odd formats as in real archives, planted in both folders alike.

Nothing in the archive marks them. Tests call `plant` for the outcome that `clean` should reach.
"""

import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from PIL import Image, ImageCms, ImageOps

from realart.data.sample.finishing import Frame, random_generator, render

FOLDERS = ("sample/painted", "sample/generated")  # by whether it is generated
ROTATIONS = {3: 180, 6: 90, 8: 270}  # EXIF orientation, and the turn anticlockwise that undoes it

Outcome = Literal[
    "kept",  # odd, but a picture of its class
    "duplicate",  # the same picture under the same label: one of the group is kept
    "both labels",  # the same picture under both labels: all of the group are rejected
    "truncated",
    "empty",
    "not a picture",
    "animated",
    "too small",
    "no label",
]


@dataclass(frozen=True)
class SampleFile:
    """A file of the archive: its name and its bytes."""

    name: str
    data: bytes


@dataclass(frozen=True)
class PlantedFile(SampleFile):
    """A planted file, its outcome in `clean`, and the name of the file that it copies, if any."""

    outcome: Outcome
    copy_of: str | None = None


def plant(good: Sequence[SampleFile], seed: int) -> list[PlantedFile]:
    """Return the files to plant among the rendered files `good`, reproducibly by `seed`."""
    planted: list[PlantedFile] = []
    for generated, folder in enumerate(FOLDERS):
        own = [item for item in good if item.name.startswith(folder)][:-1]
        planted += _copies(own, folder)
        planted += _broken(folder, seed, bool(generated))
        planted += _odd(folder, seed, bool(generated))
    planted += _two_labels(good)
    stray = _picture(seed, 9_999, True)
    return [*planted, PlantedFile("sample/unsorted/0001.jpg", _saved(stray, "JPEG"), "no label")]


def _picture(seed: int, index: int, generated: bool, side: int = 280) -> Image.Image:
    """Render a picture that is not among the sample's own."""
    frame = Frame(side, side * 3 // 4, "PNG")
    return Image.fromarray(render(frame, generated, random_generator(seed, 100_000 + index)))


def _saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    """Encode an image."""
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def _opened(item: SampleFile) -> Image.Image:
    """Decode a file to RGB."""
    return Image.open(io.BytesIO(item.data)).convert("RGB")


def _copies(own: Sequence[SampleFile], folder: str) -> Iterator[PlantedFile]:
    """Yield copies of pictures of one class: of equal bytes, of equal pixels, near-duplicates.

    They copy the first pictures of `own`; the last of a class is for `_two_labels`.
    """
    for k, item in enumerate(own[:5]):
        yield PlantedFile(f"{folder}/copy {k}.{_suffix(item)}", item.data, "duplicate", item.name)
    lossless: tuple[tuple[str, dict[str, Any]], ...] = (
        ("PNG", {}),
        ("WEBP", {"lossless": True, "method": 0}),
        ("TIFF", {"compression": "tiff_adobe_deflate"}),
    )
    for item, (kind, options) in zip(own[5:8], lossless, strict=False):
        name = f"{folder}/{_stem(item)}-lossless.{kind.lower()}"
        yield PlantedFile(name, _saved(_opened(item), kind, **options), "duplicate", item.name)
    changes: tuple[tuple[str, Callable[[Image.Image], Image.Image]], ...] = (
        ("again", lambda image: image),
        ("small", lambda image: ImageOps.scale(image, 0.5)),
        ("mirrored", ImageOps.mirror),
        ("web", lambda image: image),
        ("preview", lambda image: ImageOps.scale(image, 0.8)),
        ("flipped", lambda image: ImageOps.scale(ImageOps.mirror(image), 0.7)),
    )
    for k, (item, (word, change)) in enumerate(zip(own[8:14], changes, strict=False)):
        data = _saved(change(_opened(item)), "JPEG", quality=60 + 5 * k)
        yield PlantedFile(f"{folder}/{_stem(item)}_{word}.jpg", data, "duplicate", item.name)


def _two_labels(good: Sequence[SampleFile]) -> Iterator[PlantedFile]:
    """Yield a picture of each class under the other label, too: equal bytes, and saved again."""
    painted, generated = ([g for g in good if g.name.startswith(f)][-1] for f in FOLDERS)
    name = f"{FOLDERS[1]}/download.{_suffix(painted)}"
    yield PlantedFile(name, painted.data, "both labels", painted.name)
    again = _saved(_opened(generated), "JPEG", quality=70)
    yield PlantedFile(f"{FOLDERS[0]}/download (1).jpg", again, "both labels", generated.name)


def _broken(folder: str, seed: int, generated: bool) -> Iterator[PlantedFile]:
    """Yield files of one folder that are no usable pictures."""
    first, second, third = (_picture(seed, k + 500 * generated, generated) for k in (1, 2, 3))
    whole, flat = _saved(first, "JPEG", quality=80), _saved(second, "PNG")
    yield PlantedFile(f"{folder}/half.jpg", whole[: len(whole) // 2], "truncated")
    cut = _saved(third, "JPEG", quality=80)
    yield PlantedFile(f"{folder}/tail.jpg", cut[: len(cut) * 98 // 100], "truncated")
    yield PlantedFile(f"{folder}/half.png", flat[: len(flat) // 2], "truncated")
    yield PlantedFile(f"{folder}/nothing.jpg", b"", "empty")
    page = b"<!DOCTYPE html>\n<html><head><title>403 Forbidden</title></head><body></body></html>\n"
    yield PlantedFile(f"{folder}/forbidden.jpg", page, "not a picture")
    yield PlantedFile(f"{folder}/README.txt", b"Thank you for the download.\n", "not a picture")
    frames = [second.resize((96, 72)), third.resize((96, 72))]
    film: dict[str, Any] = {"save_all": True, "append_images": frames[1:], "duration": 200}
    yield PlantedFile(f"{folder}/moving.gif", _saved(frames[0], "GIF", **film), "animated")
    yield PlantedFile(f"{folder}/moving.webp", _saved(frames[0], "WEBP", **film), "animated")
    yield PlantedFile(f"{folder}/icon.png", _saved(first.resize((20, 30)), "PNG"), "too small")


def _odd(folder: str, seed: int, generated: bool) -> Iterator[PlantedFile]:
    """Yield pictures of one class in unusual modes, or under unusual names."""
    images = iter(_picture(seed, k + 10 + 500 * generated, generated) for k in range(30))
    for name, data in [*_odd_modes(images), *_turned(images), *_odd_names(images)]:
        yield PlantedFile(f"{folder}/{name}", data, "kept")


def _odd_modes(images: Iterator[Image.Image]) -> Iterator[tuple[str, bytes]]:
    """Yield names and files in modes other than RGB."""
    palette = next(images).quantize(64)
    yield "palette.png", _saved(palette, "PNG", transparency=5)
    see_through = next(images)
    hole = np.full((see_through.height, see_through.width), 255, np.uint8)
    hole[:40, :40] = 0
    see_through.putalpha(Image.fromarray(hole))
    yield "cutout.png", _saved(see_through, "PNG")
    yield "print.jpg", _saved(next(images).convert("CMYK"), "JPEG", quality=80)
    yield "grey.jpg", _saved(next(images).convert("L"), "JPEG", quality=80)
    deep = np.asarray(next(images).convert("L")).astype(np.uint16) * 257
    yield "scan16.png", _saved(Image.fromarray(deep), "PNG")
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    # Bytes 24 to 35 of a profile are its creation time: no clock in an output.
    dated = profile[:24] + bytes(12) + profile[36:]
    yield "profile.jpg", _saved(next(images), "JPEG", quality=80, icc_profile=dated)


def _turned(images: Iterator[Image.Image]) -> Iterator[tuple[str, bytes]]:
    """Yield names and files with an EXIF orientation, as of a camera held sideways."""
    for orientation, degrees in ROTATIONS.items():
        exif = Image.Exif()
        exif[0x0112] = orientation
        turned = next(images).rotate(degrees, expand=True)
        yield f"camera{orientation}.jpg", _saved(turned, "JPEG", quality=80, exif=exif)


def _odd_names(images: Iterator[Image.Image]) -> Iterator[tuple[str, bytes]]:
    """Yield names that break scripts, and files whose suffix is wrong or missing."""
    yield "really a png.jpg", _saved(next(images), "PNG")
    for name in (
        "really a jpeg.png",
        "no suffix",
        "-rf.jpg",
        ".hidden.jpg",
        "two  spaces.jpg",
        "été.jpg",
        "漢字.jpg",
        "🎨.jpg",
    ):
        yield name, _saved(next(images), "JPEG", quality=80)


def _suffix(item: SampleFile) -> str:
    """Return the suffix of a file's name."""
    return item.name.rpartition(".")[2]


def _stem(item: SampleFile) -> str:
    """Return a file's name without its folder and its suffix."""
    return item.name.rpartition("/")[2].rpartition(".")[0]
