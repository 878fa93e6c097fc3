"""XMP: the digital source type, the program, credits, and where a manifest is kept."""

import re
from collections.abc import Iterable, Iterator
from html import unescape

from realart.serving.provenance import source_types
from realart.serving.provenance.generators import of_field, writer
from realart.serving.provenance.wording import LONGEST_ADDRESS, MOST, quoted, text

# XMP (ISO 16684-1:2019, 7): a property is an attribute or an element; the value of that is its
# text, a resource, or the first item of a list. The time that this takes grows with the length.
_PROPERTY = re.compile(
    rb"[\s<][\w.-]+:(DigitalSource(?:File|file)?Type|CreatorTool|Credit|Source|creator"
    rb"|description|UserComment|provenance|AISystemUsed|AISystemVersionUsed|AIPromptInformation)"
    rb"""(?:\s*=\s*(?:"([^"<]*)|'([^'<]*))|\s+rdf:resource\s*=\s*["']([^"'<]*)"""
    rb"""|>(?:\s*<rdf:[^<>]*>)*([^<]*))"""
)


def sentences(packets: Iterable[bytes]) -> Iterator[str]:
    """Yield what packets of XMP tell."""
    for packet in packets:
        for name, *values in _PROPERTY.findall(packet[:MOST].replace(b"\0", b"")):
            yield from _of_property(name.decode(), unescape(text(b"".join(values))).strip())


def _of_property(name: str, value: str) -> Iterator[str]:
    if name.startswith("DigitalSource"):
        if value:
            yield source_types.sentence(re.split("[/:]", value)[-1], "XMP")
    elif name == "provenance":
        if "://" in value:  # C2PA specification 2.1, 11.5: a manifest that is not embedded
            address = quoted(value, LONGEST_ADDRESS)
            yield f"C2PA manifest kept elsewhere, not verified: {address}"
    elif by := writer(name, value):
        yield f"XMP {name}: written by {by}"
    else:
        yield from of_field(f"XMP {name}", name, value)
