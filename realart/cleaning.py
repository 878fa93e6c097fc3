"""From an archive to canonical pictures and two tables: what was kept, and what not and why."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from realart import duplicates, looking
from realart.archive import files
from realart.errors import RealartError
from realart.fingerprints import Fingerprint
from realart.labels import read_paths
from realart.looking import Seen
from realart.parallel import each
from realart.params import CLASSES, Clean, Labels
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


def clean(
    archive: Path, labels: Labels, fields: str | None, params: Clean, folder: Path
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Decode every file of `archive` once, write what is kept into `folder` in canonical form.

    Returns
    -------
    kept, rejected, related
        Tables with the columns `tables.PICTURES`, `tables.REJECTED` and `tables.RELATED`. The
        first two are sorted by path and together have a row for each file of the archive; the
        third has the links of `duplicates.forest` between files that show nearly the same.

    Raises
    ------
    RealartError
        The archive is damaged or empty, a class has no folder, or nothing of a class is kept.
    """
    members = files(archive, f"remove {archive} and run `dvc repro`")
    origins = read_paths([member.filename for member in members], labels, fields)
    look = partial(looking.look, archive, params, folder)
    seen = list(each(look, list(zip(members, origins, strict=True)), "clean", "file"))
    seen.sort(key=lambda one: (one.path, one.id, one.reason))
    usable = [i for i, one in enumerate(seen) if not one.reason]
    edges = duplicates.forest([_fingerprint(seen[i]) for i in usable], params.similar)
    related = _related([seen[i] for i in usable], edges)
    seen = _resolve(seen, usable, edges, params)
    kept = pd.DataFrame([_row(one) for one in seen if not one.reason], columns=list(PICTURES))
    _check_classes(kept, seen)
    kept_files = set(kept["file"])
    for file in folder.iterdir():
        if f"{FOLDER}/{file.name}" not in kept_files:
            file.unlink()
    rejected = [(one.path, one.reason, one.detail) for one in seen if one.reason]
    return kept, pd.DataFrame(rejected, columns=list(REJECTED)), related


def _resolve(
    seen: Sequence[Seen], usable: list[int], edges: NDArray[np.float64], params: Clean
) -> list[Seen]:
    """Group related pictures; of the same picture keep the best, or none if its labels differ."""
    resolved = list(seen)
    for same in _components(usable, edges[edges[:, 2] >= params.duplicate]):
        best = min(same, key=lambda i: _rank(seen[i]))
        for i in same:
            other = [j for j in same if seen[j].origin.label != seen[i].origin.label]
            if other:
                resolved[i] = replace(
                    seen[i], reason="contradictory labels", detail=seen[other[0]].path
                )
            elif i != best:
                resolved[i] = replace(seen[i], reason="duplicate", detail=seen[best].path)
    for related in _components(usable, edges):
        kept = [i for i in related if not resolved[i].reason]
        for i in kept:
            resolved[i] = replace(seen[i], group=min(seen[j].id for j in kept))
    return resolved


def _related(usable: Sequence[Seen], edges: NDArray[np.float64]) -> pd.DataFrame:
    pairs = [(usable[int(i)], usable[int(j)], correlation) for i, j, correlation in edges]
    rows = [
        (a.path, b.path, a.origin.label, b.origin.label, a.origin.part, b.origin.part, correlation)
        for a, b, correlation in pairs
    ]
    return pd.DataFrame(rows, columns=list(RELATED))


def _components(indices: list[int], edges: NDArray[np.float64]) -> list[list[int]]:
    numbers = duplicates.components(len(indices), edges)
    members: dict[int, list[int]] = {}
    for index, number in zip(indices, numbers.tolist(), strict=True):
        members.setdefault(number, []).append(index)
    return list(members.values())


def _rank(one: Seen) -> tuple[bool, int, str]:
    """Sort the copy to keep first: one of the published test part, the largest, the first path."""
    assert one.header
    return one.origin.part != "test", -one.header.width * one.header.height, one.path


def _fingerprint(one: Seen) -> Fingerprint:
    assert one.fingerprint
    return one.fingerprint


def _row(one: Seen) -> dict[str, str | int]:
    assert one.header
    return {
        "id": one.id,
        "path": one.path,
        "label": one.origin.label or "",
        "source": one.origin.source,
        "generator": one.origin.generator,
        "style": one.origin.style,
        "published_part": one.origin.part,
        "group": one.group,
        **asdict(one.header),
        "bytes": one.bytes,
        "file": f"{FOLDER}/{one.file}",
    }


def _check_classes(kept: pd.DataFrame, seen: Sequence[Seen]) -> None:
    for name in CLASSES:
        if name not in set(kept["label"]):
            reasons = Counter(one.reason for one in seen if one.origin.label == name)
            why = ", ".join(f"{count} {reason}" for reason, count in reasons.most_common())
            raise RealartError(
                f"no picture of class {name} is usable ({why}): see its labels and clean.*"
            )
