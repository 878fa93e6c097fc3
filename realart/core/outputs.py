"""Atomic outputs: written beside their path, then renamed, so that each is complete or absent."""

import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Any

from realart.core.errors import RealartError

if TYPE_CHECKING:  # most outputs need none, nor does the command line
    from numpy.typing import NDArray

MAX_NAME = 255
"""Bytes of a file's name: NAME_MAX of most file systems."""
MARGIN = 1 << 22
"""Bytes of room that `require_room` asks for beyond arrays, for what names and describes them."""


@contextmanager
def fresh_directory(path: Path) -> Iterator[Path]:
    """Yield an empty directory to fill, which replaces `path` if the block raises nothing."""
    beside = path.with_name(f".{path.name}.partial")
    _remove(beside)
    beside.mkdir(parents=True)
    with _removed_on_error(beside):
        yield beside
    old = path.with_name(f".{path.name}.old.partial")
    _remove(old)
    if path.exists():
        path.rename(old)
    beside.rename(path)
    _remove(old)


@contextmanager
def fresh_file(path: Path) -> Iterator[Path]:
    """Yield the path of a file to write, which replaces `path` if the block raises nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.partial")
    _remove(beside)
    with _removed_on_error(beside):
        yield beside
    beside.replace(path)


def require_writable(path: Path, kind: str = "file") -> None:
    """Check that an output can be written, before the work whose result it is.

    Parameters
    ----------
    path
        Of the output. Neither it nor its folder need exist; nothing is created.
    kind
        `file` or `folder`.

    Raises
    ------
    RealartError
        There is something of the other kind, the name is too long, or the folder is no folder or
        can't be written.
    """
    if len(os.fsencode(f".{path.name}.old.partial")) > MAX_NAME:
        raise RealartError(f"the name {path.name} is too long for a {kind}: give a shorter one")
    if path.exists() and path.is_dir() != (kind == "folder"):
        other = "folder" if kind == "file" else "file"
        raise RealartError(f"{path} is a {other}: give the name of a {kind}")
    parent = next(folder for folder in path.absolute().parents if folder.exists()).resolve()
    if not parent.is_dir():
        raise RealartError(f"{path} can't be written, as {parent} is no folder: name another")
    if not os.access(parent, os.W_OK | os.X_OK):
        raise RealartError(
            f"{path} can't be written: allow {parent} to be written, or name another {kind}"
        )


def require_room(folder: Path, size: int) -> None:
    """Check that a library can write arrays of `size` bytes into `folder`, before it does.

    On a full disk HDF5 crashes, and OpenVINO raises an error that does not say so.

    Raises
    ------
    OSError
        The disk or a quota is full, or files may not become as large.
    """
    if not hasattr(os, "posix_fallocate"):  # macOS
        return
    with TemporaryFile(dir=folder) as file:
        try:
            os.posix_fallocate(file.fileno(), 0, size + MARGIN)
        except OSError as error:
            raise OSError(error.errno, error.strerror, str(folder)) from error


def write_json(content: Any, path: Path) -> None:
    """Write `content` to `path` as indented JSON that ends with a newline."""
    with fresh_file(path) as beside:
        beside.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", "utf-8")


@contextmanager
def array_file(
    path: Path, dtype: str, shape: tuple[int, ...]
) -> Iterator[Callable[["NDArray[Any]"], object]]:
    """Create the .npy file of an array of `shape`; yield a function that appends rows to it."""
    import numpy as np

    header = {"descr": np.dtype(dtype).str, "fortran_order": False, "shape": shape}
    # Not memory-mapped: on a full disk, a write into a mapped file kills the process.
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, header)
        yield lambda rows: file.write(rows.tobytes())


@contextmanager
def _removed_on_error(path: Path) -> Iterator[None]:
    try:
        yield
    except BaseException:
        _remove(path)
        raise


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
