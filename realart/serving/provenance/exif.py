"""EXIF: the program, author and camera, and what generators keep in its fields."""

from collections.abc import Iterable, Iterator

from PIL import ExifTags, Image

from realart.serving.provenance.generators import of_field, writer
from realart.serving.provenance.wording import printable, quoted, text

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
"""What a user comment begins with (Exif 3.0, 4.6.6.4); some programs leave it out."""


def sentences(blocks: Iterable[Image.Exif]) -> Iterator[str]:
    """Yield what blocks of EXIF tell."""
    for exif in blocks:
        yield from _of_block(exif)


def _of_block(exif: Image.Exif) -> Iterator[str]:
    comment = exif.get_ifd(ExifTags.IFD.Exif).get(ExifTags.Base.UserComment, b"")
    if isinstance(comment, bytes) and comment.startswith(_CODES):
        comment = comment[8:]
    yield from _of_field("UserComment", text(comment))
    fields = {tag.name: text(exif.get(tag, "")).strip() for tag in _FIELDS}
    for name, value in fields.items():
        yield from _of_field(name, value)
    make, model = printable(fields["Make"]), printable(fields["Model"])
    if make and model and "{" not in make + model:
        known = model.startswith(make.split()[0])  # as in "Canon" and "Canon EOS 5D"
        yield f"camera or scanner {quoted(model if known else f'{make} {model}')}"


def _of_field(name: str, value: str) -> Iterator[str]:
    keyword, _, rest = value.partition(":")  # so ComfyUI keeps in WebP what PNG has in texts
    if by := writer(name, value) or writer(keyword, rest):
        yield f"EXIF {name}: written by {by}"
    else:
        yield from of_field(f"EXIF {name}", name, value)
