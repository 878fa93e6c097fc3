"""Labels from a table in the archive, such as `train.csv`, `metadata.csv` or `metadata.jsonl`.

This is the usual form of Kaggle's competitions, and of Hugging Face's imagefolder
(https://huggingface.co/docs/datasets/image_dataset).
"""

import json
import re
import shlex
from collections import Counter, defaultdict
from collections.abc import Sequence
from contextlib import suppress
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from zipfile import ZipInfo

import pandas as pd

from realart.core.errors import RealartError, examples
from realart.data import archive, text_table
from realart.data.file_index import FileIndex
from realart.data.label_names import LabelMatcher, split_words
from realart.data.text_table import TABLES
from realart.params import CLASSES, LabelNames, LabelTable

TRUE, FALSE = ("1", "true", "yes"), ("0", "false", "no")
LABEL_COLUMNS = {"label", "labels", "class", "target"}
"""Words of which the name of a label column usually has one."""
LARGEST = 100_000_000
"""Bytes of the largest table that `find_table` reads."""


def read(
    path: Path, members: Sequence[ZipInfo], labels: LabelNames, table: LabelTable
) -> tuple[dict[str, str], str]:
    """Read the labels of files from a table in the archive at `path`.

    A value is matched with the names in `labels`; else 1 or true means generated, or, where the
    column has the name of a class, that class.

    Returns
    -------
    labels, report
        The label of each file that a row names unambiguously, and a line that counts the rows and
        those that label nothing, by why.

    Raises
    ------
    RealartError
        There is no such table, it is unreadable, or lacks a column.
    """
    index, matcher = FileIndex(members), LabelMatcher(labels)
    labels_of: dict[str, set[str]] = defaultdict(set)
    counts = {what: Counter[str]() for what in ("no class", "no file", "several files")}
    rows = 0
    for member in _matching_tables(members, table.file):
        frame = _read_frame(path, member)
        for column in (table.path, table.label):
            if column not in frame:
                raise RealartError(
                    f"labels.table names the column '{column}', and {member.filename} has: "
                    f"{', '.join(frame.columns)}"
                )
        rows += len(frame)
        for file, value in zip(frame[table.path], frame[table.label], strict=True):
            label = _label(value, table.label, matcher)
            files = index.find(file, member.filename)
            if label is None:
                counts["no class"][value] += 1
            elif len(files) != 1:
                counts["several files" if files else "no file"][file] += 1
            else:
                labels_of[files[0]].add(label)
    contradictory = Counter(file for file, found in labels_of.items() if len(found) > 1)
    label_of = {file: next(iter(found)) for file, found in labels_of.items() if len(found) == 1}
    problems = "".join(
        f"; {problem}: {examples(count)}"
        for problem, count in (
            *((f"rows that name {target}", count) for target, count in counts.items()),
            ("files with both labels", contradictory),
        )
        if count
    )
    return label_of, f"{table.file}, {rows} rows, labels {len(label_of)} files{problems}"


def suggest_labels(path: Path, members: Sequence[ZipInfo], labels: LabelNames, entry: str) -> str:
    """Return advice on what to set in `entry` of params.yaml where folders name no labels.

    If `find_table` finds a table in the archive, that is the assignment which uses it.
    """
    if table := find_table(path, members, labels):
        inside = ",".join(
            f"{name}:{json.dumps(value, ensure_ascii=False)}" for name, value in table
        )
        return (
            f"'{table.file}' in the archive has labels, use it with "
            f"-S {shlex.quote(f'{entry}.labels.table={{{inside}}}')}"
        )
    return (
        f"set {entry}.labels to the names of a folder for each class, or its labels.table to a "
        "table of paths and labels in the archive"
    )


def find_table(path: Path, members: Sequence[ZipInfo], labels: LabelNames) -> LabelTable | None:
    """Return the first table in an archive whose rows name files and both classes, if any."""
    index, matcher = FileIndex(members), LabelMatcher(labels)
    for member in members:
        if member.filename.lower().endswith(TABLES) and member.file_size <= LARGEST:
            with suppress(RealartError):
                frame = _read_frame(path, member)
                if columns := _guess_columns(frame, member.filename, index, matcher):
                    file = _pattern(member, members)
                    return LabelTable(file=file, path=columns[0], label=columns[1])
    return None


def _pattern(member: ZipInfo, members: Sequence[ZipInfo]) -> str:
    """Return the path of a table, or a pattern for all files of that name if there are several."""
    name = PurePosixPath(member.filename).name
    paths = [other.filename for other in members]
    namesakes = [path for path in paths if PurePosixPath(path).name == name]
    if len(namesakes) == 1:
        return member.filename
    return f"*/{name}" if all("/" in path for path in namesakes) else f"*{name}"


def _guess_columns(
    frame: pd.DataFrame, table: str, index: FileIndex, matcher: LabelMatcher
) -> tuple[str, str] | None:
    """Return the columns of paths and of labels, or None if the table has no such pair.

    The column of paths is the one that names most files. That of labels has both classes, in at
    least half of its values. Since others may hold 0 and 1, too, one that has the name of a label
    column is preferred, then the one with fewest values.
    """
    files = {
        column: sum(bool(index.find(value, table)) for value in frame[column])
        for column in frame.columns
    }
    path = max(files, key=lambda column: files[column], default="")
    labels = []
    for column in frame.columns.drop(path, errors="ignore"):
        named = [_label(value, column, matcher) for value in frame[column]]
        if {*named} >= {*CLASSES} and named.count(None) <= len(named) / 2:
            is_named = bool(LABEL_COLUMNS & {*split_words(column)} or matcher.match(column).matches)
            labels.append((not is_named, frame[column].nunique(), column))
    return (path, min(labels)[2]) if labels and files[path] else None


def _matching_tables(members: Sequence[ZipInfo], file: str) -> list[ZipInfo]:
    matching = [
        member
        for member in members
        if member.filename == file or fnmatchcase(member.filename, file)
    ]
    if not matching:
        tables = [member.filename for member in members if member.filename.lower().endswith(TABLES)]
        raise RealartError(
            f"labels.table.file '{file}' is not in the archive, whose tables are: "
            f"{', '.join(tables[:8]) or 'none'}{', ...' if len(tables) > 8 else ''}"
        )
    return matching


def _read_frame(path: Path, member: ZipInfo) -> pd.DataFrame:
    """Read a table of an archive; all values are text."""
    try:
        data = archive.cached_archive(path).read(member)
    except archive.UNREADABLE as error:
        raise RealartError(f"the table {member.filename} cannot be read: {error}") from error
    return text_table.parse(data, member.filename)


def _label(value: str, column: str, matcher: LabelMatcher) -> str | None:
    """Return the label that a value of a column stands for, None for none."""
    value = re.sub(r"^([01])\.0+$", r"\1", value.strip("\"' \t"))
    if label := matcher.match(value).label:
        return label
    if value.lower() not in TRUE + FALSE:
        return None
    true = matcher.match(column).label or "ai"
    return true if value.lower() in TRUE else next(name for name in CLASSES if name != true)
