"""Formats: which are read, the names of others, and the full page of a TIFF."""

import io

import numpy as np
import pytest
from making import file, picture, tiff
from PIL import Image

from realart.data import decoding, formats
from realart.data.decoding import UnusableFileError
from realart.data.pictures import Pixels

PIXELS, SMALL = picture(1), picture(1, 24, 20)
RGB: dict[int, tuple[int, ...]] = {258: (8, 8, 8), 262: (2,), 277: (3,)}
REDUCED, MASK, PAGE, FULL = ({254: (kind,)} for kind in (1, 4, 2, 0))
OWN_FORMATS = ("PPM", "TGA", "ICO", "ICNS", "PCX", "SGI", "EPS", "PDF", "DDS", "JPEG2000", "QOI")


def page(pixels: Pixels, kind: dict[int, tuple[int, ...]]) -> tuple[Pixels, dict[int, tuple]]:
    return pixels, RGB | kind


def refused(data: bytes) -> UnusableFileError:
    with pytest.raises(UnusableFileError) as caught:
        decoding.read(data)
    return caught.value


@pytest.mark.parametrize("kind", OWN_FORMATS)
def test_an_unread_format_of_pillow_is_named(kind: str) -> None:
    error = refused(file(PIXELS, kind))
    assert error.reason == "unsupported"
    assert error.detail.replace(" ", "").startswith(kind)


BEGINNINGS = {
    "HEIC": b"\0\0\0\x18ftypheic\0\0\0\0mif1heic",
    "HEIC (HEIF)": b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic",
    "JPEG XL": b"\xff\x0a\xfa\x1f\x41\x91",
    "JPEG XL ": b"\0\0\0\x0cJXL \r\n\x87\n",
    "JPEG 2000": b"\xff\x4f\xff\x51",
    "JPEG XR": b"II\xbc\x01",
    "JPEG-LS": b"\xff\xd8\xff\xf7\0\x0b\x08",
    "PSD": b"8BPS\0\x01",
    "PSD (large)": b"8BPS\0\x02",
    "SVG": b"<?xml version='1.0'?>\n<!-- by hand -->\n<svg width='9'/>",
    "EPS": b"\xc5\xd0\xd3\xc6 \0\0\0",
    "camera raw": b"II*\0\x10\0\0\0CR\x02\0",
    "camera raw (Fuji)": b"FUJIFILMCCD-RAW 0201",
    "camera raw (CR3)": b"\0\0\0\x18ftypcrx \0\0\0\1crx isom",
    "OpenEXR": b"\x76\x2f\x31\x01\2\0\0\0",
    "Radiance HDR": b"#?RADIANCE\n",
    "Krita": b"PK\3\4" + bytes(26) + b"mimetypeapplication/x-krita",
    "XCF": b"gimp xcf v011\0",
    "Apple": b"\x89PNG\r\n\x1a\n\0\0\0\x04CgBI",
    "PAM": b"P7\nWIDTH 9\n",
}


@pytest.mark.parametrize("name", BEGINNINGS)
def test_a_format_is_named_by_how_its_files_begin(name: str) -> None:
    error = refused(BEGINNINGS[name] + bytes(100))
    assert error.reason == "unsupported"
    assert error.detail.startswith(name.split(" (")[0].strip())


@pytest.mark.parametrize(
    "data",
    [
        b"\0" * 100,
        b"P\n\n a poem",
        b"<html><body><svg></svg></body></html>",
        b"<?xml version='1.0'?><rss/>",
        b"PK\3\4" + bytes(60),
        b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom",
        b"plain text, of nothing",
    ],
)
def test_other_files_have_no_format_name(data: bytes) -> None:
    assert str(refused(data)) == "not a picture"


@pytest.mark.parametrize("kind", [*formats.FORMATS, "MPO"])
def test_a_format_that_is_read_is_never_named(kind: str) -> None:
    for mode in ("L", "RGB"):
        assert not formats.unread_format(file(Image.fromarray(PIXELS).convert(mode), kind))


def test_an_avif_of_a_general_brand_is_no_heic() -> None:
    data = file(PIXELS, "AVIF").replace(b"ftypavif", b"ftypmif1")
    assert data[8:12] == b"mif1"
    assert decoding.decode(data, 10**6)[1].format == "AVIF"


# What decoders say


def jpeg_of_12_bits() -> bytes:
    data = file(PIXELS, "JPEG")
    frame = data.index(b"\xff\xc0")
    return data[: frame + 4] + b"\x0c" + data[frame + 5 :]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (file(PIXELS, "AVIF")[:60], "corrupt: Failed to decode image: "),
        (file(PIXELS, "WEBP")[:40], "corrupt: could not create decoder object"),
        (b"\x89PNG\r\n\x1a\n" + bytes(30), "corrupt: broken PNG file"),
        (b"\x89PNG\r\n\x1a\n", "corrupt: its header is cut short"),
        (jpeg_of_12_bits(), "unsupported: cannot handle 12-bit layers"),
        (tiff((PIXELS[..., 0], {258: (8,), 262: (9,)})), "unsupported: unknown pixel mode"),
    ],
)
def test_the_decoders_message_reaches_the_detail(data: bytes, message: str) -> None:
    assert str(refused(data)).startswith(message)


# Pages of a TIFF


@pytest.mark.parametrize(
    "pages",
    [
        [page(PIXELS, FULL)],
        [page(PIXELS, REDUCED)],  # alone, it is what there is
        [page(PIXELS, {}), page(SMALL, REDUCED)],
        [page(PIXELS, {}), page(PIXELS, MASK), page(SMALL, {254: (5,)})],
        [page(SMALL, REDUCED), page(PIXELS, FULL)],
        [page(PIXELS, PAGE), page(SMALL, REDUCED), page(SMALL, REDUCED)],
    ],
)
def test_the_only_full_page_is_the_picture(pages: list[tuple[Pixels, dict[int, tuple]]]) -> None:
    assert np.array_equal(decoding.read(tiff(*pages)), PIXELS)


def test_the_pixel_limit_applies_to_the_full_page() -> None:
    data = tiff(page(SMALL, REDUCED), page(PIXELS, FULL))
    with pytest.raises(UnusableFileError, match="too large: 96x80"):
        decoding.decode(data, max_pixels=1000)


@pytest.mark.parametrize("count", [2, 5])
def test_full_pages_are_pages_and_no_animation(count: int) -> None:
    pages = [page(picture(seed), FULL) for seed in range(count)]
    message = f"unsupported: {count} pages: save each as a file of its own"
    assert str(refused(tiff(*pages, page(SMALL, REDUCED)))) == message


@pytest.mark.parametrize(
    "tags", [REDUCED | {330: (8,)}, FULL | {50706: (0x01040000,)}], ids=["NEF", "DNG"]
)
def test_the_preview_of_a_camera_raw_is_not_read(
    tags: dict[int, tuple[int, ...]],
) -> None:
    assert str(refused(tiff(page(SMALL, tags)))).startswith("unsupported: camera raw")


def test_the_tiffs_of_these_tests_are_tiffs() -> None:
    opened = Image.open(io.BytesIO(tiff(page(SMALL, REDUCED), page(PIXELS, FULL))))
    assert getattr(opened, "n_frames", 0) == 2
    assert np.array_equal(opened, SMALL)
