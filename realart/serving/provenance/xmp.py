"""XMP: the digital source type, the program, credits, and the address of a C2PA manifest."""

import re
from collections.abc import Iterable, Iterator
from html import unescape

from realart.serving.provenance import source_types
from realart.serving.provenance.generators import field_sentences, writer
from realart.serving.provenance.wording import MAX_LENGTH, MAX_QUOTED_ADDRESS, quoted, to_text

# XMP (ISO 16684-1:2019, 7): a property is an attribute or an element; the value of that is its
# text, a resource, or the first item of a list. Matching takes linear time.
_PROPERTY = re.compile(
    rb"[\s<][\w.-]+:(DigitalSource(?:File|file)?Type|CreatorTool|Credit|Source|creator"
    rb"|description|UserComment|provenance|AISystemUsed|AISystemVersionUsed|AIPromptInformation)"
    rb"""(?:\s*=\s*(?:"([^"<]*)|'([^'<]*))|\s+rdf:resource\s*=\s*["']([^"'<]*)"""
    rb"""|>(?:\s*<rdf:[^<>]*>)*([^<]*))"""
)


def sentences(packets: Iterable[bytes]) -> Iterator[str]:
    """Yield sentences on the properties in XMP packets."""
    for packet in packets:
        for name, *values in _PROPERTY.findall(packet[:MAX_LENGTH].replace(b"\0", b"")):
            yield from _property_sentences(
                name.decode(), unescape(to_text(b"".join(values))).strip()
            )


def _property_sentences(name: str, value: str) -> Iterator[str]:
    if name.startswith("DigitalSource"):
        if value:
            yield source_types.sentence(re.split("[/:]", value)[-1], "XMP")
    elif name == "provenance":
        if "://" in value:  # C2PA specification 2.1, 11.5: a manifest that is not embedded
            address = quoted(value, MAX_QUOTED_ADDRESS)
            yield f"C2PA manifest stored remotely, not verified: {address}"
    elif program := writer(name, value):
        yield f"XMP {name}: written by {program}"
    else:
        yield from field_sentences(f"XMP {name}", name, value)
