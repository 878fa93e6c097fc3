"""The older form of IPTC metadata, IIM: credits, authors and programs.

IPTC-NAA Information Interchange Model, version 4.2, chapter 6 (application record).
https://www.iptc.org/std/IIM/4.2/specification/IIMV4.2.pdf
"""

from collections.abc import Iterable, Iterator

from realart.serving.provenance.generators import of_field
from realart.serving.provenance.wording import text

_FIELDS = {
    5: "Object Name",
    25: "Keywords",
    40: "Special Instructions",
    65: "Originating Program",
    80: "By-line",
    105: "Headline",
    110: "Credit",
    115: "Source",
    116: "Copyright Notice",
    120: "Caption",
    122: "Writer",
}
_TAG_MARKER, _APPLICATION = 0x1C, 2
_RESOURCE = b"8BIM\x04\x04"
"""Begins the resource that holds IIM among those of Photoshop."""


def sentences(blocks: Iterable[bytes]) -> Iterator[str]:
    """Yield what blocks of IIM, or Photoshop's resources with such in them, tell."""
    for block in blocks:
        for number, value in _datasets(block):
            if field := _FIELDS.get(number):
                yield from of_field(f"IPTC {field}", field, value)


def _datasets(block: bytes) -> Iterator[tuple[int, str]]:
    """Yield number and text of the datasets of the application record."""
    at = block.find(_TAG_MARKER, max(0, block.find(_RESOURCE)))
    while 0 <= at <= len(block) - 5 and block[at] == _TAG_MARKER:
        record, number, size = block[at + 1], block[at + 2], int.from_bytes(block[at + 3 : at + 5])
        if size & 0x8000:  # an extended dataset, whose length follows: none of those read here
            return
        if record == _APPLICATION:
            yield number, text(block[at + 5 : at + 5 + size])
        at += 5 + size
