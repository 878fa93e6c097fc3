"""Fields of files that nobody has checked, as short, printable text."""

from typing import Any

MAX_LENGTH = 1 << 20
"""Bytes or characters of a field that are read."""
MAX_QUOTED = 80
"""Characters of a field that are quoted."""
MAX_QUOTED_ADDRESS = 300
"""Characters of an address that are quoted."""


def to_text(value: Any) -> str:
    """Convert a field of any type to text.

    Bytes are decoded as UTF-8 without zeros, by which ASCII characters in UTF-16 are read, too.

    Examples
    --------
    >>> to_text("Midjourney".encode("utf-16-be"))
    'Midjourney'
    """
    if isinstance(value, bytes):
        return value[:MAX_LENGTH].replace(b"\0", b"").decode("utf-8", "replace")
    return str(value)[:MAX_LENGTH].replace("\0", "")


def printable(value: str, max_quoted: int = MAX_QUOTED) -> str:
    """Return the start of a text as one line without control characters, which terminals obey."""
    return "".join(filter(str.isprintable, " ".join(value[: 9 * max_quoted].split()))).strip()


def quoted(value: str, max_quoted: int = MAX_QUOTED) -> str:
    """Return the start of a text in quotes, as one line of at most `max_quoted` characters.

    Examples
    --------
    >>> quoted("a castle by the sea", 9)
    "'a castle…'"
    """
    line = printable(value, max_quoted)
    return f"'{line}'" if len(line) <= max_quoted else f"'{line[: max_quoted - 1]}…'"
