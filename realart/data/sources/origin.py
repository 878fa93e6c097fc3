"""What a source is asked for, and what it answers: plain values, no behaviour."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Columns:
    """Names of the columns of a table that are taken; those that are None are chosen."""

    image: str | None = None
    label: str | None = None


@dataclass(frozen=True)
class SourceSpec:
    """Where a dataset is published: those leaves of its entry in params.yaml that say so."""

    name: str
    source: str
    path: str | None
    sha256: str | None
    licence: str
    columns: Columns = Columns()


@dataclass(frozen=True)
class FetchedArchive:
    """An archive that a source brought: not yet checked, perhaps not yet where it is to lie.

    `advice` says what to do if it turns out to be damaged; `cache` is the folder of a download,
    None if there was none: it is removed when the archive was accepted or refused.
    """

    archive: Path
    advice: str
    version: str | None = None
    address: str | None = None
    cache: Path | None = None
