"""What is predicted: files, folders and zips of files, standard input; and pictures in memory."""

import os
import re
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias
from zipfile import ZipInfo

import numpy as np
from PIL import Image

from realart.core.errors import RealartError
from realart.data import archive, decoding, ingestion
from realart.data.archive import UNREADABLE
from realart.data.decoding import UnusableFileError
from realart.data.pictures import Pixels
from realart.params import Clean

STDIN = Path("-")
"""The path that stands for standard input."""


@dataclass(frozen=True)
class ZippedFile:
    """A file in a zip archive; as text, its path as if the archive were a folder."""

    archive: Path
    entry: ZipInfo

    def __str__(self) -> str:
        return f"{self.archive}/{self.entry.filename}"


File: TypeAlias = Path | ZippedFile
Picture: TypeAlias = str | File | bytes | Image.Image | Pixels
"""A path, the bytes of a file, a Pillow image, or an array as `from_memory` takes it."""

_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]+:/")
"""Start of a web address (RFC 3986, 3.1); a `Path` has but one of its slashes."""


def list_files(paths: Sequence[Path]) -> list[File]:
    """List files as they are given, and in the place of a folder or zip all files in it.

    A folder's files are sorted. A path that does not exist, a link to nothing and a folder that
    can't be read are listed, too: `read` raises their error.

    Raises
    ------
    RealartError
        There is no file: all paths are empty folders; or a .zip is no zip archive, or is empty.
    """
    listed: list[File] = []
    for path in paths:
        if path != STDIN and path.is_dir():
            listed += sorted(_walk(path))
        elif path.suffix.lower() == ".zip" and path.is_file():
            entries = archive.files(path, f"{path} is to be a whole zip archive of pictures")
            listed += [ZippedFile(path, entry) for entry in entries]
        else:
            listed.append(path)
    if not listed:
        names = ", ".join(str(path) for path in paths)
        raise RealartError(f"no file in {names}: give pictures, or folders with pictures")
    return listed


def _walk(folder: Path) -> Iterator[Path]:
    """Yield the files below a folder, links to nothing, and folders that can't be listed."""
    unreadable: list[OSError] = []
    for parent, _, names in os.walk(folder, onerror=unreadable.append):
        paths = [Path(parent, name) for name in names]
        yield from (path for path in paths if _is_readable_kind(path))
    yield from (Path(error.filename) for error in unreadable)


def _is_readable_kind(path: Path) -> bool:
    """Return whether a path is no socket, pipe or device, which may never end."""
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except OSError:
        return True  # its error is reported when it is read


def path_of(picture: Picture) -> str:
    """Return the path of a file as text; "" for a picture in memory."""
    return str(picture) if isinstance(picture, str | Path | ZippedFile) else ""


def read(file: str | File, clean: Clean) -> bytes:
    """Read a file, unless it is larger than any picture may be, or never ends, as /dev/zero.

    Raises
    ------
    UnusableFileError
        It can't be read, or is too large; its text is the reason.
    """
    try:
        if isinstance(file, ZippedFile):
            opened = archive.cached_archive(file.archive)
            return ingestion.read_bounded(opened, file.entry, clean)
        return _read(Path(file), decoding.BYTES_A_PIXEL * clean.max_pixels)
    except OSError as error:
        if _ADDRESS.match(str(file)):
            raise UnusableFileError(
                "a web address, which is not fetched", "curl -sL ADDRESS | realart predict -"
            ) from error
        raise UnusableFileError(error.strerror or str(error)) from error
    except UNREADABLE as error:
        raise UnusableFileError("corrupt", str(error)) from error


def _read(path: Path, max_bytes: int) -> bytes:
    with os.fdopen(0, "rb", closefd=False) if path == STDIN else path.open("rb") as stream:
        size = os.fstat(stream.fileno()).st_size
        data = stream.read(max_bytes + 1) if size <= max_bytes else b""
    if (size := max(size, len(data))) > max_bytes:
        raise UnusableFileError("too large", f"{size} bytes, at most {max_bytes}")
    return data


def from_memory(picture: Image.Image | Pixels, clean: Clean) -> Image.Image:
    """Return a Pillow image or an array as an RGB picture, as `decoding.decode` does of a file.

    Raises
    ------
    RealartError
        It is no array of a picture.
    UnusableFileError
        As `decoding.from_image`.
    """
    if not isinstance(picture, Image.Image):
        shape, dtype = np.shape(picture), np.asarray(picture).dtype
        if dtype != np.uint8 or len(shape) not in (2, 3) or shape[2:] not in ((), (3,), (4,)):
            raise RealartError(
                f"an array of {dtype}, shape {shape}, is no picture: give uint8, shape (height, "
                "width), (height, width, 3) or (height, width, 4)"
            )
        picture = Image.fromarray(picture)
    return decoding.from_image(picture, clean.max_pixels, clean.min_side)
