"""IIM is read wherever a format stores it; fields about a picture's origin are reported."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from making import file, picture
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from realart.serving.provenance import evidence, iptc

IMAGE = Image.fromarray(picture(0))
FIELDS = {
    5: "a title", 65: "Dreamer", 80: "Ada", 110: "Made with Google AI", 115: "Museum",
    120: "How Midjourney works",
}  # fmt: skip
FOUND = [
    "IPTC Originating Program 'Dreamer'",
    "IPTC By-line 'Ada'",
    "IPTC Credit 'Made with Google AI'",
    "IPTC Caption 'How Midjourney works'",
]


def iim(fields: dict[int, str] = FIELDS) -> bytes:
    """Encode datasets, preceded by one of the envelope record."""
    datasets = [
        (1, 80, b"no author"),
        *((2, number, text.encode()) for number, text in fields.items()),
    ]
    return b"".join(
        bytes((0x1C, record, number)) + len(value).to_bytes(2, "big") + value
        for record, number, value in datasets
    )


def resources(block: bytes) -> bytes:
    """Encode IIM as an image resource of Photoshop, behind another one."""
    other = b"8BIM\x04\x25\0\0\0\0\0\x04\x1c\x02\x50\0"
    padded = block + bytes(len(block) % 2)
    return other + b"8BIM\x04\x04\0\0" + len(block).to_bytes(4, "big") + padded


def in_jpeg(block: bytes) -> bytes:
    plain, content = file(IMAGE, "JPEG"), b"Photoshop 3.0\0" + resources(block)
    return plain[:2] + b"\xff\xed" + (2 + len(content)).to_bytes(2, "big") + content + plain[2:]


def in_png(block: bytes) -> bytes:
    """Encode a PNG with IIM as ImageMagick stores it."""
    profile = resources(block)
    lines = [profile.hex()[at : at + 72] for at in range(0, 2 * len(profile), 72)]
    info = PngInfo()
    text = "\n".join(["", "iptc", f"{len(profile):8}", *lines, ""])
    info.add_text("Raw profile type iptc", text, zip=True)
    return file(IMAGE, pnginfo=info)


def in_tiff(block: bytes) -> bytes:
    return file(IMAGE, "TIFF", tiffinfo={33723: block})


def in_resources_of_tiff(block: bytes) -> bytes:
    return file(IMAGE, "TIFF", tiffinfo={34377: resources(block)})


@pytest.mark.parametrize("put", [in_jpeg, in_png, in_tiff, in_resources_of_tiff])
def test_fields_of_iim(put) -> None:
    assert evidence(put(iim())) == FOUND
    assert evidence(put(iim({110: "Ada", 80: "\x01\x02", 115: " "}))) == []


@given(st.binary(max_size=200), st.integers(0, 99), st.integers(0, 255))
def test_damaged_iim_raises_nothing(tail: bytes, cut: int, value: int) -> None:
    block = bytearray(resources(iim()) + tail)
    block[cut] = value
    for damaged in (bytes(block), bytes(block[:cut]), b"\x1c\x02" + tail):
        assert all(isinstance(sentence, str) for sentence in iptc.sentences([damaged]))
