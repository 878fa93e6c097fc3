"""Tables that stages pass to each other: their columns and types, and one CSV format."""

import csv
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from realart.core.errors import RealartError
from realart.core.outputs import fresh_file

PICTURES = {
    "id": str,  # from the published bytes: stays the same when other files are added
    "set": str,  # the entry of `datasets` that it comes from
    "path": str,  # inside the published archive of its set
    "label": str,
    "source": str,  # where the publisher put it: its folder
    "generator": str,
    "style": str,
    "published_part": str,
    "group": str,  # the id of its near-duplicate group
    "format": str,  # of the published file, like all up to its bytes
    "mode": str,
    "width": int,
    "height": int,
    "quality": int,
    "luma_table": int,
    "chroma_table": int,
    "subsampling": str,
    "progressive": bool,
    "exif": bool,
    "icc": bool,
    "bytes": int,
    "file": str,  # the canonical picture, relative to data/
}
REJECTED = {
    "set": str,
    "path": str,
    "reason": str,
    "detail": str,
    "twin_set": str,  # of the picture that `detail` names, if it names one
}
RELATED = {
    "set_a": str,
    "set_b": str,
    "a": str,  # paths inside the published archives
    "b": str,
    "bytes_a": int,  # distinguishes two files of one name
    "bytes_b": int,
    "label_a": str,
    "label_b": str,
    "part_a": str,  # as published
    "part_b": str,
    "correlation": float,  # of thumbnails; 1 for equal pixels
}
SPLIT = {"id": str, "set": str, "part": str, "fold": int, "slice": int}
ROWS = {
    "row": str,
    "picture": str,
    "set": str,
    "label": str,
    "group": str,
    "part": str,
    "fold": int,  # -1 outside the training part, like slice
    "slice": int,
    "operation": str,  # empty for a published picture
    "fit": bool,  # whether a model may be fitted on it
    "file": str,  # relative to data/
}
SCORES = {"row": str, "label": str, "score": float}
PREDICTIONS = {
    "row": str,
    "set": str,
    "part": str,  # test; oof: out of fold; or unseen: out of fold where that is a whole set
    "label": str,
    "group": str,
    "score": float,  # probability of ai
}

ADDED = ("set", "twin_set", "set_a", "set_b")
"""Columns that tables of older releases lack: they are read as empty."""

Schema = Mapping[str, type]
"""The type of each column, by its name, in order."""

Positions = NDArray[np.int64]
"""Row numbers of a table, and of arrays aligned with it."""


def write(table: pd.DataFrame, path: Path, columns: Schema) -> None:
    """Write the `columns` of `table` to `path` as CSV, in their order and types."""
    with fresh_file(path) as beside:
        table[list(columns)].astype(dict(columns)).to_csv(
            beside, index=False, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC
        )


def read(path: Path, columns: Schema) -> pd.DataFrame:
    """Read a table that `write` wrote; columns that are `ADDED` may be missing.

    Raises
    ------
    RealartError
        The file is missing, damaged, or has other columns.
    """
    if not path.is_file():
        raise RealartError(f"{path} is missing: run `dvc repro` first")
    na_values = {name: "" for name, kind in columns.items() if kind is float}
    try:
        table = pd.read_csv(path, dtype=dict(columns), na_values=na_values, keep_default_na=False)
    except ValueError as error:
        raise RealartError(f"{path} is damaged ({error}): run `dvc repro`") from error
    absent = {name: "" for name in ADDED if name in columns and name not in table}
    if [name for name in columns if name not in absent] != list(table.columns):
        raise RealartError(
            f"{path} has the columns {', '.join(table.columns)}, not {', '.join(columns)}: "
            "run `dvc repro`"
        )
    return table.assign(**absent)[list(columns)]


def by_id(pictures: pd.DataFrame) -> pd.DataFrame:
    """Return `pictures` (columns `PICTURES`) indexed by id; id stays a column, too."""
    return pictures.set_index(pictures["id"].rename(None))


def is_ai(labels: "pd.Series[str]") -> NDArray[np.int64]:
    """Return 1 for `ai` and 0 for `human`, int64, shape (n,)."""
    return (labels == "ai").to_numpy().astype(np.int64)
