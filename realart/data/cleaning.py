"""Cleaning of archives: canonical pictures, and tables of kept, rejected and related files."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import astuple, dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple
from zipfile import ZipInfo

import pandas as pd

from realart.core.errors import RealartError
from realart.core.parallel import map_parallel
from realart.core.tables import PICTURES, REJECTED, RELATED
from realart.data import deduplication, ingestion, label_table, near_duplicates
from realart.data.archive import files as archive_files
from realart.data.decoding import UnusableFileError
from realart.data.fingerprints import Fingerprints
from realart.data.ingestion import IngestedFile
from realart.data.labels import PathMetadata, describe_missing_class, label_summary, read_paths
from realart.data.near_duplicates import Edges
from realart.params import CLASSES, Clean, LabelNames

FOLDER = "clean/pictures"
"""Where canonical pictures lie, relative to data/."""

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
        The path of its zip archive.
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


class _Entry(NamedTuple):
    """A file of a set, as its archive lists it, and the metadata of its path."""

    set: PictureSet
    member: ZipInfo
    metadata: PathMetadata


def clean(
    archive: Path,
    labels: LabelNames,
    fields: str | None,
    params: Clean,
    folder: Path,
    dataset: str = "local",
    one_class: bool = False,
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Clean the archive of one set, called `dataset`; see `PictureSet` and `clean_sets`."""
    return clean_sets([PictureSet(dataset, archive, labels, fields, one_class)], params, folder)


def clean_sets(
    sets: Sequence[PictureSet], params: Clean, folder: Path
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Decode every file of `sets` once, and write the pictures to keep in canonical form.

    Prints which folders were taken for which class. Duplicates and contradictory labels are found
    across sets, too.

    Parameters
    ----------
    sets
        The sets to clean.
    params
        Limits, thresholds and the canonical form.
    folder
        An empty folder for the canonical pictures.

    Returns
    -------
    kept, rejected, related
        Tables with the columns `tables.PICTURES`, `tables.REJECTED` and `tables.RELATED`. The
        first two are sorted by set and path and together have a row for each file of the archives;
        the third has the edges of `near_duplicates.forest`.

    Raises
    ------
    RealartError
        An archive is damaged or empty, folders contradict each other, a class has no folder in a
        set, or no picture of a class of a set is kept; both classes, where one is enough.
    """
    prefixes = {dataset.name: f"{dataset.name}: " * (len(sets) > 1) for dataset in sets}
    entries = [entry for dataset in sets for entry in _entries(dataset, prefixes[dataset.name])]
    labelled = [entry for entry in entries if entry.metadata.label is not None]
    rejected: list[RejectedRow] = [
        (entry.set.name, entry.member.filename, "unlabelled", entry.metadata.source, "")
        for entry in entries
        if entry.metadata.label is None
    ]
    files, fingerprints, unusable = _decode(labelled, params, folder)
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
    for dataset in sets:
        _check_classes(dataset, kept, rejected, labelled, prefixes[dataset.name])
    _remove_others(folder, kept)
    return kept, pd.DataFrame(sorted(rejected), columns=list(REJECTED)), _related(files, edges)


def _decode(
    entries: Sequence[_Entry], params: Clean, folder: Path
) -> tuple[list[LabelledFile], Fingerprints, list[RejectedRow]]:
    """Decode files and write their stored forms into `folder`; return the unusable ones as rows."""
    ingest_file = partial(ingestion.ingest_file, params, folder)
    items = [(entry.set.archive, entry.member) for entry in entries]
    files, fingerprints, unusable = [], Fingerprints(folder=folder), []
    for entry, result in zip(
        entries, map_parallel(ingest_file, items, "clean", "file"), strict=True
    ):
        name, path = entry.set.name, entry.member.filename
        if isinstance(result, UnusableFileError):
            unusable.append((name, path, result.reason, result.detail, ""))
        else:
            decoded, fingerprint = result
            files.append(LabelledFile(name, path, entry.metadata, decoded))
            fingerprints.append(fingerprint)
    return files, fingerprints, unusable


def _remove_others(folder: Path, kept: pd.DataFrame) -> None:
    """Remove the stored forms of pictures that are not kept."""
    kept_files = set(kept["file"])
    for file in folder.iterdir():
        if f"{FOLDER}/{file.name}" not in kept_files:
            file.unlink()


def summary(kept: pd.DataFrame, rejected: pd.DataFrame, related: pd.DataFrame) -> str:
    """Return counts of kept and rejected files as text, with a line for each of several sets.

    The parameters are the tables that `clean_sets` returns.
    """
    lines = [f"clean: {_counts(kept, rejected)}"]
    names = sorted({*kept["set"], *rejected["set"]})
    if len(names) > 1:
        twins = rejected[(rejected["twin_set"] != "") & (rejected["twin_set"] != rejected["set"])]
        pairs = int((related["set_a"] != related["set_b"]).sum())
        across = f"{_reasons(twins)} of the rejected; {pairs} pairs show nearly the same"
        counts = (
            f"{name}: {_counts(kept[kept['set'] == name], rejected[rejected['set'] == name])}"
            for name in names
        )
        lines = [*counts, *lines, f"across sets: {across}"]
    return "\n".join(lines)


def _counts(kept: pd.DataFrame, rejected: pd.DataFrame) -> str:
    by_label = ", ".join(f"{n} {label}" for label, n in kept["label"].value_counts().items())
    return (
        f"{len(kept) + len(rejected)} files = {len(kept)} kept ({by_label}) "
        f"+ {len(rejected)} rejected ({_reasons(rejected)})"
    )


def _reasons(rejected: pd.DataFrame) -> str:
    counted = Counter(rejected["reason"]).items()
    return ", ".join(f"{count} {reason}" for reason, count in counted) or "none"


def _entries(dataset: PictureSet, prefix: str) -> list[_Entry]:
    """Return the files of a set, sorted by path, and print how many have which label.

    Printed lines and errors begin with `prefix`, which names the set if there are several.
    """
    members = archive_files(dataset.archive, f"remove {dataset.archive} and run `dvc repro`")
    members.sort(key=lambda member: (member.filename, member.CRC, member.file_size))
    table, report = None, ""
    if dataset.labels.table:
        table, report = label_table.read(
            dataset.archive, members, dataset.labels, dataset.labels.table
        )
        print(f"{prefix}labels.table: {report}")
    paths = [member.filename for member in members]
    metadata = read_paths(paths, dataset.labels, dataset.fields, table)
    first, *others = label_summary(metadata)
    print(f"{prefix}{first}", *others, sep="\n", flush=True)
    reason = describe_missing_class(metadata, dataset.labels)
    if reason and not (dataset.one_class and any(path.label for path in metadata)):
        advice = report or label_table.suggest_labels(
            dataset.archive, members, dataset.labels, f"datasets.{dataset.name}"
        )
        raise RealartError(f"{prefix}{reason}: {advice}")
    return [
        _Entry(dataset, member, of_path) for member, of_path in zip(members, metadata, strict=True)
    ]


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
        f"{FOLDER}/{decoded.file}",
    )


def _check_classes(
    dataset: PictureSet,
    kept: pd.DataFrame,
    rejected: Sequence[RejectedRow],
    labelled: Sequence[_Entry],
    prefix: str,
) -> None:
    """Raise if a class of a set has no picture: the set alone would then name the label.

    Where one class is enough, raise if neither has.
    """
    label_of = {
        entry.member.filename: entry.metadata.label
        for entry in labelled
        if entry.set.name == dataset.name
    }
    of_set = set(kept.loc[kept["set"] == dataset.name, "label"])
    if of_set and dataset.one_class:
        return
    wanted = set(label_of.values()) if dataset.one_class else CLASSES
    for label in CLASSES:
        if label in wanted and label not in of_set:
            counts = Counter(
                reason
                for name, path, reason, *_ in rejected
                if name == dataset.name and label_of.get(path) == label
            )
            reasons = ", ".join(f"{count} {reason}" for reason, count in counts.most_common())
            raise RealartError(
                f"{prefix}no picture of class {label} is usable ({reasons}): see its labels and "
                "clean.*"
            )
