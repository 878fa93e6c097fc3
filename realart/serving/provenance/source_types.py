"""Digital source types of the IPTC, which both XMP and C2PA use."""

from realart.serving.provenance.wording import quoted

SOURCE_TYPES = {
    "trainedAlgorithmicMedia": "created using generative AI",
    "compositeWithTrainedAlgorithmicMedia": "edited using generative AI",
    "compositeSynthetic": "composite with synthetic elements",
    "algorithmicMedia": "created by an algorithm that was not trained",
    "dataDrivenMedia": "made from data",
    "softwareImage": "created by software",
    "virtualRecording": "recording of a virtual event",
    "screenCapture": "screen capture",
    "composite": "composite of elements",
    "compositeCapture": "composite of captured elements",
    "algorithmicallyEnhanced": "altered by an algorithm",
    "humanEdits": "edited by people without generative tools",
    "minorHumanEdits": "edited a little by people",
    "digitalArt": "created by people with digital tools",
    "digitalCreation": "created by people with digital tools",
    "digitalCapture": "captured by a camera",
    "computationalCapture": "captured by a camera in several frames",
    "negativeFilm": "digitised from a negative",
    "positiveFilm": "digitised from a positive",
    "print": "digitised from a print",
}
"""Meanings of the digital source types, retired ones included.

https://cv.iptc.org/newscodes/digitalsourcetype/ (vocabulary of 2024-10-23).
"""


def sentence(term: str, where: str) -> str:
    """Return a sentence on a digital source type.

    Parameters
    ----------
    term
        The last part of its address; one that is not in `SOURCE_TYPES` is quoted.
    where
        The kind of metadata that holds it.

    Examples
    --------
    >>> sentence("screenCapture", "XMP")
    'IPTC digital source type screenCapture (XMP): screen capture'
    """
    if term not in SOURCE_TYPES:
        return f"IPTC digital source type {quoted(term)} ({where})"
    return f"IPTC digital source type {term} ({where}): {SOURCE_TYPES[term]}"
