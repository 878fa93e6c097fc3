"""Texts in the lowest bits of pixels, as some generators hide their settings there.

The format: a signature, the length of the text in bits (32 bits, big endian), and the text in
UTF-8, which some programs compress with gzip. A pixel holds one bit, in alpha, or three, in red,
green and blue; pixels are taken column by column.
https://github.com/NovelAI/novelai-image-metadata (nai_meta.py),
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

from realart.data.structure import PNG, png_chunks
from realart.serving.provenance.generators import field_sentences, writer
from realart.serving.provenance.metadata_blocks import chunk
from realart.serving.provenance.wording import MAX_LENGTH, quoted, to_text

SIGNATURES = {
    b"stealth_pnginfo": "alpha",
    b"stealth_pngcomp": "alpha",
    b"stealth_rgbinfo": "red, green and blue",
    b"stealth_rgbcomp": "red, green and blue",
}
"""Channels that hold the text, by signature."""
MAX_PIXELS = 1 << 26
"""Larger pictures are not searched."""
_ROWS = 16
"""Rows that are decoded of every picture: enough bits to exclude nearly all without a text."""
_START = np.unpackbits(np.frombuffer(b"st", np.uint8))

Pixels = NDArray[np.uint8]
"""Published pixels: uint8, shape (height, width, 3 or 4)."""


def sentences(data: bytes) -> Iterator[str]:
    """Yield sentences on texts hidden in the pixels of a PNG, or a lossless WebP with alpha."""
    first = _pixels(_first_rows(data) if data.startswith(PNG) else _lossless_with_alpha(data))
    for channels in (slice(3, 4), slice(0, 3)):
        for by_columns in (True, False):
            if not np.array_equal(_bits(first[..., channels], len(_START), by_columns), _START):
                continue
            hidden = _hidden_text(_pixels(data)[..., channels], by_columns)
            if hidden:
                yield from _text_sentences(*hidden)


def _hidden_text(channels: Pixels, by_columns: bool) -> tuple[str, str] | None:
    """Return the names of the channels and the text hidden in them, None if there is none."""
    head = _bytes(channels, 19, by_columns)
    signature, size = head[:15], int.from_bytes(head[15:], "big") // 8
    if signature not in SIGNATURES:
        return None
    payload = _bytes(channels, 19 + min(size, MAX_LENGTH), by_columns)[19:]
    if signature.endswith(b"comp"):
        payload = zlib.decompressobj(31).decompress(payload, MAX_LENGTH)
    return SIGNATURES[signature], to_text(payload)


def _text_sentences(where: str, hidden: str) -> Iterator[str]:
    title = f"text hidden in the lowest bits of {where}"
    fields = {"parameters": hidden}
    with suppress(ValueError, RecursionError):
        if isinstance(parsed := json.loads(hidden), dict):  # as NovelAI writes it
            fields |= {str(key): to_text(value) for key, value in parsed.items()}
    writers = [writer(*item) for item in fields.items()]
    if any(writers):
        yield f"{title}: written by {next(filter(None, writers))}"
    elif found := [line for item in fields.items() for line in field_sentences(title, *item)]:
        yield found[-1]
    else:
        yield f"{title} {quoted(hidden)}"


def _bytes(channels: Pixels, count: int, by_columns: bool) -> bytes:
    return np.packbits(_bits(channels, 8 * count, by_columns)).tobytes()


def _bits(channels: Pixels, count: int, by_columns: bool) -> Pixels:
    """Return the lowest bits of the first `count` channel values."""
    lines = channels.transpose(1, 0, 2) if by_columns else channels
    needed = math.ceil(count / max(1, lines[0].size)) if len(lines) else 0
    return lines[:needed].reshape(-1)[:count] & np.uint8(1)


def _pixels(data: bytes) -> Pixels:
    """Decode a file; return no rows if it is empty, too large, or neither RGB nor RGBA."""
    if not data:
        return np.zeros((0, 0, 4), np.uint8)
    with Image.open(io.BytesIO(data), formats=("PNG", "WEBP")) as image:
        if image.mode not in ("RGB", "RGBA") or image.width * image.height > MAX_PIXELS:
            return np.zeros((0, 0, 4), np.uint8)
        return np.asarray(image)


def _lossless_with_alpha(data: bytes) -> bytes:
    """Return the file if it is a lossless WebP with alpha, whose lowest bits are as written, or "".

    WebP Lossless Bitstream Specification (RFC 9649, 3.4): a signature of one byte, 14 bits for
    each side less 1, and one bit that is set if alpha is used.
    """
    at = data[:64].find(b"VP8L") + 8 if data[:4] == b"RIFF" else 0
    alpha = int.from_bytes(data[at + 1 : at + 5], "little") >> 28 & 1
    return data if at >= 20 and alpha else b""


def _first_rows(data: bytes) -> bytes:
    """Return a PNG of the first rows of a PNG, or an interlaced PNG as it is.

    Empty if the PNG is not RGB or RGBA of 8 bits a channel, or too large.
    """
    width, height = (int.from_bytes(data[at : at + 4], "big") for at in (16, 20))
    depth, colour, interlaced = data[24], data[25], data[28]
    channels = {2: 3, 6: 4}.get(colour, 0)
    if depth != 8 or not channels or width * height > MAX_PIXELS:
        return b""
    if interlaced:
        return data
    rows = min(height, _ROWS)
    size = rows * (1 + width * channels)
    compressed = (
        data[begin + 8 : end - 4] for kind, begin, end in png_chunks(data) if kind == b"IDAT"
    )
    decompressor, filtered = zlib.decompressobj(), b""
    for part in compressed:
        filtered += decompressor.decompress(part, size - len(filtered))
        if len(filtered) >= size:
            break
    header = data[16:20] + rows.to_bytes(4, "big") + data[24:29]
    body = zlib.compress(filtered, 0)
    return PNG + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")
