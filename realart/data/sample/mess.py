"""What real archives hold besides good pictures, planted in both folders alike, and its fate.

Nothing in the archive says what is planted. Tests call `mess` to know what a cleaning should find.
"""

import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from PIL import Image, ImageCms, ImageOps

from realart.data.sample.finishing import Frame, numbers, render

FOLDERS = ("sample/painted", "sample/generated")  # by whether it is generated
ROTATIONS = {3: 180, 6: 90, 8: 270}  # EXIF orientation, and the turn anticlockwise that undoes it

Fate = Literal[
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
class Good:
    """A file of the archive: its name and its bytes."""

    name: str
    data: bytes


@dataclass(frozen=True)
class Planted(Good):
    """A planted file, what should become of it, and the name of the file that it is a copy of."""

    fate: Fate
    of: str | None = None


def mess(good: Sequence[Good], seed: int) -> list[Planted]:
    """Return the files planted among these good ones, the same for the same good files and seed."""
    planted: list[Planted] = []
    for generated, folder in enumerate(FOLDERS):
        own = [item for item in good if item.name.startswith(folder)][:-1]
        planted += _copies(own, folder)
        planted += _broken(folder, seed, bool(generated))
        planted += _odd(folder, seed, bool(generated))
    planted += _two_labels(good)
    stray = _picture(seed, 9_999, True)
    return [*planted, Planted("sample/unsorted/0001.jpg", _saved(stray, "JPEG"), "no label")]


def _picture(seed: int, index: int, generated: bool, side: int = 280) -> Image.Image:
    """Return a picture that is not among the good ones."""
    frame = Frame(side, side * 3 // 4, "PNG")
    return Image.fromarray(render(frame, generated, numbers(seed, 100_000 + index)))


def _saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    """Return the image as a file."""
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def _opened(item: Good) -> Image.Image:
    """Return the pixels of a good file."""
    return Image.open(io.BytesIO(item.data)).convert("RGB")


def _copies(own: Sequence[Good], folder: str) -> Iterator[Planted]:
    """Yield copies of good pictures of one class: the same bytes, the same pixels, nearly the same.

    Takes pictures from the front; the last one is for `_two_labels`.
    """
    for k, item in enumerate(own[:5]):
        yield Planted(f"{folder}/copy {k}.{_suffix(item)}", item.data, "duplicate", item.name)
    lossless: tuple[tuple[str, dict[str, Any]], ...] = (
        ("PNG", {}),
        ("WEBP", {"lossless": True, "method": 0}),
        ("TIFF", {"compression": "tiff_adobe_deflate"}),
    )
    for item, (kind, options) in zip(own[5:8], lossless, strict=False):
        name = f"{folder}/{_stem(item)}-lossless.{kind.lower()}"
        yield Planted(name, _saved(_opened(item), kind, **options), "duplicate", item.name)
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
        yield Planted(f"{folder}/{_stem(item)}_{word}.jpg", data, "duplicate", item.name)


def _two_labels(good: Sequence[Good]) -> Iterator[Planted]:
    """Yield a picture of each class under the other label too: same bytes, and saved again."""
    painted, generated = ([g for g in good if g.name.startswith(f)][-1] for f in FOLDERS)
    name = f"{FOLDERS[1]}/download.{_suffix(painted)}"
    yield Planted(name, painted.data, "both labels", painted.name)
    again = _saved(_opened(generated), "JPEG", quality=70)
    yield Planted(f"{FOLDERS[0]}/download (1).jpg", again, "both labels", generated.name)


def _broken(folder: str, seed: int, generated: bool) -> Iterator[Planted]:
    """Yield files of one folder that cannot be used, and say why."""
    one, two, three = (_picture(seed, k + 500 * generated, generated) for k in (1, 2, 3))
    whole, flat = _saved(one, "JPEG", quality=80), _saved(two, "PNG")
    yield Planted(f"{folder}/half.jpg", whole[: len(whole) // 2], "truncated")
    cut = _saved(three, "JPEG", quality=80)
    yield Planted(f"{folder}/tail.jpg", cut[: len(cut) * 98 // 100], "truncated")
    yield Planted(f"{folder}/half.png", flat[: len(flat) // 2], "truncated")
    yield Planted(f"{folder}/nothing.jpg", b"", "empty")
    page = b"<!DOCTYPE html>\n<html><head><title>403 Forbidden</title></head><body></body></html>\n"
    yield Planted(f"{folder}/forbidden.jpg", page, "not a picture")
    yield Planted(f"{folder}/README.txt", b"Thank you for the download.\n", "not a picture")
    frames = [two.resize((96, 72)), three.resize((96, 72))]
    film: dict[str, Any] = {"save_all": True, "append_images": frames[1:], "duration": 200}
    yield Planted(f"{folder}/moving.gif", _saved(frames[0], "GIF", **film), "animated")
    yield Planted(f"{folder}/moving.webp", _saved(frames[0], "WEBP", **film), "animated")
    yield Planted(f"{folder}/icon.png", _saved(one.resize((20, 30)), "PNG"), "too small")


def _odd(folder: str, seed: int, generated: bool) -> Iterator[Planted]:
    """Yield good pictures of one class in unusual modes, or under unusual names."""
    image = iter(_picture(seed, k + 10 + 500 * generated, generated) for k in range(30))
    for name, data in [*_odd_modes(image), *_turned(image), *_odd_names(image)]:
        yield Planted(f"{folder}/{name}", data, "kept")


def _odd_modes(image: Iterator[Image.Image]) -> Iterator[tuple[str, bytes]]:
    """Yield names and files in modes other than RGB."""
    palette = next(image).quantize(64)
    yield "palette.png", _saved(palette, "PNG", transparency=5)
    see_through = next(image)
    hole = np.full((see_through.height, see_through.width), 255, np.uint8)
    hole[:40, :40] = 0
    see_through.putalpha(Image.fromarray(hole))
    yield "cutout.png", _saved(see_through, "PNG")
    yield "print.jpg", _saved(next(image).convert("CMYK"), "JPEG", quality=80)
    yield "grey.jpg", _saved(next(image).convert("L"), "JPEG", quality=80)
    deep = np.asarray(next(image).convert("L")).astype(np.uint16) * 257
    yield "scan16.png", _saved(Image.fromarray(deep), "PNG")
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    # Bytes 24 to 35 of a profile are the time of its making: no clock in an output.
    dated = profile[:24] + bytes(12) + profile[36:]
    yield "profile.jpg", _saved(next(image), "JPEG", quality=80, icc_profile=dated)


def _turned(image: Iterator[Image.Image]) -> Iterator[tuple[str, bytes]]:
    """Yield names and files that a camera held sideways would have written."""
    for orientation, degrees in ROTATIONS.items():
        exif = Image.Exif()
        exif[0x0112] = orientation
        turned = next(image).rotate(degrees, expand=True)
        yield f"camera{orientation}.jpg", _saved(turned, "JPEG", quality=80, exif=exif)


def _odd_names(image: Iterator[Image.Image]) -> Iterator[tuple[str, bytes]]:
    """Yield names that trip scripts up, and files whose suffix is wrong or missing."""
    yield "really a png.jpg", _saved(next(image), "PNG")
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
        yield name, _saved(next(image), "JPEG", quality=80)


def _suffix(item: Good) -> str:
    """Return the suffix of a file's name."""
    return item.name.rpartition(".")[2]


def _stem(item: Good) -> str:
    """Return a file's name without its folder and its suffix."""
    return item.name.rpartition("/")[2].rpartition(".")[0]
