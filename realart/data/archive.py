"""Zip archives: byte-reproducible when written, checked to the last byte when read.

What reads an archive reads a folder alike.
"""

import io
import lzma
import os
import shutil
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import IO, NamedTuple, TypeAlias

from tqdm import tqdm

from realart.core import hashing
from realart.core.errors import RealartError
from realart.data.folder_archive import FolderArchive, list_files

Archive: TypeAlias = zipfile.ZipFile | FolderArchive
"""An archive that is open for reading."""
CHUNK = 1 << 20
CACHED = 8
"""Archives that a process keeps open: pictures of several sets may come in any order."""
BOUNDED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""Compression that zipfile unpacks piece by piece; 4 kB of another may unpack to fill a disk."""
UNREADABLE = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    OSError,
    RuntimeError,  # encrypted, or (NotImplementedError) compressed by an unknown method
    ValueError,
)


class ArchiveMember(NamedTuple):
    """A file in a zip archive: the archive's path, and the file's name, size in bytes and id."""

    archive: Path
    name: str
    size: int
    id: str


def files(path: Path, advice: str) -> list[zipfile.ZipInfo]:
    """Return the files of a zip archive or a folder, in its order, without reading them.

    Raises
    ------
    RealartError
        It is no whole zip, or holds no file; the message ends with `advice`.
    """
    with open_archive(path, advice) as archive:
        members = [member for member in list_entries(archive) if not member.is_dir()]
    if not members:
        raise RealartError(f"the archive holds no file: {advice}")
    return members


def list_entries(archive: Archive) -> list[zipfile.ZipInfo]:
    """Return the entries of a zip archive, folders too, with slashes in their names.

    Old zips of .NET have backslashes, against 4.4.17.1 of PKWARE's APPNOTE.TXT.
    """
    members = archive.infolist()
    for member in members:
        member.filename = member.filename.replace("\\", "/")
    return members


def check(path: Path, advice: str) -> None:
    """Read a zip archive from end to end: its directory, and each file against its checksum.

    Raises
    ------
    RealartError
        It is no whole zip, a file in it cannot be read, or it has none; the message ends with
        `advice`.
    """
    members = files(path, advice)
    size = sum(member.file_size for member in members)
    with (
        open_archive(path, advice) as archive,
        tqdm(None, "check", size, unit="B", unit_scale=True, disable=None, delay=1) as bar,
    ):
        for member in members:
            with translate_errors(member.filename, advice), open_member(archive, member) as stream:
                while chunk := stream.read(CHUNK):
                    bar.update(len(chunk))


def open_member(archive: Archive, member: zipfile.ZipInfo) -> IO[bytes]:
    """Open a file in a zip archive for reading in pieces, in no more memory than a piece takes.

    Raises
    ------
    NotImplementedError
        It is compressed by another method than `BOUNDED`.
    """
    if member.compress_type not in BOUNDED:
        raise NotImplementedError(f"compressed by method {member.compress_type}, not by deflate")
    return archive.open(member)


@contextmanager
def open_archive(path: Path, advice: str) -> Iterator[Archive]:
    """Yield an open archive; raise a `RealartError` with `advice` where it is no whole zip."""
    try:
        archive = _open(path)
    except UNREADABLE as error:
        raise RealartError(
            f"the archive is no whole zip file ({_reason(error)}): {advice}"
        ) from error
    with archive:
        yield archive


def cached_archive(path: Path) -> Archive:
    """Return the open zip archive or folder at `path`, from a cache of this process.

    Reading the directory anew for every file would take quadratic time.
    """
    return _cached_archive(path, path.stat().st_mtime_ns)


def read(path: Path, name: str, size: int, picture_id: str = "") -> bytes:
    """Return the bytes of a file in the zip archive or folder at `path`.

    An archive may hold several files of one name, even of one size: that of `picture_id`, as
    `hashing.picture_id` returns it, is meant, or without one the first.

    Raises
    ------
    KeyError
        There is no such file.
    """
    opened = cached_archive(path)
    first, *others = _members(path, path.stat().st_mtime_ns)[name, size]
    if not others or not picture_id:
        return opened.read(first)
    for member in (first, *others):
        with suppress(*UNREADABLE):
            if hashing.picture_id(data := opened.read(member)) == picture_id:
                return data
    raise KeyError(name)


@lru_cache(maxsize=CACHED)
def _cached_archive(path: Path, _modified: int) -> Archive:
    return _open(path)


def _open(path: Path) -> Archive:
    return FolderArchive(path) if path.is_dir() else zipfile.ZipFile(path)


@lru_cache(maxsize=CACHED)
def _members(path: Path, modified: int) -> dict[tuple[str, int], list[zipfile.ZipInfo]]:
    members: dict[tuple[str, int], list[zipfile.ZipInfo]] = {}
    for member in list_entries(_cached_archive(path, modified)):
        members.setdefault((member.filename, member.file_size), []).append(member)
    return members


@contextmanager
def translate_errors(name: str, advice: str) -> Iterator[None]:
    """Raise errors of reading the damaged member `name` as a `RealartError` with `advice`."""
    try:
        yield
    except UNREADABLE as error:
        raise RealartError(
            f"the archive is damaged: its file '{name}' cannot be read ({_reason(error)}): {advice}"
        ) from error


@contextmanager
def create_archive(path: Path) -> Iterator[zipfile.ZipFile]:
    """Yield a new zip archive to `add` to, uncompressed: its bytes depend on no compressor."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        yield archive


def add(archive: zipfile.ZipFile, name: str, stream: IO[bytes], size: int) -> None:
    """Write `size` bytes of `stream` to the archive as `name`, without date, owner or mode.

    Raises
    ------
    RealartError
        The archive has a file of that name already.
    """
    try:
        archive.getinfo(name)
    except KeyError:
        pass
    else:
        raise RealartError(f"two files would become '{name}' in the archive: rename one of them")
    member = zipfile.ZipInfo(name)  # of 1980-01-01
    member.create_system = 3
    member.external_attr = (stat.S_IFREG | 0o644) << 16
    member.file_size = size
    with archive.open(member, "w") as target:
        shutil.copyfileobj(stream, target, CHUNK)


def add_bytes(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    """Write `content` to the archive as `name`."""
    add(archive, name, io.BytesIO(content), len(content))


def add_file(archive: zipfile.ZipFile, name: str, path: Path) -> None:
    """Write the content of the file at `path` to the archive as `name`."""
    with path.open("rb") as stream:
        add(archive, name, stream, os.fstat(stream.fileno()).st_size)


def zip_folder(folder: Path, path: Path) -> None:
    """Write every file below `folder`, hidden ones too, to a byte-reproducible zip archive.

    Raises
    ------
    RealartError
        As `folder_archive.list_files`.
    """
    files = {file.relative_to(folder).as_posix(): file for file in list_files(folder)}
    with create_archive(path) as archive:
        for name in tqdm(sorted(files), "zip", unit=" files", disable=None, delay=1):
            add_file(archive, name, files[name])


def _reason(error: BaseException) -> str:
    return str(error) or type(error).__name__
