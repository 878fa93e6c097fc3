"""Digests of files: SHA-256, in hexadecimal."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

SHORT = 16
"""Hexadecimal digits of a short digest: among a million files two collide once in 40 million."""


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file: 64 hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def picture_id(data: bytes) -> str:
    """Return the id of a picture, from the bytes of its published file: `SHORT` digits."""
    return hashlib.sha256(data).hexdigest()[:SHORT]


def short_digest(files: Iterable[Path]) -> str:
    """Return one digest of the contents of `files`, in their order: `SHORT` hexadecimal digits.

    >>> short_digest([])
    'e3b0c44298fc1c14'
    """
    digest = hashlib.sha256()
    for path in files:
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()[:SHORT]
