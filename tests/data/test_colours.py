"""Depths, transparency and profiles, each by files whose right colours are known."""

import struct
import zlib

import numpy as np
import pytest
from making import distance, file, picture, plain, tiff
from numpy.typing import NDArray
from PIL import Image, ImageCms

from realart.data import decoding
from realart.data.pictures import Pixels

GREY = np.arange(256, dtype=np.uint16).reshape(16, 16)
PIXELS = picture(1)


def decoded(data: bytes) -> Pixels:
    return np.asarray(decoding.read(data))


def three(grey: NDArray[np.integer]) -> Pixels:
    return np.dstack([grey.astype(np.uint8)] * 3)


def png(
    samples: NDArray[np.integer], bits: int, colour: int, transparent: tuple[int, ...]
) -> bytes:
    """Write a PNG of samples of 2, 4, 8 or 16 bits, with the transparent colour as tRNS."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        checked = kind + data
        return struct.pack(">I", len(data)) + checked + struct.pack(">I", zlib.crc32(checked))

    height, width = samples.shape[:2]
    if bits == 16:
        rows = [row.astype(">u2").tobytes() for row in samples]
    else:
        binary = np.unpackbits(samples.reshape(height, -1, 1).astype(np.uint8), axis=2)
        rows = [np.packbits(row[:, 8 - bits :]).tobytes() for row in binary]
    packed = zlib.compress(b"".join(b"\0" + row for row in rows))
    head = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)
    trns = chunk(b"tRNS", struct.pack(f">{len(transparent)}H", *transparent))
    chunks = chunk(b"IHDR", head) + trns + chunk(b"IDAT", packed) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


# Depth


@pytest.mark.parametrize("white_is_zero", [False, True])
def test_sixteen_bits_of_grey(white_is_zero: bool) -> None:
    samples = GREY * 257
    stored = 65535 - samples if white_is_zero else samples
    data = tiff((stored, {258: (16,), 262: (0 if white_is_zero else 1,)}))
    assert np.array_equal(decoded(data), three(GREY))


def test_twelve_bits_of_grey() -> None:
    """As TIFF packs them: two samples in three bytes, the highest bits first."""
    first, second = (GREY << 4 | GREY >> 4).reshape(-1, 2).T.astype(int)
    packed = np.stack([first >> 4, (first & 15) << 4 | second >> 8, second & 255], 1)
    tags = {256: (16,), 257: (16,), 258: (12,), 262: (1,)}
    data = tiff((packed.astype(np.uint8).tobytes(), tags))
    assert np.array_equal(decoded(data), three(GREY))


@pytest.mark.parametrize("alpha", [(), (2,)])
def test_sixteen_bits_of_colour_lose_their_lower_eight(alpha: tuple[int, ...]) -> None:
    samples = PIXELS.astype(np.uint16) << 8 | 0xFE
    if alpha:
        samples = np.dstack([samples, np.full(samples.shape[:2], 65535, np.uint16)])
    many = samples.shape[2]
    tags = {258: (16,) * many, 262: (2,), 277: (many,)} | ({338: alpha} if alpha else {})
    assert np.array_equal(decoded(tiff((samples, tags))), PIXELS)


# Transparency


@pytest.mark.parametrize("bits", [2, 4, 8, 16])
@pytest.mark.parametrize("transparent", [0, 1, -1])
def test_a_transparent_grey_of_any_depth_is_white(bits: int, transparent: int) -> None:
    most = 2**bits - 1
    transparent %= most + 1
    samples = np.array([[0, 1, 2, most - 1, most]], np.uint16)
    rgb = decoded(png(samples, bits, 0, (transparent,)))
    shown = samples * 255 // most if bits < 16 else samples >> 8
    assert np.array_equal(rgb, three(np.where(samples == transparent, 255, shown)))


@pytest.mark.parametrize("bits", [8, 16])
def test_a_transparent_colour_of_any_depth_is_white(bits: int) -> None:
    colours = np.array([[[1, 2, 3], [1, 2, 4], [3, 2, 1]]], np.uint16)
    if bits == 16:
        colours = colours << 8 | 0x77
    rgb = decoded(png(colours, bits, 2, tuple(colours[0, 0].tolist())))
    assert rgb.tolist() == [[[255, 255, 255], [1, 2, 4], [3, 2, 1]]]


def test_premultiplied_samples_are_laid_on_white() -> None:
    """Associated alpha (ExtraSamples 1): a colour of half opacity has half its value."""
    tags = {258: (8,) * 4, 262: (2,), 277: (4,), 338: (1,)}
    pixels = np.array([[[100, 20, 0, 128], [0, 0, 0, 0], [9, 8, 7, 255]]], np.uint8)
    rgb = decoded(tiff((pixels, tags)))
    assert np.abs(rgb.astype(int) - [[[227, 147, 127], [255] * 3, [9, 8, 7]]]).max() <= 1
    tags = {258: (8,) * 2, 262: (1,), 277: (2,), 338: (1,)}
    rgb = decoded(tiff((np.ascontiguousarray(pixels[..., [0, 3]]), tags)))
    assert np.abs(rgb.astype(int) - [[[227] * 3, [255] * 3, [9] * 3]]).max() <= 1


# Profiles


def profile(space: bytes, tags: dict[bytes, bytes]) -> bytes:
    """Write an ICC profile (version 2) for a display of this colour space."""
    table, data = struct.pack(">I", len(tags)), b""
    start = 128 + 4 + 12 * len(tags)
    for tag, content in tags.items():
        table += struct.pack(">4sII", tag, start + len(data), len(content))
        data += content + bytes(-len(content) % 4)
    size = start + len(data)
    head = struct.pack(">I4xI4s4s4s", size, 0x02400000, b"mntr", space, b"XYZ ")
    head += bytes(12) + b"acsp" + bytes(28) + struct.pack(">III", 0xF6D6, 0x10000, 0xD32D)
    return head.ljust(128, b"\0") + table + data


WHITE = b"XYZ " + struct.pack(">IIII", 0, 0xF6D6, 0x10000, 0xD32D)
LINEAR = b"curv" + struct.pack(">II", 0, 0)
GREY_PROFILE = profile(b"GRAY", {b"wtpt": WHITE, b"kTRC": LINEAR})
"""Says that samples are linear light: 128 is 188 in sRGB."""


def swapped() -> bytes:
    """Return an sRGB profile whose first channel is blue, and whose third is red."""
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    tags = srgb[:400].replace(b"rXYZ", b"----").replace(b"bXYZ", b"rXYZ")
    return tags.replace(b"----", b"bXYZ") + srgb[400:]


@pytest.mark.parametrize("mode", ["L", "LA", "I;16", "L and tRNS", "I;16 and tRNS"])
def test_a_grey_profile_leaves_opacity_unchanged(mode: str) -> None:
    grey = np.full((8, 8), 128, np.uint8)
    deep = grey.astype(np.uint16) << 8
    alpha = np.full((8, 8), 255, np.uint8)
    alpha[:, :4] = 128
    options = {"icc_profile": GREY_PROFILE}
    data = {
        "L": lambda: file(Image.fromarray(grey), **options),
        "LA": lambda: file(
            Image.merge("LA", [Image.fromarray(grey), Image.fromarray(alpha)]), **options
        ),
        "I;16": lambda: file(Image.fromarray(deep), **options),
        "L and tRNS": lambda: file(Image.fromarray(grey), transparency=7, **options),
        "I;16 and tRNS": lambda: file(Image.fromarray(deep), transparency=7, **options),
    }[mode]()
    rgb = decoded(data)
    assert distance(rgb[:, 4:], plain((188, 188, 188), 4, 8)) < 2
    half = (188 + 255) // 2 if mode == "LA" else 188
    assert distance(rgb[:, :4], plain((half, half, half), 4, 8)) < 2


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "AVIF", "TIFF"])
def test_a_profile_is_applied_before_transparency(kind: str) -> None:
    pixels = np.dstack([plain((200, 0, 40)), np.full((80, 96), 128, np.uint8)])
    options = {"lossless": True} if kind == "WEBP" else {}
    rgb = decoded(file(pixels, kind, icc_profile=swapped(), **options))
    assert distance(rgb, plain((147, 127, 227))) < 4


def test_a_profile_of_a_palette_with_opacity() -> None:
    image = Image.fromarray(np.array([[0, 1, 2]] * 3, np.uint8))
    image.putpalette([200, 0, 40, 200, 0, 40, 0, 0, 0])
    rgb = decoded(file(image, transparency=b"\0\x80\xff", icc_profile=swapped()))
    assert np.abs(rgb[0].astype(int) - [[255] * 3, [147, 127, 227], [0] * 3]).max() <= 2
