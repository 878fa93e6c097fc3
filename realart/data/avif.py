"""Parts of AVIF that Pillow ignores: the clean aperture, and alpha as older encoders wrote it.

A file is boxes in boxes (ISO/IEC 14496-12), and its `meta` box has the properties of its items
(ISO/IEC 23008-12, 9.3): `ipco` lists properties, `ipma` gives items their numbers in that list.
"""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import floor

Associations = dict[int, list[int]]
"""Properties by item: each a number from 1 in `ipco`, with the bit `ESSENTIAL` where it is so."""

ESSENTIAL = 0x8000
_ALPHA = b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha"


@dataclass(frozen=True, slots=True)
class _Box:
    """A box: its type, and the offsets of its start, of its content and of its end."""

    kind: bytes
    start: int
    content: int
    end: int


@dataclass(frozen=True, slots=True)
class _Meta:
    """The `meta` box, the number of the primary item, and all properties of all items."""

    box: _Box
    primary: int
    properties: list[_Box]
    associations: Associations


def crop_box(data: bytes, size: tuple[int, int]) -> tuple[int, int, int, int] | None:
    """Return left, top, right and bottom of the clean aperture of the primary item.

    Return None where there is none, or where it is invalid since it reaches beyond the picture:
    browsers ignore that, too. Early encoders put it between pixels. (ISO/IEC 14496-12, 12.1.4.1)
    """
    try:
        meta = _read_meta(data)
        clap = next(p for p in _properties_of(meta, meta.primary) if p.kind == b"clap")
        numbers = struct.unpack_from(">IIIIiIiI", data, clap.content)
        width, height, right, down = (
            Fraction(*numbers[i : i + 2]) for i in range(0, len(numbers), 2)
        )
    except (LookupError, StopIteration, ZeroDivisionError, struct.error):
        return None
    left = floor((size[0] - width) / 2 + right)
    top = floor((size[1] - height) / 2 + down)
    box = (left, top, left + round(width), top + round(height))
    inside = 0 <= left < box[2] <= size[0] and 0 <= top < box[3] <= size[1]
    return box if inside else None


def repair(data: bytes) -> bytes:
    """Complete a file with alpha by an older encoder as libavif demands; return others as they are.

    That is the size (`ispe`) of alpha items, which avif-serialize added in 0.7.4, and one `ipma`
    instead of several of a kind. A new `meta` box is appended to the file, and the old one becomes
    free space, since items are addressed by their distance from the file's start.
    """
    try:
        meta = _read_meta(data)
        sizes = [n for n in meta.associations[meta.primary] if _property_kind(meta, n) == b"ispe"]
        associations = {
            item: [*sizes, *numbers] if _lacks_size(data, meta, item) else numbers
            for item, numbers in sorted(meta.associations.items())
        }
    except (LookupError, struct.error):
        return data
    start = meta.box.start
    freed = data[: start + 4] + b"free" + data[start + 8 :]
    return freed + _meta_with(data, meta.box, associations)


def _lacks_size(data: bytes, meta: _Meta, item: int) -> bool:
    kinds = {p.kind: data[p.content + 4 : p.end] for p in _properties_of(meta, item)}
    return b"ispe" not in kinds and kinds.get(b"auxC", b"").startswith(_ALPHA)


def _meta_with(data: bytes, meta: _Box, associations: Associations) -> bytes:
    children = b""
    for child in _boxes(data, meta.content + 4, meta.end):
        if child.kind == b"iprp":
            inner = _boxes(data, child.content, child.end)
            properties = b"".join(data[b.start : b.end] for b in inner if b.kind == b"ipco")
            children += _box(b"iprp", properties + _ipma(associations))
        else:
            children += data[child.start : child.end]
    return _box(b"meta", data[meta.content : meta.content + 4] + children)


def _box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(content), kind) + content


def _ipma(associations: Associations) -> bytes:
    """Return an `ipma` box of these associations, in the widest numbers (version 1, flags 1)."""
    entries = b"".join(
        struct.pack(f">IB{len(numbers)}H", item, len(numbers), *numbers)
        for item, numbers in associations.items()
    )
    return _box(b"ipma", struct.pack(">II", 0x01000001, len(associations)) + entries)


def _read_meta(data: bytes) -> _Meta:
    """Parse the `meta` box of a file; raise `LookupError` or `struct.error` where it is damaged."""
    meta = _first(_boxes(data, 0, len(data)), b"meta")
    children = list(_boxes(data, meta.content + 4, meta.end))
    pitm, iprp = _first(children, b"pitm"), _first(children, b"iprp")
    inner = list(_boxes(data, iprp.content, iprp.end))
    ipco = _first(inner, b"ipco")
    associations: Associations = {}
    for box in inner:
        if box.kind == b"ipma":
            associations |= _read_ipma(data[box.content : box.end])
    form = ">I" if data[pitm.content] else ">H"
    (primary,) = struct.unpack_from(form, data, pitm.content + 4)
    return _Meta(meta, primary, list(_boxes(data, ipco.content, ipco.end)), associations)


def _read_ipma(data: bytes) -> Associations:
    version, wide = data[0], data[3] & 1
    (count,) = struct.unpack_from(">I", data, 4)
    associations, offset = {}, 8
    for _ in range(count):
        item, many = struct.unpack_from(">IB" if version else ">HB", data, offset)
        offset += 5 if version else 3
        numbers = struct.unpack_from(f">{many}{'H' if wide else 'B'}", data, offset)
        offset += many * (2 if wide else 1)
        associations[item] = [n if wide else (n & 0x80) << 8 | n & 0x7F for n in numbers]
    return associations


def _properties_of(meta: _Meta, item: int) -> list[_Box]:
    numbers = (number & ~ESSENTIAL for number in meta.associations[item])
    return [meta.properties[number - 1] for number in numbers if number]


def _property_kind(meta: _Meta, number: int) -> bytes:
    return meta.properties[(number & ~ESSENTIAL) - 1].kind if number else b""


def _first(boxes: Iterator[_Box] | Sequence[_Box], kind: bytes) -> _Box:
    for box in boxes:
        if box.kind == kind:
            return box
    raise LookupError(kind)


def _boxes(data: bytes, start: int, end: int) -> Iterator[_Box]:
    """Yield the boxes between two offsets, up to the first that does not fit between them."""
    while start + 8 <= end:
        size, kind = struct.unpack_from(">I4s", data, start)
        content = start + 8
        if size == 1:
            (size,) = struct.unpack_from(">Q", data, content)
            content += 8
        stop = start + size
        if stop < content or stop > end:
            return
        yield _Box(kind, start, content, stop)
        start = stop
