"""Make the bytes of files that are built to take a decoder's time or memory."""

import struct
import zlib

import numpy as np
from PIL import Image

from benchmarks.odd_bytes import chunk, image, png, saved, tiff


def tiff_pages(count: int) -> bytes:
    """Return a TIFF whose page is followed by so many directories, each for a reduced copy."""
    data = tiff(80, 80, 1, bytes(6400))
    start = len(data)
    tags = ((254, 1), (256, 1), (257, 1), (273, 8), (279, 1))
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    directory = struct.pack("<H", len(tags)) + entries
    chain = b"".join(
        directory + struct.pack("<I", start + page * (len(directory) + 4))
        for page in range(1, count)
    )
    return data[:-4] + struct.pack("<I", start) + chain + directory + bytes(4)


def tiff_rationals(count: int) -> bytes:
    """Return a TIFF whose orientation is so many fractions."""
    tags = [(256, 4, 1, 64), (257, 4, 1, 64), (258, 4, 1, 8), (259, 4, 1, 1), (262, 4, 1, 1)]
    tags += [(273, 4, 1, 8), (274, 5, count, 8), (277, 4, 1, 1), (278, 4, 1, 64), (279, 4, 1, 4096)]
    entries = b"".join(struct.pack("<HHII", *tag) for tag in tags)
    pixels = bytes(max(4096, 8 * count))
    directory = struct.pack("<H", len(tags)) + entries + bytes(4)
    return struct.pack("<2sHI", b"II", 42, 8 + len(pixels)) + pixels + directory


def jpeg_segments(count: int) -> bytes:
    """Return a JPEG with so many empty segments before its picture."""
    data = saved(image(700), "JPEG")
    return data[:2] + b"\xff\xe0\0\2" * count + data[2:]


def jpeg_scans(count: int) -> bytes:
    """Return a progressive JPEG whose last scan comes so often."""
    data = saved(image(701), "JPEG", progressive=True)
    last = data.rindex(b"\xff\xda")
    return data[:last] + data[last:-2] * count + data[-2:]


def png_chunks(count: int) -> bytes:
    """Return a PNG with so many empty chunks of a private type."""
    return png(80, 2, 8, extra=chunk(b"prVt", b"") * count)


def gif_frames(count: int) -> bytes:
    """Return a GIF with so many frames of one pixel."""
    frame = b",\0\0\0\0\1\0\1\0\0\2\2D\1\0"
    return struct.pack("<6sHHBBB", b"GIF89a", 80, 80, 0x80, 0, 0) + bytes(6) + frame * count + b";"


def bmp_lines(count: int, side: int = 80) -> bytes:
    """Return a BMP in run-length encoding, with so many ends of lines before its first pixel."""
    runs = b"\0\0" * count + b"\0\1"
    header = struct.pack("<IiiHHIIiiII", 40, side, side, 1, 8, 1, len(runs), 0, 0, 256, 0)
    start = 14 + len(header) + 1024
    return (
        struct.pack("<2sIHHI", b"BM", start + len(runs), 0, 0, start) + header + bytes(1024) + runs
    )


def large_avif(side: int) -> bytes:
    """Return a square AVIF of noise, with transparency."""
    noise = np.random.default_rng(0).integers(0, 256, (side // 8, side // 8, 4), np.uint8)
    picture = Image.fromarray(noise).resize((side, side), Image.Resampling.NEAREST)
    return saved(picture, "AVIF", speed=10, quality=80)


def exif_rationals(count: int) -> bytes:
    """Return a JPEG whose EXIF block, over many segments, has an orientation of fractions."""
    size = 8 * count
    entry = struct.pack("<HHII", 0x0112, 5, count, 26)
    block = b"II*\0\x08\0\0\0" + struct.pack("<H", 1) + entry + bytes(4) + bytes(size)
    data, segments = saved(image(702), "JPEG"), b""
    for start in range(0, len(block), 65000):
        content = b"Exif\0\0" + block[start : start + 65000]
        segments += b"\xff\xe1" + struct.pack(">H", len(content) + 2) + content
    return data[:2] + segments + data[2:]


def png_texts(count: int) -> bytes:
    """Return a PNG with so many compressed texts of a MiB each."""
    packed = zlib.compress(bytes(1 << 20), 9)
    texts = b"".join(chunk(b"zTXt", b"%d\0\0" % number + packed) for number in range(count))
    return png(80, 2, 8, extra=texts)


def jpeg_junk(size: int) -> bytes:
    """Return a JPEG with so many bytes of no segment before its picture."""
    data = saved(image(703), "JPEG")
    return data[:2] + bytes(size) + data[2:]
