"""Metadata blocks of a file in any format; no pixel is decoded."""

import io
import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Literal

from PIL import Image
from PIL.TiffImagePlugin import TiffImageFile

from realart.data.formats import FORMATS
from realart.data.structure import PNG, png_chunks
from realart.serving.provenance.wording import MAX_LENGTH, to_text

_WITH_PIXELS = (b"IHDR", b"IDAT", b"acTL", b"fcTL", b"fdAT", b"IEND")

# Starts of XMP and EXIF in JPEG segments, and in profiles that were copied from these.
_XMP = b"http://ns.adobe.com/xap/1.0/\0"
_RDF = b"http://www.w3.org/1999/02/22-rdf-syntax-ns#"
"""A namespace in the first element of every packet, found ten times as fast as a shorter string."""
_EXIF = b"Exif\0\0"
_TIFF = (b"II*\0", b"MM\0*")
_IPTC_OF_TIFF = (33723, 34377)  # IPTC-NAA, and Photoshop's image resources
_IPTC_OF_PHOTOSHOP = 0x0404
_PROFILE = "Raw profile type "
"""Start of the keyword of texts in which ImageMagick stores profiles as hexadecimal digits.

https://github.com/ImageMagick/ImageMagick (coders/png.c).
"""


@dataclass
class Metadata:
    """The metadata blocks of a file.

    Attributes
    ----------
    format
        Pillow's name of the format; "" if Pillow can't open the file.
    texts
        Texts by keyword: text chunks of PNG, and comments.
    exif
        Decoded EXIF blocks.
    xmp, iptc
        XMP packets, and IIM blocks or image resources of Photoshop: bytes as in the file.
    """

    format: str = ""
    texts: dict[str, str] = field(default_factory=dict)
    exif: list[Image.Exif] = field(default_factory=list)
    xmp: list[bytes] = field(default_factory=list)
    iptc: list[bytes] = field(default_factory=list)


def read(data: bytes) -> Metadata:
    """Read the metadata blocks of a file.

    In files that Pillow can't open (HEIC, JPEG XL, truncated files) EXIF and XMP are searched for
    by their bytes; XMP is made to be found so (XMP specification part 3, packet scanning).
    """
    metadata = Metadata()
    with suppress(Exception), _open(data) as image:
        metadata.format = image.format or ""
        _add_info(metadata, image)
        # The method of PngImageFile would decode pixels.
        metadata.exif.append(Image.Image.getexif(image))
        metadata.iptc += _iptc_of_tiff(image)
    if not metadata.xmp:
        metadata.xmp += _packet(data)
    if not metadata.format and (at := data.find(_EXIF)) >= 0:
        metadata.exif.append(_exif(data[at : at + MAX_LENGTH]))
    return metadata


def chunk(kind: bytes, content: bytes) -> bytes:
    """Encode a chunk of PNG: length, type, content and checksum."""
    checksum = zlib.crc32(kind + content).to_bytes(4, "big")
    return len(content).to_bytes(4, "big") + kind + content + checksum


def _open(data: bytes) -> Image.Image:
    """Open a file; a PNG without its pixels.

    Pillow reads the texts behind the pixels of a PNG only when it decodes these. The header is
    changed to 1x1 pixels, so that no PNG is too large to be opened.
    """
    if data.startswith(PNG):
        kept = [
            data[begin:end] for kind, begin, end in png_chunks(data) if kind not in _WITH_PIXELS
        ]
        header = chunk(b"IHDR", bytes((0, 0, 0, 1)) * 2 + data[24:29])
        data = b"".join([PNG, header, *kept, chunk(b"IEND", b"")])
    return Image.open(io.BytesIO(data), formats=FORMATS)


def _add_info(metadata: Metadata, image: Image.Image) -> None:
    for key, value in image.info.items():
        keyword = str(key)
        if keyword == "xmp" and isinstance(value, bytes):
            metadata.xmp.append(value)
        elif keyword == "photoshop" and isinstance(value, dict):
            metadata.iptc.append(bytes(value.get(_IPTC_OF_PHOTOSHOP, b"")))
        elif keyword.lower().startswith(_PROFILE.lower()):
            with suppress(ValueError):
                _add_profile(metadata, keyword[len(_PROFILE) :], _unhex(str(value)))
        elif keyword != "XML:com.adobe.xmp" and (isinstance(value, str) or keyword == "comment"):
            metadata.texts[keyword] = to_text(value)


def _add_profile(metadata: Metadata, name: str, profile: bytes) -> None:
    if profile.startswith((_EXIF, *_TIFF)):
        metadata.exif.append(_exif(profile))
    elif profile.startswith(_XMP) or name == "xmp":
        metadata.xmp.append(profile.removeprefix(_XMP))
    elif name in ("iptc", "8bim", "APP13"):
        metadata.iptc.append(profile)


def _unhex(profile: str) -> bytes:
    """Decode a profile from a line with its name, one with its length in bytes, and its digits."""
    _, _, *digits = profile[: 2 * MAX_LENGTH].strip().split("\n")
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
        if isinstance(value, tuple):  # many programs write IPTC-NAA as words of 32 bits
            value = b"".join(word.to_bytes(4, order) for word in value[: MAX_LENGTH // 4])
        yield bytes(value)


def _packet(data: bytes) -> Iterator[bytes]:
    at = data.find(_RDF)
    if at >= 0:
        end = data.find(b"</rdf:RDF>", at, at + MAX_LENGTH)
        yield data[at : end if end >= 0 else at + MAX_LENGTH]
