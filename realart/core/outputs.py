"""Atomic outputs: written beside their path, then renamed, so that each is complete or absent."""

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


def write_json(content: Any, path: Path) -> None:
    """Write `content` to `path` as indented JSON that ends with a newline."""
    with fresh_file(path) as beside:
        beside.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", "utf-8")


@contextmanager
def array_file(
    path: Path, dtype: str, shape: tuple[int, ...]
) -> Iterator[Callable[[NDArray[Any]], object]]:
    """Create the .npy file of an array of `shape`; yield a function that appends rows to it."""
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
