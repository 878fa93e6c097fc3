"""Sources: how an archive of pictures is had, exactly as published.

Each kind of source is a function in a module of this package that registers itself under its name,
which `datasets.<name>.source` gives. What only some sources need is imported when they are used.
"""

import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from filelock import FileLock, Timeout

from realart.core import hashing
from realart.core.errors import RealartError
from realart.core.registry import Registry, import_modules
from realart.data import archive
from realart.params import Dataset


@dataclass(frozen=True)
class Folders:
    """Where a source works.

    Attributes
    ----------
    target
        An empty folder for the archive.
    root
        The project's main folder, which a relative path to pictures on this machine starts from.
    downloads
        A folder that outlasts the run: an interrupted download is resumed from there.
    existing
        The target of an earlier run; a version that lies there is not downloaded again.
    """

    target: Path
    root: Path
    downloads: Path
    existing: Path

    @property
    def archive(self) -> Path:
        """The file of the archive."""
        return self.target / "archive.zip"


@dataclass(frozen=True)
class FetchedArchive:
    """An archive that a source has fetched: not yet checked, nor moved to its target.

    Attributes
    ----------
    archive
        The file: the target's, or one that is copied there; where there is a `cache`, moved there.
    advice
        What to do where it is damaged.
    version, address
        What was fetched; None where the source has none.
    cache
        The folder of a download, removed once the archive is accepted or refused; None if there
        was no download.
    """

    archive: Path
    advice: str
    version: str | None = None
    address: str | None = None
    cache: Path | None = None


Fetch = Callable[[str, Dataset, Folders], FetchedArchive]
"""Fetches an entry of `datasets`, given its name, itself and the folders to work in.

Raises `RealartError` where the source has no such dataset, refuses it or cannot be reached.
"""
Check = Callable[[str, Dataset], object]
"""Checks the `path` of an entry of `datasets`, given its name and itself; raises `RealartError`."""


class Source(NamedTuple):
    """A kind of source: how an archive is fetched, and how its `path` is checked before."""

    fetch: Fetch
    check: Check


SOURCES = Registry[Source]("source")
"""All kinds of source by name."""


def register(name: str, check: Check) -> Callable[[Fetch], Fetch]:
    """Register the decorated function as the source `name`, whose paths are checked by `check`."""

    def add(fetch: Fetch) -> Fetch:
        SOURCES.add(name, Source(fetch, check))
        return fetch

    return add


def find(name: str, dataset: Dataset) -> Source:
    """Return the source of an entry of `datasets`.

    Raises
    ------
    RealartError
        There is no such source.
    """
    return SOURCES.choose(dataset.source, f"datasets.{name}.source")


def check(name: str, dataset: Dataset) -> None:
    """Check an entry of `datasets` without a network.

    Raises
    ------
    RealartError
        There is no such source, or `path` has not its form or, on this machine, is not there.
    """
    find(name, dataset).check(name, dataset)


def fetch(name: str, dataset: Dataset, folders: Folders) -> dict[str, object]:
    """Fetch the published archive of an entry of `datasets` to `folders.archive`.

    Returns
    -------
    dict
        name, source, version, address, licence, bytes, sha256: the same on every machine.

    Raises
    ------
    RealartError
        There is no such source; it has no such dataset, refuses it, cannot be reached, or sent a
        damaged archive or one whose SHA-256 is not `dataset.sha256`.
    """
    source = find(name, dataset)
    try:
        with _alone(folders.downloads):
            fetched = source.fetch(name, dataset, folders)
            digest = _accepted(fetched, name, dataset)
            if fetched.cache:
                shutil.move(fetched.archive, folders.archive)
            elif fetched.archive != folders.archive:
                shutil.copyfile(fetched.archive, folders.archive)
            _remove_cache(fetched)
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        raise RealartError(
            f"dataset '{name}' cannot be stored: {error.strerror or error}{where}"
        ) from error
    return {
        "name": name,
        "source": dataset.source,
        "version": fetched.version,
        "address": fetched.address,
        "licence": dataset.licence,
        "bytes": folders.archive.stat().st_size,
        "sha256": digest,
    }


def _accepted(fetched: FetchedArchive, name: str, dataset: Dataset) -> str:
    """Return the archive's SHA-256; a damaged or unexpected download is removed and reported.

    An archive that was not downloaded may hold unreadable files: `clean` rejects each by itself.
    """
    read = archive.check if fetched.cache else archive.files
    try:
        read(fetched.archive, fetched.advice)
        digest = hashing.sha256(fetched.archive)
        if dataset.sha256 and digest != dataset.sha256.lower():
            raise RealartError(
                f"the archive of dataset '{name}' has sha256 {digest}, expected "
                f"{dataset.sha256}: pin the version that you expect in datasets.{name}.path, "
                f"or accept this one with -S datasets.{name}.sha256={digest}"
            )
    except RealartError:
        _remove_cache(fetched)
        raise
    return digest


def _remove_cache(fetched: FetchedArchive) -> None:
    if fetched.cache:
        shutil.rmtree(fetched.cache)


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


import_modules(__name__, __path__)
