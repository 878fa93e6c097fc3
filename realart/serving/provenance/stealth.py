"""Texts in the lowest bits of pixels, where some generators keep what they keep in PNG's texts.

A signature, the length of what follows in bits (32 bits, the first highest), and UTF-8, by some
packed with gzip; a bit a pixel in alpha, or three in red, green and blue, down one column after
the other. https://github.com/NovelAI/novelai-image-metadata (nai_meta.py),
https://github.com/ashen-sensored/sd_webui_stealth_pnginfo
"""

import io
import json
import math
import zlib
from collections.abc import Iterator
from contextlib import suppress

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from realart.serving.provenance.files import PNG, chunk, chunks
from realart.serving.provenance.generators import of_field, writer
from realart.serving.provenance.wording import MOST, quoted, text

SIGNATURES = {
    b"stealth_pnginfo": "alpha",
    b"stealth_pngcomp": "alpha",
    b"stealth_rgbinfo": "red, green and blue",
    b"stealth_rgbcomp": "red, green and blue",
}
MOST_PIXELS = 1 << 26
_ROWS = 16
"""Rows that are decoded of every picture: as many bits tell nearly all that hide nothing."""
_START = np.unpackbits(np.frombuffer(b"st", np.uint8))

Pixels = NDArray[np.uint8]
"""Published pixels: uint8, shape (height, width, 3 or 4)."""


def sentences(data: bytes) -> Iterator[str]:
    """Yield what texts hidden in the pixels of PNG, and of lossless WebP with alpha, tell."""
    first = _pixels(_first_rows(data) if data.startswith(PNG) else _lossless_with_alpha(data))
    for channels in (slice(3, 4), slice(0, 3)):
        for by_columns in (True, False):
            if not np.array_equal(_bits(first[..., channels], len(_START), by_columns), _START):
                continue
            hidden = _hidden(_pixels(data)[..., channels], by_columns)
            if hidden:
                yield from _of_text(*hidden)


def _hidden(channels: Pixels, by_columns: bool) -> tuple[str, str] | None:
    """Return the name of the channels and the text that they hide, if they hide one."""
    head = _bytes(channels, 19, by_columns)
    signature, size = head[:15], int.from_bytes(head[15:], "big") // 8
    if signature not in SIGNATURES:
        return None
    payload = _bytes(channels, 19 + min(size, MOST), by_columns)[19:]
    if signature.endswith(b"comp"):
        payload = zlib.decompressobj(31).decompress(payload, MOST)
    return SIGNATURES[signature], text(payload)


def _of_text(where: str, hidden: str) -> Iterator[str]:
    title = f"text hidden in the lowest bits of {where}"
    fields = {"parameters": hidden}
    with suppress(ValueError, RecursionError):
        if isinstance(parsed := json.loads(hidden), dict):  # as NovelAI writes it
            fields |= {str(key): text(value) for key, value in parsed.items()}
    writers = [writer(*item) for item in fields.items()]
    if any(writers):
        yield f"{title}: written by {next(filter(None, writers))}"
    elif named := [s for item in fields.items() for s in of_field(title, *item)]:
        yield named[-1]
    else:
        yield f"{title} {quoted(hidden)}"


def _bytes(channels: Pixels, count: int, by_columns: bool) -> bytes:
    return np.packbits(_bits(channels, 8 * count, by_columns)).tobytes()


def _bits(channels: Pixels, count: int, by_columns: bool) -> Pixels:
    """Return the first lowest bits, of as few pixels as hold them."""
    lines = channels.transpose(1, 0, 2) if by_columns else channels
    needed = math.ceil(count / max(1, lines[0].size)) if len(lines) else 0
    return lines[:needed].reshape(-1)[:count] & np.uint8(1)


def _pixels(data: bytes) -> Pixels:
    """Decode a file; what is empty, huge or of another mode has no pixels here."""
    if not data:
        return np.zeros((0, 0, 4), np.uint8)
    with Image.open(io.BytesIO(data), formats=("PNG", "WEBP")) as image:
        if image.mode not in ("RGB", "RGBA") or image.width * image.height > MOST_PIXELS:
            return np.zeros((0, 0, 4), np.uint8)
        return np.asarray(image)


def _lossless_with_alpha(data: bytes) -> bytes:
    """Return a WebP if its lowest bits are those that were written, and it has alpha.

    WebP Lossless Bitstream Specification (RFC 9649, 3.4): a signature of one byte, 14 bits for
    each side less 1, and one that says whether alpha is used.
    """
    at = data[:64].find(b"VP8L") + 8 if data[:4] == b"RIFF" else 0
    alpha = int.from_bytes(data[at + 1 : at + 5], "little") >> 28 & 1
    return data if at >= 20 and alpha else b""


def _first_rows(data: bytes) -> bytes:
    """Return a PNG of the first rows of one, or all of an interlaced one; of 8 bits a channel."""
    width, height = (int.from_bytes(data[at : at + 4], "big") for at in (16, 20))
    depth, colour, interlaced = data[24], data[25], data[28]
    channels = {2: 3, 6: 4}.get(colour, 0)
    if depth != 8 or not channels or width * height > MOST_PIXELS:
        return b""
    if interlaced:
        return data
    rows = min(height, _ROWS)
    size = rows * (1 + width * channels)
    packed = (data[begin + 8 : end - 4] for kind, begin, end in chunks(data) if kind == b"IDAT")
    unpack, filtered = zlib.decompressobj(), b""
    for part in packed:
        filtered += unpack.decompress(part, size - len(filtered))
        if len(filtered) >= size:
            break
    header = data[16:20] + rows.to_bytes(4, "big") + data[24:29]
    body = zlib.compress(filtered, 0)
    return PNG + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")
