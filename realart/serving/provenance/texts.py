"""Texts with a keyword: text chunks of PNG, and the comments of JPEG and GIF."""

from collections.abc import Iterator, Mapping

from realart.serving.provenance.generators import field_sentences, writer
from realart.serving.provenance.wording import quoted


def sentences(texts: Mapping[str, str], kind: str) -> Iterator[str]:
    """Yield sentences on texts, given by keyword; `kind` is the format of the file, such as PNG."""
    where = "PNG text" if kind == "PNG" else "text"
    for keyword, text in texts.items():
        if program := writer(keyword, text):
            yield f"{where} {quoted(keyword)}: written by {program}"
        else:
            yield from field_sentences(f"{where} {quoted(keyword)}", keyword, text)
