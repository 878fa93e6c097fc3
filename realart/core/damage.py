"""Files that a crash, a full disk or an edit has damaged: they are named, or put aside."""

import errno
import struct
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from zipfile import BadZipFile

from realart.core.errors import RealartError

ERRORS = (
    EOFError,
    ValueError,
    TypeError,
    RuntimeError,
    LookupError,
    ArithmeticError,
    AttributeError,
    SyntaxError,
    BadZipFile,
    struct.error,
    zlib.error,
)
"""What json, NumPy, h5py, Keras and OpenVINO raise on damaged files, as found by fuzzing.

HDF5 raises an `OSError` without a number, too; one with a number is of the operating system.
"""
SUFFIX = ".damaged"
"""End of the name of what was put aside."""


@contextmanager
def named(path: Path, advice: str) -> Iterator[None]:
    """Raise `RealartError` with the path and `advice` if the block can't load what lies there."""
    try:
        yield
    except (*ERRORS, OSError) as error:
        if isinstance(error, OSError) and error.errno not in (None, errno.ENOENT):
            raise
        raise RealartError(f"{path} is damaged ({error}): {advice}") from error


def put_aside(path: Path, reason: object) -> None:
    """Rename a damaged file or folder, and say so, so that the next run does without it."""
    aside = path.with_name(f"{path.name}{SUFFIX}")
    number = 1
    while aside.exists():
        number += 1
        aside = path.with_name(f"{path.name}.{number}{SUFFIX}")
    path.rename(aside)
    message = RealartError(f"{path} is damaged ({reason}): it is now {aside.name}, and not used")
    print(f"realart: {message}", file=sys.stderr)
