"""Where pictures come from: one archive, exactly as published, and a record of what it is."""

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from realart.core import hashing
from realart.core.errors import RealartError
from realart.data import archive
from realart.data.sources import huggingface, kaggle, path
from realart.data.sources.origin import Columns, FetchedArchive, SourceSpec

__all__ = ["Columns", "SourceSpec", "fetch"]


def fetch(
    origin: SourceSpec, directory: Path, root: Path, downloads: Path, held: Path
) -> dict[str, object]:
    """Put the published archive at `directory / "archive.zip"` and return what is known of it.

    Parameters
    ----------
    origin : Origin
        What to fetch.
    directory : Path
        An empty folder.
    root : Path
        The project's main folder, which a relative path to pictures on this machine starts from.
    downloads : Path
        A folder that outlasts the run: an interrupted download goes on from what lies there.
    held : Path
        What an earlier run put at `directory`; a version that lies there is not downloaded again.

    Returns
    -------
    dict
        name, source, version, address, licence, bytes, sha256: the same on every machine.

    Raises
    ------
    RealartError
        The source has no such dataset, refuses it, cannot be reached, or sent something damaged or
        something else than `origin.sha256` says.
    """
    target = directory / "archive.zip"
    try:
        with _alone(downloads):
            found = _find(origin, directory, root, downloads, held)
            digest = _accepted(found, origin)
            if found.cache:
                shutil.move(found.archive, target)
            elif found.archive != target:
                shutil.copyfile(found.archive, target)
            _forget(found)
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        raise RealartError(
            f"dataset '{origin.name}' cannot be stored: {error.strerror or error}{where}"
        ) from error
    return {
        "name": origin.name,
        "source": origin.source,
        "version": found.version,
        "address": found.address,
        "licence": origin.licence,
        "bytes": target.stat().st_size,
        "sha256": digest,
    }


def _find(
    origin: SourceSpec, directory: Path, root: Path, downloads: Path, held: Path
) -> FetchedArchive:
    if origin.source == "path":
        return path.fetch(origin, directory, root)
    if origin.source == "kaggle":
        return kaggle.fetch(origin, downloads, held)
    if origin.source == "huggingface":
        return huggingface.fetch(origin, downloads)
    from realart.data.sample import write_archive

    write_archive(directory / "archive.zip")
    return FetchedArchive(directory / "archive.zip", advice="run again")


def _accepted(found: FetchedArchive, origin: SourceSpec) -> str:
    """Return the archive's SHA-256; a damaged or unexpected download is removed and reported.

    What did not travel may hold unreadable files: `clean` rejects each of them for itself.
    """
    read = archive.check if found.cache else archive.files
    try:
        read(found.archive, found.advice)
        digest = hashing.sha256(found.archive)
        if origin.sha256 and digest != origin.sha256.lower():
            raise RealartError(
                f"the archive of dataset '{origin.name}' has sha256 {digest}, expected "
                f"{origin.sha256}: pin the version that you expect in datasets.{origin.name}.path, "
                f"or accept this one with -S datasets.{origin.name}.sha256={digest}"
            )
    except RealartError:
        _forget(found)
        raise
    return digest


def _forget(found: FetchedArchive) -> None:
    if found.cache:
        shutil.rmtree(found.cache)


@contextmanager
def _alone(downloads: Path) -> Iterator[None]:
    """Wait until no other run fetches: two at once would write the same partial file."""
    downloads.mkdir(parents=True, exist_ok=True)
    lock = FileLock(downloads / "lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        print("download: waiting for another run that is fetching a dataset", file=sys.stderr)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()
