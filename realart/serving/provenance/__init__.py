"""Provenance: what a picture file itself states about its origin, shown beside a decision.

It is never an input of the model.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress

from realart.data import decoder_messages, structure
from realart.data.formats import UnusableFileError
from realart.data.limits import within_limits
from realart.serving.provenance import credentials, exif, iptc, metadata_blocks, stealth, texts, xmp

MAX_SENTENCES = 20
"""Most sentences that are returned about a file."""


def evidence(data: bytes) -> list[str]:
    """Collect what a picture file states about its origin.

    That is: texts that generators write into PNG, EXIF, XMP, comments and the lowest bits of
    pixels; names of software, authors and cameras; IPTC digital source types; and C2PA manifests.
    All but signatures can be forged, and most sites that pass pictures on remove metadata: no
    evidence is no evidence of absence.

    Parameters
    ----------
    data
        The bytes of a file, which need not be decodable. Nothing is raised, whatever they are.

    Returns
    -------
    list of str
        At most `MAX_SENTENCES` short, printable lines, without repetition.

    Examples
    --------
    >>> import io
    >>> from PIL import Image, PngImagePlugin
    >>> texts = PngImagePlugin.PngInfo()
    >>> texts.add_text("parameters", "a castle, Steps: 20, Sampler: Euler a")
    >>> file = io.BytesIO()
    >>> Image.new("RGB", (64, 64)).save(file, "PNG", pnginfo=texts)
    >>> evidence(file.getvalue())
    ["PNG text 'parameters': written by Stable Diffusion web UIs"]
    """
    if structure.excess(data):
        return []
    with decoder_messages.collect():
        return [*_sentences(data)]


def evidence_within_limits(data: bytes) -> list[str]:
    """Collect what `evidence` does, in a process of its own; nothing if it reaches a limit of it.

    See `realart.data.limits.within_limits`.
    """
    with suppress(UnusableFileError):
        return within_limits(stealth.MAX_PIXELS, evidence, data)
    return []


def _sentences(data: bytes) -> dict[str, None]:
    """Return the sentences as keys, which keep their order and stand once."""
    found: dict[str, None] = {}
    metadata = metadata_blocks.Metadata()
    with suppress(Exception):
        metadata = metadata_blocks.read(data)
    readers: tuple[Callable[[], Iterator[str]], ...] = (
        lambda: credentials.sentences(data),
        lambda: xmp.sentences(metadata.xmp),
        lambda: texts.sentences(metadata.texts, metadata.format),
        lambda: exif.sentences(metadata.exif),
        lambda: iptc.sentences(metadata.iptc),
        lambda: stealth.sentences(data),
    )
    for read in readers:
        # Damaged blocks raise whatever they raise; the prediction and other evidence must not fail.
        with suppress(Exception):
            for sentence in read():
                found[sentence] = None
                if len(found) == MAX_SENTENCES:
                    return found
    return found
