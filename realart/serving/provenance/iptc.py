"""IPTC IIM, the older form of IPTC metadata: credits, authors and programs.

IPTC-NAA Information Interchange Model, version 4.2, chapter 6 (application record).
https://www.iptc.org/std/IIM/4.2/specification/IIMV4.2.pdf
"""

from collections.abc import Iterable, Iterator

from realart.serving.provenance.generators import field_sentences
from realart.serving.provenance.wording import to_text

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
"""Start of the image resource of Photoshop that holds IIM."""


def sentences(blocks: Iterable[bytes]) -> Iterator[str]:
    """Yield sentences on the fields of IIM, given as such or inside Photoshop's image resources."""
    for block in blocks:
        for number, value in _datasets(block):
            if field := _FIELDS.get(number):
                yield from field_sentences(f"IPTC {field}", field, value)


def _datasets(block: bytes) -> Iterator[tuple[int, str]]:
    """Yield the number and the text of each dataset of the application record."""
    at = block.find(_TAG_MARKER, max(0, block.find(_RESOURCE)))
    while 0 <= at <= len(block) - 5 and block[at] == _TAG_MARKER:
        record, number, size = block[at + 1], block[at + 2], int.from_bytes(block[at + 3 : at + 5])
        if size & 0x8000:  # an extended dataset, whose length follows: none of those read here
            return
        if record == _APPLICATION:
            yield number, to_text(block[at + 5 : at + 5 + size])
        at += 5 + size
