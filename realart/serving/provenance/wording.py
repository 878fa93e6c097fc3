"""Fields of hostile files as short, printable text."""

from typing import Any

MOST = 1 << 20
"""Bytes or characters of a field that are looked at."""
LONGEST = 80
"""Characters that are quoted."""
LONGEST_ADDRESS = 300


def text(value: Any) -> str:
    """Return a field as text, whatever its type; without its zeros UTF-16 reads as ASCII does."""
    if isinstance(value, bytes):
        return value[:MOST].replace(b"\0", b"").decode("utf-8", "replace")
    return str(value)[:MOST].replace("\0", "")


def printable(value: str, longest: int = LONGEST) -> str:
    """Return the start of a text as one line, without what could move a terminal's cursor."""
    return "".join(filter(str.isprintable, " ".join(value[: 9 * longest].split()))).strip()


def quoted(value: str, longest: int = LONGEST) -> str:
    """Return the start of a text in quotes, at most `longest` characters of it."""
    line = printable(value, longest)
    return f"'{line}'" if len(line) <= longest else f"'{line[: longest - 1]}…'"
