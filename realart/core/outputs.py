"""Outputs that are complete or absent: written beside their place, then renamed into it."""

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray


@contextmanager
def fresh_directory(path: Path) -> Iterator[Path]:
    """Yield an empty directory that replaces `path` when the block ends without an error."""
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
    """Yield a path to write that replaces `path` when the block ends without an error."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.partial")
    _remove(beside)
    with _removed_on_error(beside):
        yield beside
    beside.replace(path)


def write_json(content: Any, path: Path) -> None:
    """Write `content` to `path`, indented and ending with a newline."""
    with fresh_file(path) as beside:
        beside.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", "utf-8")


@contextmanager
def array_file(
    path: Path, dtype: str, shape: tuple[int, ...]
) -> Iterator[Callable[[NDArray[Any]], object]]:
    """Yield a function that appends rows of `dtype` to the .npy file of an array of `shape`."""
    header = {"descr": np.dtype(dtype).str, "fortran_order": False, "shape": shape}
    # Written, not mapped: on a full disk, a write into a mapped file kills the process.
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
