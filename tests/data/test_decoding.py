"""Decoding by content: orientation, colours, transparency, and every kind of unusable file."""

import resource
import struct
import warnings
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from making import animation, distance, file, picture, plain
from PIL import Image, ImageCms

from realart.data import decoding
from realart.data.decoding import UnusableFileError
from realart.data.headers import Header
from realart.data.pictures import Pixels

PIXELS = picture(1)
IMAGE = Image.fromarray(PIXELS)
LOSSLESS = [("PNG", {}), ("BMP", {}), ("TIFF", {}), ("WEBP", {"lossless": True})]
LOSSY = [("JPEG", {"quality": 90}), ("JPEG", {"progressive": True}), ("WEBP", {}), ("AVIF", {})]


def decode(data: bytes) -> Pixels:
    return np.asarray(decoding.decode(data, max_pixels=10**8)[0])


def reason(data: bytes, max_pixels: int = 10**8, min_side: int = 1) -> str:
    with pytest.raises(UnusableFileError) as caught:
        decoding.decode(data, max_pixels, min_side)
    return caught.value.reason


# What can be decoded


@pytest.mark.parametrize(("kind", "options"), LOSSLESS)
def test_lossless_formats_give_the_published_pixels(kind: str, options: dict[str, bool]) -> None:
    image, header = decoding.decode(file(PIXELS, kind, **options), 10**8)
    assert np.array_equal(image, PIXELS)
    assert header == Header(kind, "RGB", 96, 80)


@pytest.mark.parametrize(("kind", "options"), [*LOSSY, ("GIF", {})])
def test_lossy_formats_give_nearly_the_published_pixels(kind: str, options: dict[str, int]) -> None:
    assert distance(decode(file(PIXELS, kind, **options)), PIXELS) < 8


def test_a_jpeg_with_a_second_picture_is_decoded() -> None:
    second = Image.fromarray(picture(2))
    data = file(PIXELS, "MPO", save_all=True, append_images=[second])
    image, header = decoding.decode(data, 10**8)
    assert header.format == "MPO"
    assert distance(np.asarray(image), PIXELS) < 8


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "AVIF"])
def test_animations_are_rejected(kind: str) -> None:
    assert reason(animation(kind)) == "animated"


def test_grey_levels_are_kept_whatever_stores_them() -> None:
    grey = PIXELS[..., 0]
    for image in (
        Image.fromarray(grey),
        Image.fromarray(grey.astype(np.uint16) << 8 | 0x7F),
        Image.merge("LA", [Image.fromarray(grey), Image.new("L", (96, 80), 255)]),
    ):
        pixels = decode(file(image))
        assert all(np.array_equal(pixels[..., channel], grey) for channel in range(3)), image.mode


def test_cmyk_becomes_rgb() -> None:
    image = Image.fromarray(PIXELS).convert("CMYK")
    decoded, header = decoding.decode(file(image, "JPEG", quality=95), 10**8)
    assert header.mode == "CMYK"
    assert distance(np.asarray(decoded), np.asarray(image.convert("RGB"))) < 8


def test_transparency_is_laid_on_white() -> None:
    alpha = np.zeros((80, 96), np.uint8)
    alpha[:, 32:] = 128
    alpha[:, 64:] = 255
    pixels = decode(file(np.dstack([plain((200, 0, 100)), alpha])))
    assert pixels[0, [0, 40, 80]].tolist() == [[255, 255, 255], [227, 127, 177], [200, 0, 100]]


def test_a_transparent_palette_colour_is_laid_on_white() -> None:
    image = Image.fromarray(np.repeat(np.uint8([[0, 1]]), 4, 0))
    image.putpalette([255, 0, 0, 0, 255, 0])
    pixels = decode(file(image, transparency=0))
    assert pixels[0].tolist() == [[255, 255, 255], [0, 255, 0]]


# Turned and coloured as meant

HOW_A_CAMERA_STORES = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize("orientation", HOW_A_CAMERA_STORES)
def test_every_exif_orientation_comes_upright(orientation: int, kind: str) -> None:
    image = Image.fromarray(PIXELS)
    turn = HOW_A_CAMERA_STORES[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = file(image.transpose(turn) if turn is not None else image, kind, exif=exif, quality=95)
    assert distance(decode(data), PIXELS) < 4


def red_and_blue_swapped() -> bytes:
    """Return an sRGB profile whose first channel is blue, and the third red."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    tags = profile[:400].replace(b"rXYZ", b"----").replace(b"bXYZ", b"rXYZ")
    return tags.replace(b"----", b"bXYZ") + profile[400:]


@pytest.mark.parametrize(
    ("mode", "kind"),
    [(mode, kind) for mode in ("RGB", "RGBA", "P") for kind in ("PNG", "TIFF")]
    + [("RGB", "JPEG"), ("RGB", "WEBP"), ("RGBA", "WEBP")],
)
def test_a_colour_profile_is_converted(mode: str, kind: str) -> None:
    image = Image.fromarray(plain((255, 0, 0))).convert(mode)
    data = file(image, kind, icc_profile=red_and_blue_swapped())
    assert distance(decode(data), plain((0, 0, 255))) < 8


@pytest.mark.parametrize("profile", [b"x", b"rubbish" * 30, red_and_blue_swapped()[:200]])
@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_a_broken_colour_profile_loses_no_picture(kind: str, profile: bytes) -> None:
    data = file(PIXELS, kind, icc_profile=profile)
    assert np.array_equal(decode(data), decode(file(PIXELS, kind)))


def test_a_profile_of_another_colour_space_loses_no_picture() -> None:
    grey = Image.fromarray(PIXELS[..., 0])
    data = file(grey, icc_profile=red_and_blue_swapped())
    assert np.array_equal(decode(data), decode(file(grey)))


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_srgb_by_another_name_changes_nothing(mode: str) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    image = Image.fromarray(PIXELS).convert(mode)
    renamed = profile.replace("sRGB".encode("utf-16-be"), "else".encode("utf-16-be"))
    assert renamed != profile
    assert np.array_equal(decode(file(image, icc_profile=renamed)), PIXELS)


# What can't be decoded


@pytest.mark.parametrize(("kind", "options"), [*LOSSY, *LOSSLESS])
def test_a_file_cut_at_any_tenth_is_not_kept(kind: str, options: dict[str, bool]) -> None:
    data = file(PIXELS, kind, **options)
    reasons = {reason(data[: len(data) * tenth // 10]) for tenth in range(1, 10)}
    assert reasons <= {"corrupt", "not a picture"}


@pytest.mark.parametrize("missing", [1, 2, 10, 100, 500])
def test_a_jpeg_that_lacks_its_end_is_corrupt(missing: int) -> None:
    assert reason(file(PIXELS, "JPEG")[:-missing]) == "corrupt"


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", "empty"),
        (b"\0" * 1000, "not a picture"),
        (b"<!DOCTYPE html><html><body>404</body></html>", "not a picture"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "unsupported"),
        (file(PIXELS, "PPM"), "unsupported"),
        (file(PIXELS, "ICO"), "unsupported"),
        (file(Image.new("F", (96, 80)), "TIFF"), "unsupported"),
        (file(Image.new("I", (96, 80)), "TIFF"), "unsupported"),
    ],
)
def test_unusable_files_have_their_reason(data: bytes, expected: str) -> None:
    assert reason(data) == expected


def test_limits_of_size_are_inclusive() -> None:
    data = file(PIXELS)
    assert decoding.decode(data, 96 * 80, 80)
    assert reason(data, max_pixels=96 * 80 - 1) == "too large"
    assert reason(data, min_side=81) == "too small"


def png_that_claims(width: int, height: int) -> bytes:
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return file(PIXELS)[:12] + header + struct.pack(">I", zlib.crc32(header)) + file(PIXELS)[33:]


@pytest.mark.parametrize("side", [10_001, 13_000, 60_000])
def test_a_bomb_is_rejected_by_its_header(side: int) -> None:
    gif = bytearray(file(PIXELS, "GIF"))
    gif[6:10] = struct.pack("<HH", side, side)
    bmp = bytearray(file(PIXELS, "BMP"))
    bmp[18:26] = struct.pack("<ii", side, side)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for data in (png_that_claims(side, side), bytes(gif), bytes(bmp)):
            assert reason(data) == "too large"
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000  # kB


@given(
    st.sampled_from(
        [file(PIXELS[:20, :24], kind, **options) for kind, options in LOSSY + LOSSLESS]
    ),
    st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), min_size=1, max_size=8),
)
@pytest.mark.filterwarnings("error")
def test_a_damaged_file_is_decoded_or_unusable(
    data: bytes, damage: list[tuple[float, int]]
) -> None:
    damaged = bytearray(data)
    for place, value in damage:
        damaged[int(place**2 * (len(data) - 1))] = value  # mostly headers
    try:
        image, _ = decoding.decode(bytes(damaged), max_pixels=10**6)
    except UnusableFileError:
        return
    assert image.mode == "RGB"


@pytest.mark.parametrize("kind", ["AVIF", "TIFF"])
@pytest.mark.filterwarnings("error")
def test_damaged_headers_raise_unusable_file_errors_only(kind: str) -> None:
    data = file(PIXELS[:20, :24], kind)
    start = len(data) - 300 if kind == "TIFF" else 0
    for place in range(max(0, start), min(len(data), start + 300)):
        for value in (0, 1, 255):
            damaged = data[:place] + bytes([value]) + data[place + 1 :]
            try:
                decoding.decode(damaged, max_pixels=10**6)
            except UnusableFileError:
                continue


# The canonical form
