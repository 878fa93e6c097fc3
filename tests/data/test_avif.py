"""Parts of AVIF that Pillow ignores, tested on files by Pillow with edited boxes."""

import io
import struct

import numpy as np
import pytest
from making import distance, file, picture
from PIL import Image, UnidentifiedImageError

from realart.data import avif, decoding, pictures

PIXELS = picture(1)
TURNED = Image.Exif()
TURNED[0x0112] = 6  # written as irot
ALPHA = np.full((80, 96), 255, np.uint8)
ALPHA[:, :48] = 0


def with_alpha(**options: bytes) -> bytes:
    return file(np.dstack([PIXELS, ALPHA]), "AVIF", quality=100, **options)


def replaced(data: bytes, old: bytes, new: bytes) -> bytes:
    assert data.count(old) == 1
    assert len(old) == len(new)
    return data.replace(old, new)


def properties(data: bytes) -> list[bytes]:
    """Return the kinds of the properties in `ipco`, by their numbers from 1."""
    at = data.index(b"ipco") + 4
    end = at - 8 + int.from_bytes(data[at - 8 : at - 4], "big")
    kinds = [b""]
    while at < end:
        kinds.append(data[at + 4 : at + 8])
        at += int.from_bytes(data[at : at + 4], "big")
    return kinds


def associations(data: bytes) -> tuple[int, list[bytes]]:
    """Return where the entries of `ipma` start, and the entries (version 0, flags 0)."""
    at = data.index(b"ipma") + 4
    assert data[at : at + 4] == bytes(4)
    count = int.from_bytes(data[at + 4 : at + 8], "big")
    at += 8
    start, entries = at, []
    for _ in range(count):
        entries.append(data[at : at + 3 + data[at + 2]])
        at += len(entries[-1])
    return start, entries


def cropped(clap: tuple[int, ...], **options: object) -> bytes:
    """Return an AVIF whose colour profile has become a clean aperture."""
    data = file(PIXELS, "AVIF", quality=100, icc_profile=bytes(28), **options)
    data = replaced(data, b"colrprof" + bytes(28), b"clap" + struct.pack(">IIIIiIiI", *clap))
    number = properties(data).index(b"clap")
    start, (entry,) = associations(data)
    essential = entry[:3] + bytes(n | 0x80 if n == number else n for n in entry[3:])
    return data[:start] + essential + data[start + len(entry) :]


def decoded(data: bytes) -> pictures.Pixels:
    return np.asarray(decoding.read(data))


CROPS = {
    (40, 1, 30, 1, -8, 1, 5, 1): (20, 30, 60, 60),
    (96, 1, 80, 1, 0, 1, 0, 1): (0, 0, 96, 80),
    (41, 1, 80, 1, 1, 2, 0, 1): (28, 0, 69, 80),
    (41, 1, 79, 1, 0, 1, 0, 1): (27, 0, 68, 79),  # between pixels
}


@pytest.mark.parametrize("clap", CROPS)
def test_a_clean_aperture_crops(clap: tuple[int, ...]) -> None:
    left, top, right, bottom = CROPS[clap]
    assert distance(decoded(cropped(clap)), PIXELS[top:bottom, left:right]) < 6


def test_a_clean_aperture_crops_before_the_picture_is_turned() -> None:
    data = cropped((40, 1, 30, 1, -8, 1, 5, 1), exif=TURNED)
    assert b"irot" in properties(data)
    assert distance(decoded(data), np.rot90(PIXELS[30:60, 20:60], -1)) < 6


@pytest.mark.parametrize(
    "clap",
    [
        (97, 1, 80, 1, 0, 1, 0, 1),  # wider
        (40, 1, 80, 1, 29, 1, 0, 1),  # beyond the right side
        (0, 1, 80, 1, 0, 1, 0, 1),
        (40, 0, 80, 1, 0, 1, 0, 1),
    ],
)
def test_an_invalid_aperture_is_ignored(clap: tuple[int, ...]) -> None:
    assert decoded(cropped(clap)).shape == PIXELS.shape


def lacking_the_size_of_alpha() -> bytes:
    """As avif-serialize wrote before 0.7.4."""
    data = with_alpha()
    size = properties(data).index(b"ispe")
    start, (first, alpha) = associations(data)
    assert alpha[3:].count(size) == 1
    none = alpha[:3] + alpha[3:].replace(bytes([size]), b"\0")
    start += len(first)
    return data[:start] + none + data[start + len(alpha) :]


def with_an_association_box_for_each_item() -> bytes:
    """As early encoders wrote; the 16 bytes of the second box are taken from a colour profile."""
    data = with_alpha(icc_profile=bytes(44))
    _, (first, alpha) = associations(data)
    ipco = data.index(b"ipco") - 4
    ipma = data.index(b"ipma") - 4
    end = ipma + int.from_bytes(data[ipma : ipma + 4], "big")
    profile, shorter = (struct.pack(">I8s", 12 + n, b"colrprof") + bytes(n) for n in (44, 28))
    assert profile in data[ipco:ipma]
    properties = data[ipco + 4 : ipma].replace(profile, shorter)
    boxes = b"".join(
        struct.pack(">I4sII", 16 + len(entry), b"ipma", 0, 1) + entry for entry in (first, alpha)
    )
    inner = struct.pack(">I", 4 + len(properties)) + properties + boxes
    assert len(inner) == end - ipco
    return data[:ipco] + inner + data[end:]


@pytest.mark.parametrize(
    "data", [lacking_the_size_of_alpha(), with_an_association_box_for_each_item()]
)
def test_alpha_as_older_encoders_wrote_it_is_read(data: bytes) -> None:
    with pytest.raises(UnidentifiedImageError):
        Image.open(io.BytesIO(data))
    assert np.array_equal(decoded(data), decoded(with_alpha()))


@pytest.mark.parametrize("place", range(0, 400, 7))
def test_damaged_boxes_are_returned_as_they_are_or_rewritten(place: int) -> None:
    data = lacking_the_size_of_alpha()
    for value in (0, 1, 255):
        damaged = data[:place] + bytes([value]) + data[place + 1 :]
        assert len(avif.repair(damaged)) >= len(damaged)
        avif.crop_box(damaged, (96, 80))


def test_an_unreadable_file_has_the_message_of_libavif() -> None:
    data = replaced(file(PIXELS, "AVIF"), b"ipma\0", b"ipma\7")
    with pytest.raises(decoding.UnusableFileError, match=r"corrupt: .*BMFF parsing failed"):
        decoding.read(data)
