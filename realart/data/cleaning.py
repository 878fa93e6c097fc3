"""From archives to canonical pictures and two tables: what was kept, and what not and why."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import astuple, dataclass
from functools import partial
from pathlib import Path
from zipfile import ZipInfo

import pandas as pd

from realart.core.errors import RealartError
from realart.core.parallel import each
from realart.core.tables import PICTURES, REJECTED, RELATED
from realart.data import decoding, deduplication, label_table, near_duplicates
from realart.data.archive import files
from realart.data.decoding import DecodedFile
from realart.data.fingerprints import Fingerprints
from realart.data.labels import PathLabel, label_summary, missing, read_paths
from realart.data.near_duplicates import Edges
from realart.data.pictures import UnusableFileError
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
"""All that rejected.csv can say; `detail` names the twin or what the decoder said."""

Rejected = tuple[str, str, str, str, str]
"""A row of `tables.REJECTED`."""


@dataclass(frozen=True)
class PictureSet:
    """A set of labelled pictures: its name, its zip archive, and how a path in it is read."""

    name: str
    archive: Path
    labels: LabelNames
    fields: str | None


@dataclass(frozen=True, slots=True)
class LabelledFile:
    """A picture of a set: where it lies in its archive, what that says, and what was seen of it."""

    set: str
    path: str
    origin: PathLabel
    seen: DecodedFile


def clean(
    archive: Path,
    labels: LabelNames,
    fields: str | None,
    params: Clean,
    folder: Path,
    dataset: str = "local",
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Clean the archive of one set; as `clean_sets`."""
    return clean_sets([PictureSet(dataset, archive, labels, fields)], params, folder)


def clean_sets(
    sets: Sequence[PictureSet], params: Clean, folder: Path
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Decode every file of `sets` once, write what is kept into `folder` in canonical form.

    Before, it is printed which folders were taken for which class. Duplicates and contradictory
    labels are found across sets, too.

    Returns
    -------
    kept, rejected, related
        Tables with the columns `tables.PICTURES`, `tables.REJECTED` and `tables.RELATED`. The
        first two are sorted by set and path and together have a row for each file of the archives;
        the third has the links of `near_duplicates.forest` between files that show nearly the same.

    Raises
    ------
    RealartError
        An archive is damaged or empty, folders contradict each other, a class has no folder in a
        set, or nothing of a class of a set is kept.
    """
    named = {of.name: f"{of.name}: " * (len(sets) > 1) for of in sets}
    listed = [(of, *pair) for of in sets for pair in _labelled(of, named[of.name])]
    rejected: list[Rejected] = [
        (of.name, member.filename, "unlabelled", origin.source, "")
        for of, member, origin in listed
        if origin.label is None
    ]
    listed = [entry for entry in listed if entry[2].label is not None]
    look = partial(decoding.look, params, folder)
    seen = each(look, [(of.archive, member) for of, member, _ in listed], "clean", "file")
    found, prints = [], Fingerprints(folder=folder)
    for (of, member, origin), one in zip(listed, seen, strict=True):
        if isinstance(one, UnusableFileError):
            rejected.append((of.name, member.filename, one.reason, one.detail, ""))
        else:
            found.append(LabelledFile(of.name, member.filename, origin, one[0]))
            prints.append(one[1])
    edges = near_duplicates.forest(prints, params.similar)
    left_out = deduplication.resolve(
        prints,
        edges,
        [str(picture.origin.label) for picture in found],
        [_rank(picture) for picture in found],
        params.duplicate,
    )
    for i, why in left_out.items():
        left, twin = found[i], found[why.twin]
        rejected.append((left.set, left.path, why.reason, twin.path, twin.set))
    groups = _groups(found, edges, left_out)
    rows = [_row(one, group) for one, group in zip(found, groups, strict=True) if group]
    kept = pd.DataFrame(rows, columns=list(PICTURES))
    labels = {(of.name, member.filename): origin.label for of, member, origin in listed}
    for of in sets:
        _check_classes(of, kept, rejected, labels, named[of.name])
    kept_files = set(kept["file"])
    for file in folder.iterdir():
        if f"{FOLDER}/{file.name}" not in kept_files:
            file.unlink()
    return kept, pd.DataFrame(sorted(rejected), columns=list(REJECTED)), _related(found, edges)


def summary(kept: pd.DataFrame, rejected: pd.DataFrame, related: pd.DataFrame) -> str:
    """Return in words how many files were kept and rejected, a line for each of several sets.

    The parameters are what `clean_sets` returns.
    """
    lines = [f"clean: {_counts(kept, rejected)}"]
    names = sorted({*kept["set"], *rejected["set"]})
    if len(names) > 1:
        twins = rejected[(rejected["twin_set"] != "") & (rejected["twin_set"] != rejected["set"])]
        pairs = int((related["set_a"] != related["set_b"]).sum())
        across = f"{_reasons(twins)} of the rejected; {pairs} pairs show nearly the same"
        of_sets = ((kept[kept["set"] == name], rejected[rejected["set"] == name]) for name in names)
        counts = (f"{name}: {_counts(*own)}" for name, own in zip(names, of_sets, strict=True))
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


def _labelled(one: PictureSet, named: str) -> list[tuple[ZipInfo, PathLabel]]:
    """Read the origin of every file of a set, by path, and print the labels.

    Lines and errors begin with `named`, which says what set they are of if there are several.
    """
    members = files(one.archive, f"remove {one.archive} and run `dvc repro`")
    members.sort(key=lambda member: (member.filename, member.CRC, member.file_size))
    table, report = None, ""
    if one.labels.table:
        table, report = label_table.read(one.archive, members, one.labels, one.labels.table)
        print(f"{named}labels.table: {report}")
    origins = read_paths([member.filename for member in members], one.labels, one.fields, table)
    first, *others = label_summary(origins)
    print(f"{named}{first}", *others, sep="\n", flush=True)
    if reason := missing(origins, one.labels):
        place = f"datasets.{one.name}"
        advice = report or label_table.advice(one.archive, members, one.labels, place)
        raise RealartError(f"{named}{reason}: {advice}")
    return list(zip(members, origins, strict=True))


def _groups(found: Sequence[LabelledFile], edges: Edges, left_out: Collection[int]) -> list[str]:
    """Return the group of each picture: the lowest id of those related to it, empty if left out."""
    groups = [""] * len(found)
    numbers = near_duplicates.components(len(found), edges).tolist()
    lowest: dict[int, str] = {}
    for i, (picture, number) in enumerate(zip(found, numbers, strict=True)):
        if i not in left_out:
            lowest[number] = min(lowest.get(number, picture.seen.id), picture.seen.id)
    for i, number in enumerate(numbers):
        if i not in left_out:
            groups[i] = lowest[number]
    return groups


def _related(found: Sequence[LabelledFile], edges: Edges) -> pd.DataFrame:
    pairs = [(found[int(i)], found[int(j)], correlation) for i, j, correlation in edges]
    rows = [
        (
            a.set,
            b.set,
            a.path,
            b.path,
            a.seen.bytes,
            b.seen.bytes,
            a.origin.label,
            b.origin.label,
            a.origin.part,
            b.origin.part,
            correlation,
        )
        for a, b, correlation in pairs
    ]
    return pd.DataFrame(rows, columns=list(RELATED))


def _rank(one: LabelledFile) -> tuple[bool, int, str, str, str]:
    """Sort the copy to keep first: one of the published test part, the largest, the first path."""
    header = one.seen.header
    return one.origin.part != "test", -header.width * header.height, one.path, one.set, one.seen.id


def _row(one: LabelledFile, group: str) -> tuple[str | int | None, ...]:
    """Return a row of `tables.PICTURES`."""
    origin, seen = one.origin, one.seen
    return (
        seen.id,
        one.set,
        one.path,
        origin.label,
        origin.source,
        origin.generator,
        origin.style,
        origin.part,
        group,
        *astuple(seen.header),
        seen.bytes,
        f"{FOLDER}/{seen.file}",
    )


def _check_classes(
    one: PictureSet,
    kept: pd.DataFrame,
    rejected: Sequence[Rejected],
    labels: Mapping[tuple[str, str], str | None],
    named: str,
) -> None:
    """Raise if a class of a set has no picture: to be of this set would then name the label."""
    for name in CLASSES:
        if not ((kept["set"] == one.name) & (kept["label"] == name)).any():
            reasons = Counter(
                reason
                for of, path, reason, *_ in rejected
                if of == one.name and labels.get((of, path)) == name
            )
            why = ", ".join(f"{count} {reason}" for reason, count in reasons.most_common())
            raise RealartError(
                f"{named}no picture of class {name} is usable ({why}): see its labels and clean.*"
            )
