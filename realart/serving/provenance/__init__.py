"""What a file tells of how it was made: evidence to be shown beside a verdict, never part of it."""

from collections.abc import Callable, Iterator
from contextlib import suppress

from realart.data import decoder_messages
from realart.serving.provenance import credentials, exif, files, iptc, stealth, texts, xmp

MANY = 20
"""Sentences about a file."""


def evidence(data: bytes) -> list[str]:
    """Return what is found in a picture file, in short sentences; nothing is ever raised.

    Texts that generators write into PNG, EXIF, XMP, comments and the lowest bits of pixels, names
    of software, authors and cameras, the digital source type, and manifests of C2PA. Whether the
    picture could be judged makes no difference. Anyone can forge all but a signature, and most
    places that pass pictures on remove such marks: that there are none means nothing.
    """
    with decoder_messages.collect():
        return [*_sentences(data)]


def _sentences(data: bytes) -> dict[str, None]:
    found: dict[str, None] = {}
    metadata = files.Metadata()
    with suppress(Exception):
        metadata = files.read(data)
    readers: tuple[Callable[[], Iterator[str]], ...] = (
        lambda: credentials.sentences(data),
        lambda: xmp.sentences(metadata.xmp),
        lambda: texts.sentences(metadata.texts, metadata.format),
        lambda: exif.sentences(metadata.exif),
        lambda: iptc.sentences(metadata.iptc),
        lambda: stealth.sentences(data),
    )
    for read in readers:
        # Damaged blocks fail in their own ways, and neither a verdict nor other evidence is lost.
        with suppress(Exception):
            for sentence in read():
                found[sentence] = None
                if len(found) == MANY:
                    return found
    return found
