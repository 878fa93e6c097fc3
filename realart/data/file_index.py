"""Files of an archive, found by the paths that a table outside or inside of it has for them."""

import unicodedata
from collections import defaultdict
from collections.abc import Sequence
from pathlib import PurePosixPath
from zipfile import ZipInfo

from realart.data.text_table import TABLES

NOTES = (*TABLES, ".json", ".md", ".txt", ".xml", ".yaml", ".yml")
"""Suffixes of files that may lie beside a picture under its name, and are none."""


class FileIndex:
    """The files of an archive, found by the paths or names that a table has for them.

    Parameters
    ----------
    members
        Of the archive.
    name
        Of the archive, or of the folder that it was made of; empty if paths never contain it.

    Examples
    --------
    >>> index = FileIndex([ZipInfo("ai/1.jpg"), ZipInfo("human/1.jpg")], "art.zip")
    >>> index.find("/home/me/art/ai/1.jpg"), index.find("1.jpg")
    (['ai/1.jpg'], ['ai/1.jpg', 'human/1.jpg'])
    """

    def __init__(self, members: Sequence[ZipInfo], name: str = "") -> None:
        self._names = {_composed(name), PurePosixPath(_composed(name)).stem}
        self._by_path: dict[str, set[str]] = defaultdict(set)
        self._by_bare_path: dict[str, set[str]] = defaultdict(set)  # without the extension
        self._by_name: dict[str, set[str]] = defaultdict(set)
        for file in {member.filename for member in members}:
            if not file.lower().endswith(NOTES):
                path = PurePosixPath(_composed(file).lstrip("/"))
                self._by_path[str(path)].add(file)
                self._by_bare_path[str(path.with_suffix(""))].add(file)
                for own in {path.name, path.stem}:
                    self._by_name[own].add(file)

    def find(self, value: str, table: str = "") -> list[str]:
        """Return the files that `value` in the table at the path `table` may stand for.

        `value` is a path from the table's folder, from the archive's top, from a folder with the
        table's name, from what lies in a folder with the archive's name, or from anywhere, in this
        order; its extension may be missing. `table` is empty for a table outside of the archive.
        """
        value = _composed(value.strip("\"' \t")).replace("\\", "/").lstrip("/")
        wanted = PurePosixPath(value)
        if not wanted.parts:
            return []
        candidates = [wanted]
        if table:
            base = PurePosixPath(_composed(table).lstrip("/"))
            candidates = [base.parent / wanted, wanted, base.with_suffix("") / wanted]
        candidates += self._inside(wanted)
        for files in (self._by_path, self._by_bare_path):
            for path in candidates:
                if str(path) in files:
                    return sorted(files[str(path)])
        return sorted(
            file
            for file in self._by_name.get(wanted.name, ())
            if str(wanted) in _endings(_composed(file), len(wanted.parts))
        )

    def _inside(self, path: PurePosixPath) -> list[PurePosixPath]:
        """Return what follows each folder of a path that has the archive's name, longest first."""
        return [
            PurePosixPath(*path.parts[place + 1 :])
            for place, folder in enumerate(path.parts[:-1])
            if folder in self._names
        ]


def _endings(path: str, parts: int) -> tuple[str, str]:
    """Return the last parts of a path, with and without its extension."""
    ending = PurePosixPath(*PurePosixPath(path).parts[-parts:])
    return str(ending), str(ending.with_suffix(""))


def _composed(text: str) -> str:
    """Return text with composed accents (NFC): zips of a Mac may have them decomposed (NFD)."""
    return unicodedata.normalize("NFC", text)
