"""The temporary folder of uploads, which no demo leaves behind, however it ends."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

PREFIX = "realart-demo-"
LOCK = "in-use"


@contextmanager
def upload_folder() -> Iterator[Path]:
    """Make a temporary folder and remove it in the end, and before those of killed processes.

    A folder is in use as long as its file `LOCK` is locked, which ends with the process.
    """
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        _remove_unused(folder)
    with tempfile.TemporaryDirectory(prefix=PREFIX) as name, FileLock(Path(name, LOCK)):
        yield Path(name)


def _remove_unused(folder: Path) -> None:
    try:
        with FileLock(folder / LOCK, timeout=0):
            shutil.rmtree(folder, ignore_errors=True)
    except (Timeout, OSError):  # in use, or of another user
        return
