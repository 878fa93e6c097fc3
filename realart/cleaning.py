"""From an archive to canonical pictures and two tables: what was kept, and what not and why."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import astuple, dataclass
from functools import partial
from pathlib import Path
from zipfile import ZipInfo

import pandas as pd

from realart import copies, duplicates, label_table, looking
from realart.archive import files
from realart.duplicates import Edges
from realart.errors import RealartError
from realart.fingerprints import Fingerprints
from realart.labels import Origin, missing, read_paths, summary
from realart.looking import Seen
from realart.parallel import each
from realart.params import CLASSES, Clean, Labels
from realart.pictures import UnusableError
from realart.tables import PICTURES, REJECTED, RELATED

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


@dataclass(frozen=True, slots=True)
class Found:
    """A picture of the archive: where it lies there, what that says, and what was seen of it."""

    path: str
    origin: Origin
    seen: Seen


def clean(
    archive: Path,
    labels: Labels,
    fields: str | None,
    params: Clean,
    folder: Path,
    dataset: str = "local",
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Decode every file of `archive` once, write what is kept into `folder` in canonical form.

    Before, it is printed which folders were taken for which class. Errors call the labels those of
    `dataset`.

    Returns
    -------
    kept, rejected, related
        Tables with the columns `tables.PICTURES`, `tables.REJECTED` and `tables.RELATED`. The
        first two are sorted by path and together have a row for each file of the archive; the
        third has the links of `duplicates.forest` between files that show nearly the same.

    Raises
    ------
    RealartError
        The archive is damaged or empty, folders contradict each other, a class has no folder, or
        nothing of a class is kept.
    """
    members = files(archive, f"remove {archive} and run `dvc repro`")
    members.sort(key=lambda member: (member.filename, member.CRC, member.file_size))
    origins = _origins(archive, members, labels, fields, dataset)
    pairs = list(zip(members, origins, strict=True))
    rejected = [(m.filename, "unlabelled", o.source) for m, o in pairs if o.label is None]
    pairs = [(member, origin) for member, origin in pairs if origin.label is not None]
    look = partial(looking.look, archive, params, folder)
    seen = each(look, [member for member, _ in pairs], "clean", "file")
    found, prints = [], Fingerprints(folder=folder)
    for (member, origin), one in zip(pairs, seen, strict=True):
        if isinstance(one, UnusableError):
            rejected.append((member.filename, one.reason, one.detail))
        else:
            found.append(Found(member.filename, origin, one[0]))
            prints.append(one[1])
    edges = duplicates.forest(prints, params.similar)
    left_out = copies.resolve(
        prints,
        edges,
        [str(picture.origin.label) for picture in found],
        [_rank(picture) for picture in found],
        params.duplicate,
    )
    rejected += [(found[i].path, why.reason, found[why.twin].path) for i, why in left_out.items()]
    groups = _groups(found, edges, left_out)
    rows = [_row(one, group) for one, group in zip(found, groups, strict=True) if group]
    kept = pd.DataFrame(rows, columns=list(PICTURES))
    _check_classes(kept, rejected, {member.filename: origin.label for member, origin in pairs})
    kept_files = set(kept["file"])
    for file in folder.iterdir():
        if f"{FOLDER}/{file.name}" not in kept_files:
            file.unlink()
    return kept, pd.DataFrame(sorted(rejected), columns=list(REJECTED)), _related(found, edges)


def _origins(
    archive: Path, members: Sequence[ZipInfo], labels: Labels, fields: str | None, dataset: str
) -> list[Origin]:
    """Read the origin of every file, and print the labels."""
    table, report = None, ""
    if labels.table:
        table, report = label_table.read(archive, members, labels, labels.table)
        print(f"labels.table: {report}")
    origins = read_paths([member.filename for member in members], labels, fields, table)
    print(*summary(origins), sep="\n", flush=True)
    if reason := missing(origins, labels):
        advice = report or label_table.advice(archive, members, labels, f"datasets.{dataset}")
        raise RealartError(f"{reason}: {advice}")
    return origins


def _groups(found: Sequence[Found], edges: Edges, left_out: Collection[int]) -> list[str]:
    """Return the group of each picture: the lowest id of those related to it, empty if left out."""
    groups = [""] * len(found)
    numbers = duplicates.components(len(found), edges).tolist()
    lowest: dict[int, str] = {}
    for i, (picture, number) in enumerate(zip(found, numbers, strict=True)):
        if i not in left_out:
            lowest[number] = min(lowest.get(number, picture.seen.id), picture.seen.id)
    for i, number in enumerate(numbers):
        if i not in left_out:
            groups[i] = lowest[number]
    return groups


def _related(found: Sequence[Found], edges: Edges) -> pd.DataFrame:
    pairs = [(found[int(i)], found[int(j)], correlation) for i, j, correlation in edges]
    rows = [
        (
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


def _rank(one: Found) -> tuple[bool, int, str, str]:
    """Sort the copy to keep first: one of the published test part, the largest, the first path."""
    header = one.seen.header
    return one.origin.part != "test", -header.width * header.height, one.path, one.seen.id


def _row(one: Found, group: str) -> tuple[str | int | None, ...]:
    """Return a row of `tables.PICTURES`."""
    origin, seen = one.origin, one.seen
    return (
        seen.id,
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
    kept: pd.DataFrame, rejected: Sequence[tuple[str, str, str]], labels: Mapping[str, str | None]
) -> None:
    for name in CLASSES:
        if name not in set(kept["label"]):
            reasons = Counter(reason for path, reason, _ in rejected if labels.get(path) == name)
            why = ", ".join(f"{count} {reason}" for reason, count in reasons.most_common())
            raise RealartError(
                f"no picture of class {name} is usable ({why}): see its labels and clean.*"
            )
