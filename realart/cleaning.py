"""From an archive to canonical pictures and two tables: what was kept, and what not and why."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import lru_cache, partial
from hashlib import sha256
from pathlib import Path
from zipfile import ZipFile, ZipInfo

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from realart import duplicates, pictures
from realart.archive import UNREADABLE, files, unpacked
from realart.errors import RealartError
from realart.fingerprints import Fingerprint, fingerprint
from realart.headers import Header
from realart.labels import Origin, read_paths
from realart.parallel import each
from realart.params import Clean, Labels
from realart.pictures import UnusableError
from realart.tables import CLASSES, PICTURES, REJECTED, RELATED

FOLDER = "clean/pictures"
"""Where canonical pictures lie, relative to data/."""

BYTES_A_PIXEL = 4
"""Of `max_pixels`, the most that a published file may have: as much as its picture in memory."""

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


@dataclass(frozen=True)
class Seen:
    """A file that was decoded once: either a reason against it, or all that is kept of it."""

    path: str
    origin: Origin
    reason: str = ""
    detail: str = ""
    id: str = ""
    group: str = ""
    file: str = ""
    bytes: int = 0
    header: Header | None = None
    fingerprint: Fingerprint | None = None


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
    look = partial(_look, archive, params, folder)
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


def _look(archive: Path, params: Clean, folder: Path, item: tuple[ZipInfo, Origin]) -> Seen:
    member, origin = item
    if origin.label is None:
        return Seen(member.filename, origin, "unlabelled", origin.source)
    try:
        data = _read(_opened(archive, archive.stat().st_mtime_ns), member, params)
        pixels, header = pictures.decode(data, params.max_pixels, params.min_side)
    except UnusableError as unusable:
        return Seen(member.filename, origin, unusable.reason, unusable.detail)
    except UNREADABLE as error:
        return Seen(member.filename, origin, "corrupt", str(error))
    name = sha256(data).hexdigest()[:16]
    suffix = header.format.lower() if params.encoding == "original" else "jpg"
    file = f"{name}.{suffix}"
    (folder / file).write_bytes(pictures.stored(data, pixels, params))
    print_ = fingerprint(pixels)
    return Seen(member.filename, origin, "", "", name, "", file, len(data), header, print_)


def _read(archive: ZipFile, member: ZipInfo, params: Clean) -> bytes:
    """Unpack a file, never beyond the size that the archive's directory says, nor beyond ours."""
    most = BYTES_A_PIXEL * params.max_pixels
    if member.flag_bits & 1:
        raise UnusableError("encrypted", "it has a password")
    if member.file_size > most:
        raise UnusableError("too large", f"{member.file_size} bytes, at most {most}")
    try:
        with unpacked(archive, member) as stream:
            data = stream.read(member.file_size + 1)  # one more: 0 would compare no checksum
    except NotImplementedError as error:
        raise UnusableError("unsupported", str(error)) from error
    if len(data) < member.file_size:
        raise UnusableError("corrupt", f"{len(data)} bytes, {member.file_size} in the directory")
    return data


@lru_cache(maxsize=1)
def _opened(archive: Path, _modified: int) -> ZipFile:
    """Keep the zip open in each process: reading its directory for every file is quadratic."""
    return ZipFile(archive)


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
