"""Which columns of Parquet files are taken: named by params, or the only ones that can be meant."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

from realart.core.errors import RealartError
from realart.data.sources import arrow, column_detection
from realart.data.sources.arrow import Field
from realart.data.sources.column_detection import Choice, Column
from realart.params import ParquetColumns

SEEN = 16
"""Rows that tell whether a column holds pictures."""
MANY = 200
"""A column of more different values is none of two classes."""
SIGNATURES = {
    b"\xff\xd8\xff": ".jpg",
    b"\x89PNG": ".png",
    b"RIFF": ".webp",
    b"GIF8": ".gif",
    b"BM": ".bmp",
    b"II*\0": ".tif",
    b"MM\0*": ".tif",
}
_PATH = re.compile(r".\.(?:avif|bmp|gif|hei[cf]|jfif|jp[2e]|jpe?g|jxl|png|tiff?|webp)$", re.I)
ELSE = "or download it yourself, put the pictures into a folder a label, and use the source 'path'"


def choose(files: Mapping[str, Path], wanted: ParquetColumns, setting: str) -> dict[str, Choice]:
    """Choose the columns of each Parquet file; files of the same columns are judged together.

    Parameters
    ----------
    files : Mapping[str, Path]
        Where the Parquet file of each path in the repository lies.
    wanted : Columns
        Names that decide, where they are given.
    setting : str
        The param that gives them.

    Raises
    ------
    RealartError
        A file is damaged, has no column of pictures or of labels, or several that may be meant.
    """
    alike: dict[tuple[Field, ...], dict[str, Path]] = defaultdict(dict)
    for name in sorted(files):
        alike[arrow.fields(files[name], name)][name] = files[name]
    return {
        name: choice
        for fields, same in alike.items()
        for choice in [_choose(same, fields, wanted, setting)]
        for name in same
    }


def _choose(
    files: Mapping[str, Path], fields: Sequence[Field], wanted: ParquetColumns, setting: str
) -> Choice:
    first = min(files)
    image = _image(files[first], first, fields, wanted.image, f"{setting}.image")
    plain = [field.column for field in fields if field.plain and field.column.name != image.name]
    if wanted.label:
        plain = [column for column in plain if column.name == wanted.label]
    values = {column: _different(files, column) for column in plain}
    labels = plain if wanted.label else column_detection.best(values)
    if not labels:
        raise _lacks(first, "labels", wanted.label, fields, f"{setting}.label")
    if len(labels) > 1 and _agree(files, {column: values[column] or set() for column in labels}):
        labels = labels[:1]
    label = column_detection.only(labels, "labels", first, f"{setting}.label")
    seen = values[label] or set()
    taken = (image.name, label.name)
    return Choice(
        image=image,
        label=label,
        others=tuple(field.column.name for field in fields if field.column.name not in taken),
        values=tuple(sorted({label.text(value) for value in seen})),
        classes=column_detection.by_digits(label, seen),
    )


def _image(
    path: Path, name: str, fields: Sequence[Field], wanted: str | None, setting: str
) -> Column:
    holding = [field.column for field in fields if field.files]
    texts = [field.column for field in fields if field.texts]
    if wanted:
        found = [column for column in (*holding, *texts) if column.name == wanted]
    else:
        by_path = [column for column in (*holding, *texts) if _holds_paths(path, name, column)]
        sure = [column for column in holding if _holds_pictures(path, name, column)]
        declared = [column for column in holding if column.declared and column not in by_path]
        found = [column for column in sure if column.declared] or sure or declared or by_path
    if not found:
        raise _lacks(name, "pictures", wanted, fields, setting)
    column = column_detection.only(found, "pictures", name, setting)
    return replace(column, paths=_holds_paths(path, name, column))


def _lacks(
    name: str, what: str, wanted: str | None, fields: Sequence[Field], setting: str
) -> RealartError:
    column = f"no column '{wanted}' that could hold {what}" if wanted else f"no column of {what}"
    every = ", ".join(field.column.name for field in fields)
    return RealartError(
        f"'{name}' has {column}; its columns are {every}: "
        f"name one by -S ++{setting}=<column>, {ELSE}"
    )


def _different(files: Mapping[str, Path], column: Column) -> set[Any] | None:
    """Return the values of a column but nulls; None if there are more than `MANY`."""
    found: set[Any] = set()
    for name in sorted(files):
        for (value,) in arrow.values(files[name], name, [column]):
            if column.text(value):
                found.add(value)
            if len(found) > MANY:
                return None
    return found


def _agree(files: Mapping[str, Path], values: Mapping[Column, set[Any]]) -> bool:
    """Return whether these columns say the same class of every row."""
    classes = {
        column: column_detection.by_digits(column, seen) or column_detection.by_words(column, seen)
        for column, seen in values.items()
    }
    return all(classes.values()) and all(
        len({classes[c].get(c.text(v)) for c, v in zip(values, row, strict=True)}) == 1
        for name, path in files.items()
        for row in arrow.values(path, name, [*values])
    )


def _some(path: Path, name: str, column: Column) -> list[tuple[bytes, str]]:
    rows = islice(arrow.values(path, name, [column]), SEEN)
    return [file for (value,) in rows for file in arrow.files_in(value)]


def _holds_pictures(path: Path, name: str, column: Column) -> bool:
    return any(suffix(data) or data[4:8] == b"ftyp" for data, _ in _some(path, name, column))


def _holds_paths(path: Path, name: str, column: Column) -> bool:
    found = _some(path, name, column)
    given = [path for content, path in found if path]
    return (
        bool(given) and not any(content for content, _ in found) and all(map(_PATH.search, given))
    )


def suffix(content: bytes) -> str:
    """Return the suffix that fits what a file begins with; none if that is none of `SIGNATURES`."""
    return next((suffix for start, suffix in SIGNATURES.items() if content.startswith(start)), "")
