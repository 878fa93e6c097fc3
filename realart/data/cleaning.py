"""Cleaning of archives: canonical pictures, and tables of kept, rejected and related files."""

from collections import Counter
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pandas as pd

from realart.core.errors import RealartError
from realart.core.parallel import map_isolated
from realart.data import ingestion, label_table
from realart.data.archive import files as archive_files
from realart.data.labels import describe_missing_class, label_summary, read_paths
from realart.data.tabulation import Entry, PictureSet, labelled, tabulate
from realart.params import CLASSES, Clean, LabelNames

FOLDER = "clean/pictures"
"""Where canonical pictures lie, relative to data/."""


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
    entries = list_sets(sets)
    ingest = partial(ingestion.ingest_entry, params, folder)
    items = [(entry.set.archive, entry.member) for entry in labelled(entries)]
    results = map_isolated(ingest, items, "clean", "file")
    kept, rejected, related = tabulate(entries, results, params, folder)
    for dataset in sets:
        _check_classes(dataset, kept, rejected, entries, _prefix(dataset, sets))
    kept["file"] = f"{FOLDER}/" + kept["file"]
    _remove_others(folder, kept)
    return kept, rejected, related


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


def list_sets(sets: Sequence[PictureSet]) -> list[Entry]:
    """Return the files of all sets, each sorted by path, and print how many have which label.

    Raises
    ------
    RealartError
        An archive is damaged or empty, folders contradict each other, or a class has no folder in a
        set.
    """
    return [entry for dataset in sets for entry in _list_set(dataset, _prefix(dataset, sets))]


def _prefix(dataset: PictureSet, sets: Sequence[PictureSet]) -> str:
    """Return the beginning of lines about a set, which names it if there are several."""
    return f"{dataset.name}: " if len(sets) > 1 else ""


def _list_set(dataset: PictureSet, prefix: str) -> list[Entry]:
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
        Entry(dataset, member, of_path) for member, of_path in zip(members, metadata, strict=True)
    ]


def _check_classes(
    dataset: PictureSet,
    kept: pd.DataFrame,
    rejected: pd.DataFrame,
    entries: Sequence[Entry],
    prefix: str,
) -> None:
    """Raise if a class of a set has no picture: the set alone would then name the label.

    Where one class is enough, raise if neither has.
    """
    label_of = {
        entry.member.filename: entry.metadata.label
        for entry in labelled(entries)
        if entry.set.name == dataset.name
    }
    of_set = set(kept.loc[kept["set"] == dataset.name, "label"])
    if of_set and dataset.one_class:
        return
    wanted = set(label_of.values()) if dataset.one_class else CLASSES
    for label in CLASSES:
        if label in wanted and label not in of_set:
            own = rejected[rejected["set"] == dataset.name]
            of_class = own[own["path"].map(label_of) == label]
            counts = Counter(of_class["reason"])
            reasons = ", ".join(f"{count} {reason}" for reason, count in counts.most_common())
            raise RealartError(
                f"{prefix}no picture of class {label} is usable ({reasons}): see its labels and "
                "clean.*"
            )
