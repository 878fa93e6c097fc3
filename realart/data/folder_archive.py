"""A folder that is read as a zip archive is, so that its pictures need not be copied."""

import os
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from realart.core.errors import RealartError


class FolderArchive:
    """The files of a folder, by the methods of `zipfile.ZipFile` that read an archive."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __enter__(self) -> "FolderArchive":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def infolist(self) -> list[zipfile.ZipInfo]:
        """Return an entry with name and size for each file, hidden ones too, sorted by name.

        Raises
        ------
        RealartError
            As `list_files`.
        """
        members = []
        for file in list_files(self._folder):
            member = zipfile.ZipInfo(file.relative_to(self._folder).as_posix())
            member.file_size = file.stat().st_size
            member.CRC = 0  # not known
            members.append(member)
        return sorted(members, key=lambda member: member.filename)

    def open(self, member: zipfile.ZipInfo) -> IO[bytes]:
        """Open a file of `infolist` for reading."""
        return (self._folder / member.orig_filename).open("rb")

    def read(self, member: zipfile.ZipInfo) -> bytes:
        """Return the bytes of a file of `infolist`."""
        return (self._folder / member.orig_filename).read_bytes()


def list_files(folder: Path) -> Iterator[Path]:
    """Yield every file below `folder`, hidden ones too.

    Raises
    ------
    RealartError
        An entry is neither a file nor a folder, is a link out of `folder` or to another folder,
        or has a name that is not UTF-8. Nothing is left out silently.
    """
    inside = folder.resolve()
    for parent, folders, files in os.walk(folder, onerror=_reraise):
        for name in [*folders, *files]:
            entry = Path(parent, name)
            _check_name(entry, folder)
            if entry.is_symlink() and not (
                entry.is_file() and entry.resolve().is_relative_to(inside)
            ):
                raise RealartError(
                    f"'{entry.relative_to(folder)}' is a link to a folder, to nothing or to the "
                    "outside of the folder: put the files themselves there, or remove it"
                )
            if entry.is_file():
                yield entry
            elif not entry.is_dir():
                raise RealartError(
                    f"'{entry.relative_to(folder)}' is neither a file nor a folder: remove it"
                )


def _check_name(entry: Path, folder: Path) -> None:
    name = str(entry.relative_to(folder))
    try:
        name.encode()
    except UnicodeEncodeError as error:
        raise RealartError(
            f"the file name {os.fsencode(name)!r} is not UTF-8 and fits in no zip: rename it"
        ) from error


def _reraise(error: OSError) -> None:
    raise error
