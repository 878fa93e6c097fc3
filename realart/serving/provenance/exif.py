"""EXIF: the program, the author and the camera, and texts of generators in any field."""

from collections.abc import Iterable, Iterator

from PIL import ExifTags, Image

from realart.serving.provenance.generators import field_sentences, writer
from realart.serving.provenance.wording import printable, quoted, to_text

_FIELDS = (
    ExifTags.Base.Software,
    ExifTags.Base.Artist,
    ExifTags.Base.ImageDescription,
    ExifTags.Base.Copyright,
    ExifTags.Base.Make,
    ExifTags.Base.Model,
    ExifTags.Base.XPTitle,
    ExifTags.Base.XPComment,
    ExifTags.Base.XPKeywords,
)
_CODES = (b"ASCII\0\0\0", b"UNICODE\0", b"JIS\0\0\0\0\0", bytes(8))
"""Character codes at the start of a user comment (Exif 3.0, 4.6.6.4); some programs omit them."""


def sentences(blocks: Iterable[Image.Exif]) -> Iterator[str]:
    """Yield sentences on the fields of EXIF blocks."""
    for exif in blocks:
        yield from _block_sentences(exif)


def _block_sentences(exif: Image.Exif) -> Iterator[str]:
    comment = exif.get_ifd(ExifTags.IFD.Exif).get(ExifTags.Base.UserComment, b"")
    if isinstance(comment, bytes) and comment.startswith(_CODES):
        comment = comment[8:]
    yield from _exif_field_sentences("UserComment", to_text(comment))
    fields = {tag.name: to_text(exif.get(tag, "")).strip() for tag in _FIELDS}
    for name, value in fields.items():
        yield from _exif_field_sentences(name, value)
    make, model = printable(fields["Make"]), printable(fields["Model"])
    if make and model and "{" not in make + model:
        known = model.startswith(make.split()[0])  # as in "Canon" and "Canon EOS 5D"
        yield f"camera or scanner {quoted(model if known else f'{make} {model}')}"


def _exif_field_sentences(name: str, value: str) -> Iterator[str]:
    # ComfyUI stores in WebP as "keyword:text" what it stores in PNG as a text with a keyword.
    keyword, _, rest = value.partition(":")
    if program := writer(name, value) or writer(keyword, rest):
        yield f"EXIF {name}: written by {program}"
    else:
        yield from field_sentences(f"EXIF {name}", name, value)
