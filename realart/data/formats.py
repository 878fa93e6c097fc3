"""File formats: which are read, the names of others, and opening a file by its content."""

import io
import re
import struct
import zlib
from collections.abc import Iterator, Sequence
from contextlib import suppress

from PIL import Image, UnidentifiedImageError
from PIL.ImageFile import ImageFile
from PIL.TiffImagePlugin import SUBIFD

from realart.data import avif, structure

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF")
MAX_PAGES = 100
"""Pages of a TIFF that are looked at: a full one, and any number of reduced copies and masks."""
STILL_WITH_FRAMES = ("MPO",)  # opened as JPEG: a preview or a second eye, no animation

# What decoders raise on damaged files, as found by fuzzing.
DECODER_ERRORS = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    EOFError,
    RuntimeError,
    LookupError,
    ArithmeticError,
    struct.error,
    zlib.error,
)

_SIGNATURES = {
    "Apple's own PNG (CgBI)": rb"\x89PNG\r\n\x1a\n.{4}CgBI",
    "BPG": rb"BPG\xfb",
    "camera raw": rb"II\*\0.{4}CR|II(RO|RS|U\0)|MMOR|FUJIFILMCCD-RAW|FOVb|\0MRM|.{4}ftypcrx ",
    "Clip Studio": rb"CSFCHUNK",
    "CUR": rb"\0\0\x02\0[^\0]\0",
    "DDS": rb"DDS ",
    "DjVu": rb"AT&TFORM",
    "EMF": rb"\x01\0\0\0.{36} EMF",
    "EPS or PostScript": rb"%!PS|\xc5\xd0\xd3\xc6",
    "FITS": rb"SIMPLE  =",
    "HEIC (HEIF)": rb".{4}ftyp(hei[csmx]|hev[cmsx]|(mif1|msf1)(?!.{0,40}avi[fs]))",
    "ICNS": rb"icns",
    "ICO": rb"\0\0\x01\0[^\0]\0",
    "JPEG 2000": rb"\0\0\0\x0cjP  \r\n\x87\n|\xff\x4f\xff\x51",
    "JPEG XL": rb"\0\0\0\x0cJXL \r\n\x87\n|\xff\x0a",
    "JPEG XR": rb"II\xbc[\0\x01]",
    "JPEG-LS": rb"\xff\xd8\xff\xf7",
    "Krita": rb"PK\x03\x04.{26}mimetypeapplication/x-krita",
    "MNG": rb"[\x8a\x8b][MJ]NG\r\n\x1a\n",
    "OpenEXR": rb"\x76\x2f\x31\x01",
    "OpenRaster": rb"PK\x03\x04.{26}mimetypeimage/openraster",
    "PCX": rb"\x0a[\0\x02-\x05]\x01[\x01\x02\x04\x08]",
    "PDF": rb"%PDF-",
    "PFM": rb"P[Ff]\s",
    "PGM": rb"P[25]\s",
    "PPM": rb"P[36]\s",
    "PAM": rb"P7\s",
    "PBM": rb"P[14]\s",
    "PSD": rb"8BPS\0[\x01\x02]",
    "QOI": rb"qoif",
    "Radiance HDR": rb"#\?(RADIANCE|RGBE)",
    "SGI": rb"\x01\xda[\0\x01][\x01\x02]\0",
    "Sun raster": rb"\x59\xa6\x6a\x95",
    "SVG": rb"(\xef\xbb\xbf)?\s*<(svg|(\?xml|!--|!DOCTYPE svg).*?<svg)[\s>]",
    "TGA": rb".(\0[\x02\x03\x0a\x0b]\0{5}.{8}[\x08\x0f\x10\x18\x20]"
    rb"|\x01[\x01\x09].{4}[\x08\x0f\x10\x18\x20].{8}\x08)",
    "WMF": rb"\xd7\xcd\xc6\x9a",
    "XCF": rb"gimp xcf",
    "XPM": rb"/\* XPM \*/",
}
"""First bytes of files in formats that are not read, by their specifications or libmagic."""
_NAMED = [(name, re.compile(start, re.DOTALL)) for name, start in _SIGNATURES.items()]
_NAMED_WITHIN = 2048  # bytes: an SVG may begin with remarks
_CLEAR = re.compile(rb"\xff\xd8\xff[^\xf7]|GIF8|BM|RIFF|\x89PNG.{8}IHDR", re.DOTALL)

# Messages about what Pillow or a library below it can't do, however whole a file may be.
_CANNOT = re.compile(
    r"cannot handle|unknown pixel mode|conversion from YUV|\b(un|not )(supported|implemented|conf)",
    re.I,
)

# TIFF 6.0 (1992), sections 8 and 12, and DNG 1.7 (2023), chapter 4.
_NEW_SUBFILE_TYPE, _DNG_VERSION = 254, 50706
_REDUCED, _MASK = 1, 4


class UnusableFileError(Exception):
    """A file that can't become a picture: a `reason` of `tabulation.REASONS`, and a `detail`."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = " ".join(detail.split())

    def __str__(self) -> str:
        return f"{self.reason}: {self.detail}" if self.detail else self.reason


def open_picture(data: bytes) -> ImageFile:
    """Open a file in one of `FORMATS` at its only full page, without decoding it.

    Raises
    ------
    UnusableFileError
        With the reason `not a picture`, `animated`, `too large` or `unsupported`.
    Exception
        One of `DECODER_ERRORS`, with the decoder's message.
    """
    if name := unread_format(data):
        raise UnusableFileError("unsupported", f"{name} is not read, only {', '.join(FORMATS)}")
    if excess := structure.excess(data):
        raise UnusableFileError("too large", excess)
    try:
        image = Image.open(io.BytesIO(data), formats=FORMATS)
    except Image.DecompressionBombError as error:
        raise UnusableFileError("too large", str(error)) from error
    except UnidentifiedImageError as error:
        image = _open_by_signature(data, error)
    if image.format == "TIFF":
        _seek_full_page(image)
    elif (frames := getattr(image, "n_frames", 1)) > 1 and image.format not in STILL_WITH_FRAMES:
        raise UnusableFileError("animated", f"{frames} frames")
    return image


def unread_format(data: bytes) -> str:
    """Return the name of a known format that is not read, by a file's first bytes; else empty."""
    if _CLEAR.match(data):
        return ""
    start = data[:_NAMED_WITHIN]
    return next((name for name, pattern in _NAMED if pattern.match(start)), "")


def unusable_file_error(error: Exception, messages: Sequence[str]) -> UnusableFileError:
    """Return the error for a file that failed to decode, from the decoder's error and messages."""
    truncated = isinstance(error.__cause__ or error, struct.error)
    detail = "; ".join(["its header is cut short" if truncated else str(error), *messages[:1]])
    return UnusableFileError("unsupported" if _CANNOT.search(detail) else "corrupt", detail)


def _open_by_signature(data: bytes, error: UnidentifiedImageError) -> ImageFile:
    """Open by the format of the first bytes, so that its decoder's own error is raised."""
    for kind in FORMATS:
        factory, accept = Image.OPEN[kind]
        if accept and accept(data[:16]):
            return factory(io.BytesIO(avif.repair(data) if kind == "AVIF" else data), "")
    raise UnusableFileError("not a picture") from error


def _seek_full_page(image: ImageFile) -> None:
    """Seek the only page of a TIFF that is neither a reduced copy nor a mask of another."""
    tags = list(_tags_of_pages(image))
    full = [page for page, (kind, *_) in enumerate(tags) if not kind & (_REDUCED | _MASK)]
    if tags[0][1] or (0 not in full and tags[0][2]):
        raise UnusableFileError(
            "unsupported", "camera raw is not read, and its preview is no picture"
        )
    if len(tags) > MAX_PAGES:
        raise UnusableFileError("unsupported", f"more than {MAX_PAGES} pages")
    if len(full) > 1:
        raise UnusableFileError("unsupported", f"{len(full)} pages: save each as a file of its own")
    image.seek(full[0] if full else 0)


def _tags_of_pages(image: ImageFile) -> Iterator[tuple[int, bool, bool]]:
    """Yield the subfile type of each page of a TIFF, whether it has a DNG version, and nested ones.

    At most `MAX_PAGES` and one more are read: Pillow takes quadratic time for their number.
    """
    with suppress(EOFError):
        for page in range(MAX_PAGES + 1):
            image.seek(page)
            tags = image.tag_v2  # type: ignore[attr-defined]
            kind = tags.get(_NEW_SUBFILE_TYPE, 0)
            yield kind if isinstance(kind, int) else 0, _DNG_VERSION in tags, SUBIFD in tags
