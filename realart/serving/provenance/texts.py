"""Texts under a keyword: those of PNG, and the comments of JPEG and GIF."""

from collections.abc import Iterator, Mapping

from realart.serving.provenance.generators import of_field, writer
from realart.serving.provenance.wording import quoted


def sentences(texts: Mapping[str, str], kind: str) -> Iterator[str]:
    """Yield what texts tell, by their keywords; `kind` is the format of the file."""
    where = "PNG text" if kind == "PNG" else "text"
    for keyword, text in texts.items():
        if by := writer(keyword, text):
            yield f"{where} {quoted(keyword)}: written by {by}"
        else:
            yield from of_field(f"{where} {quoted(keyword)}", keyword, text)
