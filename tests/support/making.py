"""Makers of tiny real things for the tests: pictures, files, archives, tables."""

import io
import struct
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from hypothesis import Phase, settings
from numpy.typing import NDArray
from PIL import Image

from realart.core import tables
from realart.data import decoding, fingerprints
from realart.data.fingerprints import Fingerprint
from realart.data.pictures import Pixels
from realart.params import LabelNames, load_params

PARAMS = load_params(Path(__file__).parents[2] / "params.yaml")
TABLES = settings(max_examples=20, phases=[Phase.explicit, Phase.generate], deadline=None)
"""For laws over whole tables: to shrink one would take minutes, and a seed says which it was."""

LABELS = LabelNames(ai=["ai"], human=["human"])


def picture(seed: int, width: int = 96, height: int = 80) -> Pixels:
    """Paint colour clouds that no other seed paints: coarse shapes, and finer ones upon them."""
    generator = np.random.default_rng(seed)
    canvas = np.zeros((height, width, 3))
    for cells, strength in ((4, 90), (12, 35)):
        clouds = generator.integers(0, 256, (cells, cells, 3), np.uint8)
        smooth = Image.fromarray(clouds).resize((width, height), Image.Resampling.BICUBIC)
        canvas += (np.asarray(smooth) - 128.0) / 128 * strength
    return np.clip(canvas + 128, 0, 255).astype(np.uint8)


def fingerprint(pixels: Pixels) -> Fingerprint:
    """Take the fingerprint of a picture that is stored as it is."""
    stored = repr(pixels.shape).encode() + pixels.tobytes()
    return fingerprints.fingerprint(Image.fromarray(pixels), stored)


def plain(colour: tuple[int, int, int], width: int = 96, height: int = 80) -> Pixels:
    """Fill a picture with one colour."""
    return np.full((height, width, 3), colour, np.uint8)


def file(image: Pixels | Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    """Encode a picture with Pillow."""
    buffer = io.BytesIO()
    image = image if isinstance(image, Image.Image) else Image.fromarray(image)
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def tiff(*pages: tuple[Pixels | NDArray[np.uint16] | bytes, dict[int, tuple[int, ...]]]) -> bytes:
    """Write a TIFF 6.0 of uncompressed pages, each its samples and its tags (all as LONG).

    Width, height, strip and compression are added where samples are an array (height, width, ...).
    """
    data, links = b"II*\0", [4]
    data += bytes(4)
    for samples, given in pages:
        packed = samples if isinstance(samples, bytes) else samples.tobytes()
        tags = {259: (1,), 273: (len(data),), 279: (len(packed),), **given}
        if not isinstance(samples, bytes):
            tags |= {256: (samples.shape[1],), 257: (samples.shape[0],)}
        data += packed + bytes(len(packed) % 2)
        entries = b""
        for tag, values in sorted(tags.items()):
            value = struct.pack(f"<{len(values)}I", *values)
            if len(values) > 1:
                data, value = data + value, struct.pack("<I", len(data))
            entries += struct.pack("<HHI", tag, 4, len(values)) + value
        data = data[: links[-1]] + struct.pack("<I", len(data)) + data[links[-1] + 4 :]
        data += struct.pack("<H", len(tags)) + entries
        links.append(len(data))
        data += bytes(4)
    return data


def decoded(data: bytes) -> Pixels:
    """Decode a file of `file`, or of any kind that is read."""
    return np.asarray(decoding.read(data))


def animation(kind: str) -> bytes:
    """Encode two frames."""
    first, second = (Image.fromarray(picture(seed)) for seed in (1, 2))
    return file(first, kind, save_all=True, append_images=[second])


def archive(path: Path, files: Iterable[tuple[str, bytes]]) -> Path:
    """Write a zip that stores its files as they are; a name may come twice."""
    with zipfile.ZipFile(path, "w") as opened:
        for name, data in files:
            opened.writestr(zipfile.ZipInfo(name), data)
    return path


def distance(a: Pixels, b: Pixels) -> float:
    """Return how far two pictures of one shape are apart, in mean grey levels."""
    assert a.shape == b.shape
    return float(np.abs(a.astype(float) - b).mean())


def published(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Make a table of pictures from what matters of each; a picture is its own group and source."""
    empty = {name: kind() for name, kind in tables.PICTURES.items()}
    full = [
        empty | {"group": row["id"], "file": f"clean/pictures/{row['id']}.jpg"} | row
        for row in rows
    ]
    return pd.DataFrame(full, columns=list(tables.PICTURES)).astype(tables.PICTURES)
