"""What `download` has left in data/raw: the archive of each set as published, and its record.

Of several sets each has a folder of its name; that of one alone is data/raw itself.
"""

import json
from collections.abc import Collection, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import pandas as pd

from realart.core.errors import RealartError
from realart.data.archive import Member

ARCHIVE, RECORD = "archive.zip", "source.json"


def folder(raw: Path, name: str, sets: Collection[str]) -> Path:
    """Return where the archive and the record of one of `sets` lie below `raw`."""
    return raw / name if len(sets) > 1 else raw


def held(raw: Path, name: str) -> Path:
    """Return where an earlier run, perhaps of other sets beside this one, has put a set."""
    with suppress(RealartError, ValueError, KeyError, TypeError):
        return archives(raw)[name].parent
    return raw


def records(raw: Path) -> dict[str, dict[str, Any]]:
    """Return what is known of each archive, by the name of its set.

    Raises
    ------
    RealartError
        There is no record.
    """
    found = [json.loads(file.read_text("utf-8")) for file in record_files(raw)]
    return {record["name"]: record for record in found}


def archives(raw: Path) -> dict[str, Path]:
    """Return the path of each archive, by the name of its set; raises as `records`."""
    places = [file.with_name(ARCHIVE) for file in record_files(raw)]
    return dict(zip(records(raw), places, strict=True))


def members(pictures: pd.DataFrame, archives: Mapping[str, Path]) -> list[Member]:
    """Return the published file of each picture; `pictures` has the columns set, path and bytes."""
    columns = pictures[["set", "path", "bytes"]].itertuples(index=False, name=None)
    return [Member(archives[name], path, size) for name, path, size in columns]


def record_files(raw: Path) -> list[Path]:
    """Return the file of each record; raises as `records`."""
    files = [file for file in (raw / RECORD, *sorted(raw.glob(f"*/{RECORD}"))) if file.is_file()]
    if not files:
        raise RealartError(f"{raw} has no {RECORD}: run `dvc repro`")
    return files
