"""The output of `download`: the archive of each set as published, and its record.

A single set lies in data/raw itself; each of several in a folder of its name.
"""

import json
from collections.abc import Collection, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from realart.core.errors import RealartError
from realart.data.archive import ArchiveMember

if TYPE_CHECKING:  # `download` needs none, and begins in half the time
    import pandas as pd

ARCHIVE, RECORD = "archive.zip", "source.json"


def folder(raw: Path, name: str, sets: Collection[str]) -> Path:
    """Return the folder below `raw` for the archive and the record of the set `name`."""
    return raw / name if len(sets) > 1 else raw


def existing_folder(raw: Path, name: str) -> Path:
    """Return the folder of a set from an earlier run, which may have had other sets, else `raw`."""
    with suppress(RealartError, ValueError, KeyError, TypeError):
        return archives(raw)[name].parent
    return raw


def records(raw: Path) -> dict[str, dict[str, Any]]:
    """Return the record of each archive, by the name of its set.

    Raises
    ------
    RealartError
        There is no record.
    """
    loaded = [json.loads(file.read_text("utf-8")) for file in record_files(raw)]
    return {record["name"]: record for record in loaded}


def archives(raw: Path) -> dict[str, Path]:
    """Return the path of each archive, by the name of its set; raises as `records`."""
    paths = [file.with_name(ARCHIVE) for file in record_files(raw)]
    return dict(zip(records(raw), paths, strict=True))


def members(pictures: "pd.DataFrame", archives: Mapping[str, Path]) -> list[ArchiveMember]:
    """Return the published file of each row of `pictures` (set, path, bytes, id)."""
    columns = pictures[["set", "path", "bytes", "id"]].itertuples(index=False, name=None)
    return [ArchiveMember(archives[name], *file) for name, *file in columns]


def record_files(raw: Path) -> list[Path]:
    """Return the path of each record; raises as `records`."""
    files = [file for file in (raw / RECORD, *sorted(raw.glob(f"*/{RECORD}"))) if file.is_file()]
    if not files:
        raise RealartError(f"{raw} has no {RECORD}: run `dvc repro`")
    return files
