"""Tables of the files of picture sets: which are kept, rejected and related, and why."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import NamedTuple
from zipfile import ZipInfo

import pandas as pd

from realart.core.tables import PICTURES, REJECTED, RELATED
from realart.data import deduplication, near_duplicates
from realart.data.decoding import UnusableFileError
from realart.data.fingerprints import Fingerprint, Fingerprints
from realart.data.ingestion import IngestedFile
from realart.data.labels import PathMetadata
from realart.data.near_duplicates import Edges
from realart.params import Clean, LabelNames

REASONS = (
    "unlabelled",
    "empty",
    "encrypted",
    "not a picture",
    "corrupt",
    "unsupported",
    "animated",
    "too small",
    "too large",
    "duplicate",
    "contradictory labels",
)
"""The reasons in rejected.csv; `detail` has the twin's path or the decoder's message."""

RejectedRow = tuple[str, str, str, str, str]
"""A row of `tables.REJECTED`."""


@dataclass(frozen=True)
class PictureSet:
    """A set of labelled pictures.

    Attributes
    ----------
    name
        Of the set.
    archive
        The path of its zip archive or folder.
    labels, fields
        How paths are parsed: `datasets.<name>.labels` and `fields`.
    one_class
        Whether pictures of one class alone are enough: to evaluate a model, not to train one.
    """

    name: str
    archive: Path
    labels: LabelNames
    fields: str | None
    one_class: bool = False


@dataclass(frozen=True, slots=True)
class LabelledFile:
    """A decoded picture of a set, with its path in the archive and the metadata of that path."""

    set: str
    path: str
    metadata: PathMetadata
    decoded: IngestedFile


class Entry(NamedTuple):
    """A file of a set, as its archive lists it, and the metadata of its path."""

    set: PictureSet
    member: ZipInfo
    metadata: PathMetadata


def labelled(entries: Sequence[Entry]) -> list[Entry]:
    """Return the entries that have a label."""
    return [entry for entry in entries if entry.metadata.label is not None]


def tabulate(
    entries: Sequence[Entry],
    results: Iterable[tuple[IngestedFile, Fingerprint] | UnusableFileError],
    params: Clean,
    folder: Path | None = None,
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Find duplicates and contradictory labels among decoded files, and make tables of all files.

    Parameters
    ----------
    entries
        All files of all sets.
    results
        What `ingestion.ingest_entry` returns for each of the `labelled` entries.
    params
        The thresholds.
    folder
        Where temporary files are kept.

    Returns
    -------
    kept, rejected, related
        Tables with the columns `tables.PICTURES`, of which `file` is the name of the stored form,
        `tables.REJECTED` and `tables.RELATED`. The first is in the order of `entries`, the second
        sorted by set and path; together they have a row for each entry. The third has the edges of
        `near_duplicates.forest`.
    """
    rejected: list[RejectedRow] = [
        (entry.set.name, entry.member.filename, "unlabelled", entry.metadata.source, "")
        for entry in entries
        if entry.metadata.label is None
    ]
    files, fingerprints, unusable = _sort_results(labelled(entries), results, folder)
    edges = near_duplicates.forest(fingerprints, params.similar)
    exclusions = deduplication.find_exclusions(
        fingerprints,
        edges,
        [str(file.metadata.label) for file in files],
        [_rank(file) for file in files],
        params.duplicate,
    )
    rejected += unusable
    for i, exclusion in exclusions.items():
        file, twin = files[i], files[exclusion.twin]
        rejected.append((file.set, file.path, exclusion.reason, twin.path, twin.set))
    groups = _groups(files, edges, exclusions)
    rows = [_row(file, group) for file, group in zip(files, groups, strict=True) if group]
    kept = pd.DataFrame(rows, columns=list(PICTURES))
    return kept, pd.DataFrame(sorted(rejected), columns=list(REJECTED)), _related(files, edges)


def _sort_results(
    entries: Sequence[Entry],
    results: Iterable[tuple[IngestedFile, Fingerprint] | UnusableFileError],
    folder: Path | None,
) -> tuple[list[LabelledFile], Fingerprints, list[RejectedRow]]:
    """Return the decoded files with their fingerprints, and the unusable ones as rows."""
    files, fingerprints, unusable = [], Fingerprints(folder=folder), []
    for entry, result in zip(entries, results, strict=True):
        name, path = entry.set.name, entry.member.filename
        if isinstance(result, UnusableFileError):
            unusable.append((name, path, result.reason, result.detail, ""))
        else:
            decoded, fingerprint = result
            files.append(LabelledFile(name, path, entry.metadata, decoded))
            fingerprints.append(fingerprint)
    return files, fingerprints, unusable


def _groups(files: Sequence[LabelledFile], edges: Edges, excluded: Collection[int]) -> list[str]:
    """Return the group of each picture: the lowest id in its component, empty if it is excluded."""
    components = near_duplicates.components(len(files), edges).tolist()
    lowest: dict[int, str] = {}
    for i, (file, component) in enumerate(zip(files, components, strict=True)):
        if i not in excluded:
            lowest[component] = min(lowest.get(component, file.decoded.id), file.decoded.id)
    return ["" if i in excluded else lowest[number] for i, number in enumerate(components)]


def _related(files: Sequence[LabelledFile], edges: Edges) -> pd.DataFrame:
    """Return the table of near-duplicates: columns `tables.RELATED`, a row for each edge."""
    pairs = [(files[int(i)], files[int(j)], correlation) for i, j, correlation in edges]
    rows = [
        (
            a.set,
            b.set,
            a.path,
            b.path,
            a.decoded.bytes,
            b.decoded.bytes,
            a.metadata.label,
            b.metadata.label,
            a.metadata.part,
            b.metadata.part,
            correlation,
        )
        for a, b, correlation in pairs
    ]
    return pd.DataFrame(rows, columns=list(RELATED))


def _rank(file: LabelledFile) -> tuple[bool, int, str, str, str]:
    """Return the sort key of copies, the best first: published as test, largest, first path."""
    header, is_test = file.decoded.header, file.metadata.part == "test"
    return not is_test, -header.width * header.height, file.path, file.set, file.decoded.id


def _row(file: LabelledFile, group: str) -> tuple[str | int | None, ...]:
    """Return a row of `tables.PICTURES`."""
    metadata, decoded = file.metadata, file.decoded
    return (
        decoded.id,
        file.set,
        file.path,
        metadata.label,
        metadata.source,
        metadata.generator,
        metadata.style,
        metadata.part,
        group,
        *astuple(decoded.header),
        decoded.bytes,
        decoded.file,
    )
