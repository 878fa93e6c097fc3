"""Blocks of metadata in a file, wherever its format keeps them; no pixel is decoded."""

import io
import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Literal

from PIL import Image
from PIL.TiffImagePlugin import TiffImageFile

from realart.data.formats import FORMATS
from realart.serving.provenance.wording import MOST, text

# PNG specification (third edition, 2025), 5.2 and 11.2.5. https://www.w3.org/TR/png-3/
PNG = b"\x89PNG\r\n\x1a\n"

_WITH_PIXELS = (b"IHDR", b"IDAT", b"acTL", b"fcTL", b"fdAT", b"IEND")

# How XMP, and EXIF, begin in JPEG's segments, and in the profiles that are copied from those.
_XMP = b"http://ns.adobe.com/xap/1.0/\0"
_RDF = b"http://www.w3.org/1999/02/22-rdf-syntax-ns#"
"""Stands in the first element of every packet; found ten times as fast as what is shorter."""
_EXIF = b"Exif\0\0"
_TIFF = (b"II*\0", b"MM\0*")
_IPTC_OF_TIFF = (33723, 34377)  # IPTC-NAA, and Photoshop's image resources
_IPTC_OF_PHOTOSHOP = 0x0404
_PROFILE = "Raw profile type "
"""Of texts in which ImageMagick keeps profiles as hexadecimal digits (coders/png.c)."""


@dataclass
class Metadata:
    """Blocks of metadata, as they are in the file; `format` is empty where Pillow knows none."""

    format: str = ""
    texts: dict[str, str] = field(default_factory=dict)
    exif: list[Image.Exif] = field(default_factory=list)
    xmp: list[bytes] = field(default_factory=list)
    iptc: list[bytes] = field(default_factory=list)


def read(data: bytes) -> Metadata:
    """Collect the blocks of a file; of one that Pillow can't open, those that stand in its bytes.

    So HEIC, JPEG XL and files that are cut off are looked at, too. XMP is meant to be found so
    (XMP specification part 3, packet scanning).
    """
    found = Metadata()
    with suppress(Exception), _opened(data) as image:
        found.format = image.format or ""
        _add_info(found, image)
        found.exif.append(Image.Image.getexif(image))  # that of PNG would decode pixels
        found.iptc += _iptc_of_tiff(image)
    if not found.xmp:
        found.xmp += _packet(data)
    if not found.format and (at := data.find(_EXIF)) >= 0:
        found.exif.append(_exif(data[at : at + MOST]))
    return found


def chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yield the chunks of a PNG that are whole: type, and where they begin and end in the file."""
    at = len(PNG)
    while at + 12 <= len(data):
        end = at + 12 + int.from_bytes(data[at : at + 4], "big")
        if end <= len(data):
            yield data[at + 4 : at + 8], at, end
        at = end


def chunk(kind: bytes, content: bytes) -> bytes:
    """Return a chunk of PNG."""
    checksum = zlib.crc32(kind + content).to_bytes(4, "big")
    return len(content).to_bytes(4, "big") + kind + content + checksum


def _opened(data: bytes) -> Image.Image:
    """Open a file; of a PNG all but its pixels, behind which Pillow looks only once they decode.

    Without pixels it has a side of 1, so that no PNG is too large to be opened.
    """
    if data.startswith(PNG):
        kept = [data[begin:end] for kind, begin, end in chunks(data) if kind not in _WITH_PIXELS]
        header = chunk(b"IHDR", bytes((0, 0, 0, 1)) * 2 + data[24:29])
        data = b"".join([PNG, header, *kept, chunk(b"IEND", b"")])
    return Image.open(io.BytesIO(data), formats=FORMATS)


def _add_info(found: Metadata, image: Image.Image) -> None:
    for key, value in image.info.items():
        keyword = str(key)
        if keyword == "xmp" and isinstance(value, bytes):
            found.xmp.append(value)
        elif keyword == "photoshop" and isinstance(value, dict):
            found.iptc.append(bytes(value.get(_IPTC_OF_PHOTOSHOP, b"")))
        elif keyword.lower().startswith(_PROFILE.lower()):
            with suppress(ValueError):
                _add_profile(found, keyword[len(_PROFILE) :], _unhex(str(value)))
        elif keyword != "XML:com.adobe.xmp" and (isinstance(value, str) or keyword == "comment"):
            found.texts[keyword] = text(value)


def _add_profile(found: Metadata, name: str, profile: bytes) -> None:
    if profile.startswith((_EXIF, *_TIFF)):
        found.exif.append(_exif(profile))
    elif profile.startswith(_XMP) or name == "xmp":
        found.xmp.append(profile.removeprefix(_XMP))
    elif name in ("iptc", "8bim", "APP13"):
        found.iptc.append(profile)


def _unhex(profile: str) -> bytes:
    """Decode a profile: a line with its name, one with its length in bytes, and digits."""
    _, _, *digits = profile[: 2 * MOST].strip().split("\n")
    joined = "".join(digits)
    return bytes.fromhex(joined[: len(joined) // 2 * 2])


def _exif(block: bytes) -> Image.Exif:
    exif = Image.Exif()
    exif.load(block)
    return exif


def _iptc_of_tiff(image: Image.Image) -> Iterator[bytes]:
    if not isinstance(image, TiffImageFile):
        return
    order: Literal["little", "big"] = "little" if image.tag_v2.prefix == b"II" else "big"
    for tag in _IPTC_OF_TIFF:
        value = image.tag_v2.get(tag, b"")
        if isinstance(value, tuple):  # many write IPTC-NAA as words of 32 bits
            value = b"".join(word.to_bytes(4, order) for word in value[: MOST // 4])
        yield bytes(value)


def _packet(data: bytes) -> Iterator[bytes]:
    at = data.find(_RDF)
    if at >= 0:
        end = data.find(b"</rdf:RDF>", at, at + MOST)
        yield data[at : end if end >= 0 else at + MOST]
