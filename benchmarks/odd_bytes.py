"""Make the bytes of bad and odd files, by hand where no library would write them."""

import io
import struct
import zipfile
import zlib
from typing import Any

import numpy as np
from PIL import Image

WIDTH, HEIGHT = 96, 80


def image(seed: int, mode: str = "RGB") -> Image.Image:
    """Paint colour clouds, different for each seed."""
    cells = np.random.default_rng(seed).integers(0, 256, (8, 8, 3), np.uint8)
    return Image.fromarray(cells).resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC).convert(mode)


def saved(picture: Image.Image, kind: str, **options: Any) -> bytes:
    """Encode a picture with Pillow."""
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def frames(kind: str, seed: int) -> bytes:
    """Encode two pictures in one file."""
    return saved(image(seed), kind, save_all=True, append_images=[image(seed + 500)])


def deep(bits: int, seed: int) -> bytes:
    """Encode a grey picture of so many bits: 16 as integers, 32 as floats."""
    levels = np.asarray(image(seed, "L"))
    if bits == 16:
        return saved(Image.fromarray(levels.astype(np.uint16) << 8), "PNG")
    return saved(Image.fromarray(levels.astype(np.float32)), "TIFF")


def cut(kind: str, tenths: int) -> bytes:
    """Encode a picture and cut the file after so many tenths."""
    data = saved(image(100), kind)
    return data[: len(data) * tenths // 10]


def flipped(kind: str, place: int, seed: int) -> bytes:
    """Encode a picture and flip all bits of one byte."""
    data = bytearray(saved(image(seed), kind))
    data[place] ^= 0xFF
    return bytes(data)


def claiming(kind: str, offset: int, claim: bytes) -> bytes:
    """Encode a picture, and write `claim`, a false size, at `offset` in its header."""
    data = saved(image(101), kind)
    return data[:offset] + claim + data[offset + len(claim) :]


def jpeg_claiming(width: int, height: int, **options: Any) -> bytes:
    """Encode a JPEG whose frame header claims this size."""
    data = saved(image(102), "JPEG", **options)
    frame = data.index(b"\xff\xc2" if options else b"\xff\xc0") + 5
    return data[:frame] + struct.pack(">HH", height, width) + data[frame + 4 :]


def chunk(kind: bytes, data: bytes) -> bytes:
    """Return a chunk of a PNG."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(side: int, colour: int, depth: int, rows: int | None = None, extra: bytes = b"") -> bytes:
    """Return a square PNG of one colour with `rows` rows of data, as small as it compresses.

    `colour` is 0 for grey, 2 for RGB, 4 for grey and alpha, 6 for RGBA.
    """
    channels = {0: 1, 2: 3, 4: 2, 6: 4}[colour]
    row = b"\0" + bytes(side * channels * depth // 8)
    packer = zlib.compressobj(1)
    data = b"".join(packer.compress(row) for _ in range(side if rows is None else rows))
    header = struct.pack(">IIBBBBB", side, side, depth, colour, 0, 0, 0)
    chunks = chunk(b"IHDR", header) + extra + chunk(b"IDAT", data + packer.flush())
    return b"\x89PNG\r\n\x1a\n" + chunks + chunk(b"IEND", b"")


def text_bomb() -> bytes:
    """Return a PNG with a remark that unpacks to 64 MiB."""
    remark = chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(64 << 20), 1))
    return png(80, 2, 8, extra=remark)


def tiff(side: int, tile: int, compression: int, data: bytes) -> bytes:
    """Return a grey TIFF (revision 6.0) whose header claims a single tile of that side."""
    tags = [(256, side), (257, side), (258, 8), (259, compression), (262, 1), (277, 1)]
    tags += [(322, tile), (323, tile), (324, 8), (325, len(data))]
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    directory = struct.pack("<H", len(tags)) + entries + bytes(4)
    return struct.pack("<2sHI", b"II", 42, 8 + len(data)) + data + directory


def deflate_bomb(size: int) -> bytes:
    """Return a raw deflate stream (RFC 1951) that unpacks to `size` zeros, whole MiB of them."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    mebibyte = packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
    return mebibyte * (size >> 20) + packer.flush()


def packed_zeros(method: int, size: int) -> bytes:
    """Return `size` zeros as compressed in a zip by bzip2 or LZMA."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as opened:
        opened.writestr("x", bytes(size))
        return buffer.getvalue()[31:]


def nested(levels: int) -> bytes:
    """Return a zip in a zip in a zip, ten of each in the next one."""
    data = bytes(1 << 20)
    for _ in range(levels):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as opened:
            for number in range(10):
                opened.writestr(f"{number}.zip", data)
        data = buffer.getvalue()
    return data


def deflated(data: bytes) -> bytes:
    """Return the raw deflate stream of `data`."""
    return zlib.compress(data, wbits=-15)


def mode(seed: int, kind: str, mode: str = "RGB", **options: Any) -> bytes:
    """Encode a picture of this mode."""
    return saved(image(seed, mode), kind, **options)


def around(seed: int, before: bytes, behind: bytes = b"") -> bytes:
    """Encode a picture, with bytes before and behind its own."""
    return before + saved(image(seed), "JPEG") + behind


def tiled() -> bytes:
    """Return a small TIFF whose header claims a large tile."""
    return tiff(80, 40000, 8, zlib.compress(bytes(6400)))


def large_webp(side: int) -> bytes:
    """Return a square WebP of one colour, half transparent."""
    picture = Image.new("RGBA", (side, side), (1, 2, 3, 128))
    return saved(picture, "WEBP", lossless=True, method=0)
