"""Audit sets of pictures as they are published: no pipeline is needed, and nothing is stored.

Each file is decoded once, cleaned as the pipeline does, and measured in canonical form.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from realart.core import tables
from realart.core.errors import RealartError
from realart.core.parallel import map_isolated
from realart.data import archive, cleaning, defaults, label_table, splits, tabulation
from realart.data.decoding import UnusableFileError
from realart.data.fingerprints import Fingerprint
from realart.data.ingestion import IngestedFile
from realart.data.labels import describe_missing_class, read_paths
from realart.data.tabulation import Entry, PictureSet
from realart.evaluation import one_sided, shortcuts
from realart.evaluation.one_sided import OneSided
from realart.evaluation.shortcuts import Candidate
from realart.features import measurements
from realart.features.measurements import MeasuredFile, Measurement
from realart.params import CLASSES, Clean, LabelNames

LEAST_SIDE = 32
"""Pixels of the shorter side below which a picture shows too little to be measured."""
LEAST = 20
"""Fewest unrelated pictures of each class from which anything about the label is predicted."""
FOLDS = 4
CLEAN = defaults.CLEAN.model_copy(update={"min_side": LEAST_SIDE})

EXCLUSIONS = ("duplicate", "contradictory labels")
"""Reasons in `rejected` that are about a usable picture and another one, its twin."""


class PublishedFile(NamedTuple):
    """A picture as published: the name of its set, its path there, its size, label and part.

    `id` is "" where it is not known, as of pictures that are left out.
    """

    set: str
    path: str
    bytes: int
    label: str
    part: str
    id: str = ""


class TwinPair(NamedTuple):
    """A picture that is left out, and the one that it duplicates."""

    a: PublishedFile
    b: PublishedFile

    @property
    def crosses_parts(self) -> bool:
        """Whether the two are in different published parts."""
        return bool(self.a.part and self.b.part and self.a.part != self.b.part)


@dataclass(frozen=True)
class PublishedAudit:
    """Result of an audit of published sets.

    Attributes
    ----------
    archives
        The zip archive or folder of each set, by name.
    labelled
        The number of files that have a label, of which `drawn` were audited.
    kept, rejected, related
        What `tabulation.tabulate` returns for these.
    baselines
        What `shortcuts.evaluate_candidates` returns; empty if a class has too few pictures.
    one_sided
        Properties of one class alone, or nearly so.
    duplicates, contradictions
        Pictures left out as duplicates of one with the same label, or with the other.
    leaks
        Those of both kinds whose twin lies in another published part.
    """

    archives: Mapping[str, Path]
    labelled: int
    drawn: int
    kept: pd.DataFrame
    rejected: pd.DataFrame
    related: pd.DataFrame
    baselines: pd.DataFrame
    one_sided: Sequence[OneSided]
    duplicates: Sequence[TwinPair]
    contradictions: Sequence[TwinPair]
    leaks: Sequence[TwinPair]

    @property
    def broken(self) -> pd.DataFrame:
        """The labelled files that are no usable picture: columns `tables.REJECTED`."""
        return self.rejected[~self.rejected["reason"].isin((*EXCLUSIONS, "unlabelled"))]


def open_sets(paths: Sequence[Path], labels: LabelNames, fields: str | None) -> list[PictureSet]:
    """Return the set at each path, whose labels are from folders, or else from a table that it has.

    Parameters
    ----------
    paths
        Folders or zip archives.
    labels, fields
        As those of an entry of `datasets` in params.yaml.

    Raises
    ------
    RealartError
        One is neither, or is empty, or neither folders nor a table name both classes.
    """
    names = [path.resolve().name for path in paths]
    unique = len(set(names)) == len(names)
    return [
        _open_set(path, name if unique else str(path), labels, fields)
        for path, name in zip(paths, names, strict=True)
    ]


def audit(sets: Sequence[PictureSet], most: int, clean: Clean = CLEAN) -> PublishedAudit:
    """Audit all files of sets as one, but at most `most` that have a label.

    Prints which folders were taken for which class.

    Parameters
    ----------
    sets
        With names of their own.
    most
        The number of labelled files above which some are drawn, by the hash of their paths, as many
        of each class as there are.
    clean
        Limits, thresholds and the canonical form.
    """
    entries = cleaning.list_sets(sets)
    drawn = draw(entries, most)
    measured: dict[str, Measurement] = {}
    items = [(entry.set.archive, entry.member) for entry in tabulation.labelled(drawn)]
    measure = partial(measurements.measure_entry, clean)
    results = _remember(map_isolated(measure, items, "decode"), measured)
    kept, rejected, related = tabulation.tabulate(drawn, results, clean)
    twins = {reason: list(_twins(drawn, rejected, reason)) for reason in EXCLUSIONS}
    pairs = [pair for of_reason in twins.values() for pair in of_reason]
    return PublishedAudit(
        archives={dataset.name: dataset.archive for dataset in sets},
        labelled=len(tabulation.labelled(entries)),
        drawn=len(items),
        kept=kept,
        rejected=rejected,
        related=related,
        baselines=_baselines(kept, [measured[own] for own in kept["id"]]),
        one_sided=one_sided.find(kept),
        duplicates=twins["duplicate"],
        contradictions=twins["contradictory labels"],
        leaks=[pair for pair in pairs if pair.crosses_parts],
    )


def draw(entries: Sequence[Entry], most: int) -> list[Entry]:
    """Draw at most `most` labelled entries, evenly by class; those without a label all stay."""
    by_label = {
        label: [i for i, entry in enumerate(entries) if entry.metadata.label == label]
        for label in CLASSES
    }
    fewest = min(map(len, by_label.values()))
    share = max(most // 2, most - fewest)
    digests = [_digest(entry) for entry in entries]
    chosen = {
        i
        for indices in by_label.values()
        for i in sorted(indices, key=lambda i: digests[i])[:share]
    }
    return [entry for i, entry in enumerate(entries) if entry.metadata.label is None or i in chosen]


def _open_set(path: Path, name: str, labels: LabelNames, fields: str | None) -> PictureSet:
    if not path.exists():
        raise RealartError(f"there is nothing at {path}: name a folder or a zip archive")
    members = archive.files(path, f"name a folder or a zip archive with pictures, not {path}")
    if labels.table:
        return PictureSet(name, path, labels, fields)
    metadata = read_paths([member.filename for member in members], labels, fields)
    if reason := describe_missing_class(metadata, labels):
        table = label_table.find_table(path, members, labels)
        if table is None:
            raise RealartError(
                f"{path}: {reason}: give the names of the folders of each class by --ai and --human"
            )
        labels = labels.model_copy(update={"table": table})
    return PictureSet(name, path, labels, fields)


def _digest(entry: Entry) -> bytes:
    return sha256(f"{entry.set.name}/{entry.member.filename}".encode()).digest()


def _remember(
    results: Iterator[MeasuredFile | UnusableFileError], measured: dict[str, Measurement]
) -> Iterator[tuple[IngestedFile, Fingerprint] | UnusableFileError]:
    """Yield what cleaning needs of each file, and put measurements into `measured`, by id."""
    for result in results:
        if isinstance(result, UnusableFileError):
            yield result
        else:
            measured[result.ingested.id] = result.stored
            yield result.ingested, result.fingerprint


def _twins(entries: Sequence[Entry], rejected: pd.DataFrame, reason: str) -> Iterator[TwinPair]:
    """Yield each rejected picture of a reason with its twin."""
    files = {
        (entry.set.name, entry.member.filename): PublishedFile(
            entry.set.name,
            entry.member.filename,
            entry.member.file_size,
            str(entry.metadata.label),
            entry.metadata.part,
        )
        for entry in tabulation.labelled(entries)
    }
    rows = rejected.loc[rejected["reason"] == reason, ["set", "path", "twin_set", "detail"]]
    for name, path, twin_set, twin in rows.to_numpy():
        yield TwinPair(files[name, path], files[twin_set, twin])


def _baselines(kept: pd.DataFrame, measured: Sequence[Measurement]) -> pd.DataFrame:
    """Return what `shortcuts.evaluate_candidates` does; empty if a class has too few groups."""
    groups = kept.groupby("label")["group"].nunique().reindex(list(CLASSES), fill_value=0)
    if groups.min() < LEAST:
        return pd.DataFrame()
    stored, statistics = measurements.stack(measured)
    folds = kept.assign(fold=splits.deal_folds(kept["label"], kept["group"], FOLDS, seed=0))
    candidates = shortcuts.list_candidates(kept, stored, statistics)
    if kept["set"].nunique() > 1:
        features = kept[["set"]]
        candidates.append(Candidate(shortcuts.PUBLISHED, shortcuts.SET, features, ("logistic",)))
    return shortcuts.evaluate_candidates(candidates, tables.is_ai(kept["label"]), folds)
