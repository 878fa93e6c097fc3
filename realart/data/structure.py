"""The number of parts that a file consists of, which is bounded before a decoder reads them.

Pillow reads the parts of a file one by one, in Python: a small file of millions would take minutes
and gigabytes. Its decoder of JPEG passes over the whole picture for each scan.
"""

import re
import struct
from collections.abc import Callable, Iterator
from itertools import islice, repeat

PARTS, BYTES_A_PART = 100_000, 128
"""The most parts of a file, and one more for so many of its bytes."""
SCANS = 100
"""The most scans of a JPEG; a progressive one has about ten."""
PNG = b"\x89PNG\r\n\x1a\n"

_MARKER = re.compile(rb"\xff[\x01-\xfe]")
_START_OF_SCAN, _END_OF_IMAGE = b"\xff\xda", b"\xff\xd9"
_FRACTIONS = (5, 10)  # types of entries of a TIFF: RATIONAL and SRATIONAL
_ALONE = (0x01, *range(0xD0, 0xDA))  # markers without a segment: TEM, RST, SOI and EOI


def excess(data: bytes) -> str:
    """Return of which parts a file has more than is read, as text; empty if it has no more.

    >>> excess(b"\\xff\\xd8" + b"\\xff\\xe0\\0\\2" * 200_000)
    'more than 106250 parts'
    """
    most = PARTS + len(data) // BYTES_A_PART
    for signature, parts in _PARTS.items():
        if re.match(signature, data) and sum(1 for _ in islice(parts(data), most + 1)) > most:
            return f"more than {most} parts"
    return f"more than {SCANS} scans" if data[:2] == b"\xff\xd8" and _scans(data) > SCANS else ""


def png_chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yield type, start and end of each complete chunk of a PNG; start and end are byte offsets.

    PNG specification (third edition, 2025), 5.3. https://www.w3.org/TR/png-3/
    """
    at = len(PNG)
    while at + 12 <= len(data):
        end = at + 12 + int.from_bytes(data[at : at + 4], "big")
        if end <= len(data):
            yield data[at + 4 : at + 8], at, end
        at = end


def _jpeg_segments(data: bytes) -> Iterator[int]:
    """Yield the offset of each segment before the first scan, and of each byte between segments.

    ITU-T T.81 (1992), B.1.1.
    """
    at = 2
    while marker := _MARKER.search(data, at):
        yield from range(at, marker.start() + 1)
        if marker[0] == _START_OF_SCAN:
            return
        at = marker.end()
        if marker[0][1] not in _ALONE:
            at += max(2, int.from_bytes(data[at : at + 2], "big"))
    yield from range(at, len(data))


def _scans(data: bytes) -> int:
    """Count the scans of a JPEG up to its end; in compressed data a byte of 0xFF is no marker."""
    first = max(_jpeg_segments(data), default=0)
    end = data.find(_END_OF_IMAGE, first)
    return data.count(_START_OF_SCAN, first, None if end < 0 else end)


def _gif_blocks(data: bytes) -> Iterator[int]:
    """Yield the offset of each block of a GIF, and of each data sub-block (GIF89a, 15 to 26)."""
    at = 13 + _colour_table(data[10:11])
    while at < len(data) and data[at : at + 1] != b";":
        yield at
        if data[at : at + 1] == b",":
            at += 11 + _colour_table(data[at + 9 : at + 10])
        elif data[at : at + 1] == b"!":
            at += 2
        else:
            at += 1
            continue
        while size := int.from_bytes(data[at : at + 1]):
            yield at
            at += 1 + size
        at += 1


def _colour_table(flags: bytes) -> int:
    """Return the bytes of a colour table, by the flags before it."""
    packed = int.from_bytes(flags)
    return 3 << (packed & 7) + 1 if packed & 0x80 else 0


def _tiff_entries(data: bytes) -> Iterator[int]:
    """Yield the offset of each directory of a TIFF, once for itself and once for each entry.

    For an entry of fractions once for each of them, since Pillow makes an object of each. TIFF 6.0
    (1992), section 2; BigTIFF has wider numbers.
    """
    order, big = "<" if data[:1] == b"I" else ">", data[2:4].strip(b"\0") == b"+"
    count, offset, entry = (f"{order}Q", f"{order}Q", 20) if big else (f"{order}H", f"{order}I", 12)
    seen: set[int] = set()
    try:
        (at,) = struct.unpack_from(offset, data, 8 if big else 4)
        while at and at not in seen:
            seen.add(at)
            (entries,) = struct.unpack_from(count, data, at)
            yield at
            first = at + struct.calcsize(count)
            for start in range(first, first + entries * entry, entry):
                kind, values = struct.unpack_from(f"{order}H{offset[1]}", data, start + 2)
                fractions = min(values, len(data) // 8) if kind in _FRACTIONS else 1
                yield from repeat(at, max(1, fractions))
            (at,) = struct.unpack_from(offset, data, first + entries * entry)
    except (struct.error, OverflowError):  # it ends before the directory does
        return


_PARTS: dict[bytes, Callable[[bytes], Iterator[object]]] = {
    rb"\xff\xd8": _jpeg_segments,
    re.escape(PNG): png_chunks,
    rb"GIF8": _gif_blocks,
    rb"II[*+]\0|MM\0[*+]": _tiff_entries,
}
"""How to list the parts of a file, by the pattern of its first bytes."""
