"""What a file says of how it was made: evidence to be shown beside a verdict, never part of it."""

import io
import re
from collections.abc import Iterator
from contextlib import suppress
from html import unescape
from typing import Any

from PIL import ExifTags, Image

from realart import diagnostics
from realart.pictures import FORMATS

MOST = 1 << 20
"""Bytes of XMP, and of a text, that are looked at."""
MOST_OF_MANIFEST = 1 << 24
LONGEST = 80
"""Characters that are quoted."""
MANY = 20
"""Sentences about a file."""

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
"""The IPTC's digital source types, retired ones too, and what they mean.

https://cv.iptc.org/newscodes/digitalsourcetype/ (vocabulary of 2024-10-23).
"""

_WRITERS = (
    ("parameters", "sui_image_params", "SwarmUI"),
    ("parameters", "Fooocus", "Fooocus"),
    ("parameters", r"\bSteps: \d", "Stable Diffusion web UIs"),
    ("parameters", "use_stable_diffusion_model", "Easy Diffusion"),
    ("use_stable_diffusion_model", "", "Easy Diffusion"),
    ("Stable Diffusion model", "", "Easy Diffusion"),
    ("fooocus_scheme", "", "Fooocus"),
    ("prompt", '"class_type"', "ComfyUI"),
    ("workflow", '"nodes"', "ComfyUI"),
    ("invokeai_metadata", "", "InvokeAI"),
    ("invokeai_graph", "", "InvokeAI"),
    ("sd-metadata", "", "InvokeAI"),
    ("Dream", " -[SsWHC] ?[0-9]", "InvokeAI"),
    ("Comment", '"(?:sampler|uc)"', "NovelAI"),
    ("Description", "Job ID: [0-9a-f]{8}-[0-9a-f-]{27}", "Midjourney"),
)
"""Keywords of PNG texts, what their text has in it, and who writes such; as these programs do."""

_GENERATOR = re.compile(
    r"\b(?:midjourney|stab(?:le|ility)[ ._-]?(?:diffusion|ai)|dall[·-]?e|open ?ai|chatgpt|gpt-image"
    r"|novel ?ai|invoke ?ai|comfyui|fooocus|swarmui|automatic1111|adobe[ _]firefly|google ai"
    r"|generated with google|bing image creator|leonardo\.ai|ideogram[ .]ai|nightcafe|craiyon"
    r"|artbreeder|ai[ -]generated|generated (?:by|with|using) ai|generative ai)\b",
    re.IGNORECASE,
)
_EXIF = (
    ExifTags.Base.Software,
    ExifTags.Base.Artist,
    ExifTags.Base.ImageDescription,
    ExifTags.Base.Copyright,
    ExifTags.Base.Make,
    ExifTags.Base.Model,
)
_ALWAYS = ("Software", "Artist", "Author", "CreatorTool", "AISystemUsed", "AIPromptInformation")
"""Fields that are shown whatever they say; of others only what names a generator."""

# XMP (ISO 16684-1:2019, 7): a property is an attribute or an element; the value of that is its
# text, a resource, or the first item of a list. The time that this takes grows with the length.
_XMP = re.compile(
    rb"[\s<][\w.-]+:(DigitalSource(?:File|file)?Type|CreatorTool|Credit|AISystemUsed"
    rb"|AIPromptInformation)"
    rb"""(?:\s*=\s*(?:"([^"<]*)|'([^'<]*))|\s+rdf:resource\s*=\s*["']([^"'<]*)"""
    rb"""|>(?:\s*<rdf:[^<>]*>)*([^<]*))"""
)

# C2PA specification 2.1, 11.1.4 and appendix A: in each container, the manifest store is a JUMBF
# superbox (ISO/IEC 19566-5) whose description box, `jumd`, begins with this type.
# https://c2pa.org/specifications/specifications/2.1/specs/C2PA_Specification.html
_MANIFEST = b"jumdc2pa\x00\x11\x00\x10\x80\x00\x00\xaa\x00\x38\x9b\x71"
_BEFORE = 12
"""Bytes of the superbox before `jumd`: its length and type, and the length of that."""

# PNG specification (third edition, 2025), 5.2 and 11.2.5. https://www.w3.org/TR/png-3/
_PNG = b"\x89PNG\r\n\x1a\n"
_IEND = b"\0\0\0\0IEND\xae\x42\x60\x82"

# In a claim's CBOR (RFC 8949, 3.1) the length of a text is in the byte before it, or in the one
# after \x78. Claims of version 1 have `claim_generator`, those of version 2 the other.
_CLAIM = re.compile(
    rb"(?:\x6fclaim_generator|\x74claim_generator_info\x81?[\xa0-\xbf]\x64name)"
    rb"(?:([\x60-\x77])|\x78(.))",
    re.DOTALL,
)
_TERM = re.compile(
    b"digitalsourcetype/(%s)" % "|".join(sorted(SOURCE_TYPES, key=len, reverse=True)).encode()
)


def evidence(data: bytes) -> list[str]:
    """Return what is found in a picture file, in short sentences; nothing is ever raised.

    Texts that generators write into PNG and EXIF, the names of software, authors and cameras, the
    digital source type in XMP (https://www.iptc.org/std/photometadata/documentation/userguide/)
    and manifests of C2PA. Anyone can forge such marks, no signature is verified, and most places
    that pass pictures on remove them: that there are none says nothing.
    """
    found = [*_of_manifest(data)]
    # Decoders fail in their own ways, and a verdict is not to be lost by that.
    with diagnostics.collect(), suppress(Exception), _opened(data) as image:
        found += _of_xmp(image.info.get("xmp"))
        found += _of_texts(image)
        found += _of_exif(image)
    return list(dict.fromkeys(found))[:MANY]


def _opened(data: bytes) -> Image.Image:
    """Open a file; of a PNG all but its pixels, behind which Pillow looks only once they decode."""
    if data.startswith(_PNG):
        kept, at = [_PNG], len(_PNG)
        while at + 12 <= len(data):
            size = 12 + int.from_bytes(data[at : at + 4], "big")
            if data[at + 4 : at + 8] not in (b"IDAT", b"fdAT", b"IEND") and at + size <= len(data):
                kept.append(data[at : at + size])
            at += size
        data = b"".join([*kept, _IEND])
    return Image.open(io.BytesIO(data), formats=FORMATS)


def _of_manifest(data: bytes) -> Iterator[str]:
    at = data.find(_MANIFEST) - _BEFORE
    if at < 0:
        return
    size = int.from_bytes(data[at : at + 4], "big")
    manifest = data[at : at + min(size, MOST_OF_MANIFEST)]
    yield "C2PA manifest (content credentials), not verified"
    for claim in _CLAIM.finditer(manifest):
        length = claim[1][0] - 0x60 if claim[1] else claim[2][0]
        yield f"C2PA manifest by {_quoted(_text(manifest[claim.end() : claim.end() + length]))}"
    for term in _TERM.findall(manifest):
        yield _source_type(term.decode(), "C2PA")


def _of_xmp(xmp: Any) -> Iterator[str]:
    for name, *values in _XMP.findall(xmp[:MOST]) if isinstance(xmp, bytes) else ():
        field, text = name.decode(), unescape(_text(b"".join(values))).strip()
        if not field.startswith("DigitalSource"):
            yield from _of_field(f"XMP {field}", field, text)
        elif text:
            yield _source_type(re.split("[/:]", text)[-1], "XMP")


def _of_texts(image: Image.Image) -> Iterator[str]:
    where = "PNG text" if image.format == "PNG" else "text"
    for key, value in image.info.items():
        keyword = str(key)
        text = _text(value) if isinstance(value, str) or keyword == "comment" else ""
        if by := _writer(keyword, text):
            yield f"{where} {_quoted(keyword)}: written by {by}"
        elif keyword != "XML:com.adobe.xmp":
            yield from _of_field(f"{where} {_quoted(keyword)}", keyword, text)


def _of_exif(image: Image.Image) -> Iterator[str]:
    exif = Image.Image.getexif(image)  # that of PNG would decode pixels
    comment = _text(exif.get_ifd(ExifTags.IFD.Exif).get(ExifTags.Base.UserComment, b"")[8:])
    if by := _writer("parameters", comment):
        yield f"EXIF UserComment: written by {by}"
    texts = {tag.name: _text(exif.get(tag, "")).strip() for tag in _EXIF}
    for name, text in texts.items():
        keyword, _, rest = text.partition(":")
        if by := _writer(keyword, rest):  # so ComfyUI keeps in WebP what PNG has in texts
            yield f"EXIF {name}: written by {by}"
        else:
            yield from _of_field(f"EXIF {name}", name, text)
    make, model = texts["Make"], texts["Model"]
    if make and model and "{" not in make + model:
        known = model.startswith(make.split()[0])  # as in "Canon" and "Canon EOS 5D"
        yield f"camera or scanner {_quoted(model if known else f'{make} {model}')}"


def _of_field(title: str, field: str, text: str) -> Iterator[str]:
    if text.strip() and (field in _ALWAYS or _GENERATOR.search(text)):
        yield f"{title} {_quoted(text)}"


def _source_type(term: str, where: str) -> str:
    if term not in SOURCE_TYPES:
        return f"IPTC digital source type {_quoted(term)} ({where})"
    return f"IPTC digital source type {term} ({where}): {SOURCE_TYPES[term]}"


def _writer(keyword: str, text: str) -> str | None:
    for known, pattern, by in _WRITERS:
        if keyword == known and re.search(pattern, text):
            return by
    return None


def _text(value: Any) -> str:
    """Return a field as text, whatever it is; without its zeros UTF-16 reads as ASCII does."""
    if isinstance(value, bytes):
        return value[:MOST].replace(b"\0", b"").decode("utf-8", "replace")
    return str(value)[:MOST]


def _quoted(text: str) -> str:
    """Return the start of a text, in quotes and without what could move a terminal's cursor."""
    line = "".join(filter(str.isprintable, " ".join(text[: 9 * LONGEST].split())))
    return f"'{line}'" if len(line) <= LONGEST else f"'{line[: LONGEST - 1]}…'"
