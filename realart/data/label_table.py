"""Labels that stand in a table beside the pictures: `train.csv`, `metadata.csv`, `metadata.jsonl`.

The usual form of Kaggle's competitions, and of Hugging Face's imagefolder
(https://huggingface.co/docs/datasets/image_dataset).
"""

import io
import json
import re
import shlex
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Sequence
from contextlib import suppress
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from zipfile import ZipInfo

import pandas as pd

from realart.core.errors import RealartError
from realart.data import archive
from realart.data.label_names import Vocabulary, words
from realart.params import CLASSES, LabelNames, LabelTable

JSON_LINES = (".jsonl", ".ndjson")
TABLES = (".csv", ".tsv", *JSON_LINES)
NOTES = (*TABLES, ".json", ".md", ".txt", ".xml", ".yaml", ".yml")
"""Files that may lie beside a picture under its name, and are none."""
TRUE, FALSE = ("1", "true", "yes"), ("0", "false", "no")
CALLED = {"label", "labels", "class", "target"}
LARGEST = 100_000_000
"""Bytes of a table that is opened unasked."""


def read(
    path: Path, members: Sequence[ZipInfo], labels: LabelNames, table: LabelTable
) -> tuple[dict[str, str], str]:
    """Return the label of each file in the archive at `path` that `table` names, and a report.

    Names in `labels` come first, then 1 and 0, true and false: whether it is generated, or, where
    the column is called like a class, whether it is of that one.

    Raises
    ------
    RealartError
        There is no such table, it is unreadable, or has no such column.
    """
    places, vocabulary = _Places(members), Vocabulary(labels)
    named: dict[str, set[str]] = defaultdict(set)
    counts = {what: Counter[str]() for what in ("no class", "no file", "several files")}
    rows = 0
    for member in _chosen(members, table.file):
        frame = _frame(path, member)
        for column in (table.path, table.label):
            if column not in frame:
                raise RealartError(
                    f"labels.table names the column '{column}', and {member.filename} has: "
                    f"{', '.join(frame.columns)}"
                )
        rows += len(frame)
        for value, said in zip(frame[table.path], frame[table.label], strict=True):
            label = _label(said, table.label, vocabulary)
            found = places.find(value, member.filename)
            if label is None:
                counts["no class"][said] += 1
            elif len(found) != 1:
                counts["several files" if found else "no file"][value] += 1
            else:
                named[found[0]].add(label)
    both = Counter(path for path, of in named.items() if len(of) > 1)
    one = {path: next(iter(of)) for path, of in named.items() if len(of) == 1}
    problems = "".join(
        f"; {what}: {_examples(count)}"
        for what, count in (
            *((f"rows that name {what}", count) for what, count in counts.items()),
            ("files with both labels", both),
        )
        if count
    )
    return one, f"{table.file}, {rows} rows, labels {len(one)} files{problems}"


def advice(path: Path, members: Sequence[ZipInfo], labels: LabelNames, entry: str) -> str:
    """Say what to set in `entry` of params.yaml where folders do not say the labels.

    That is a table of the archive whose rows name files and both classes, if there is one.
    """
    places, vocabulary = _Places(members), Vocabulary(labels)
    for member in members:
        if member.filename.lower().endswith(TABLES) and member.file_size <= LARGEST:
            with suppress(RealartError):
                frame = _frame(path, member)
                if columns := _columns(frame, member.filename, places, vocabulary):
                    file = _pattern(member, members)
                    table = LabelTable(file=file, path=columns[0], label=columns[1])
                    inside = ",".join(
                        f"{name}:{json.dumps(value, ensure_ascii=False)}" for name, value in table
                    )
                    return (
                        f"'{file}' in the archive has labels, use it with "
                        f"-S {shlex.quote(f'{entry}.labels.table={{{inside}}}')}"
                    )
    return (
        f"set {entry}.labels to the names of a folder for each class, or its labels.table to a "
        "table of paths and labels in the archive"
    )


def _pattern(member: ZipInfo, members: Sequence[ZipInfo]) -> str:
    """Return the path of a table, or a pattern for all tables of that name."""
    name = PurePosixPath(member.filename).name
    alike = [one.filename for one in members if PurePosixPath(one.filename).name == name]
    if len(alike) == 1:
        return member.filename
    return f"*/{name}" if all("/" in path for path in alike) else f"*{name}"


def _columns(
    frame: pd.DataFrame, table: str, places: "_Places", vocabulary: Vocabulary
) -> tuple[str, str] | None:
    """Return the columns of paths and labels: the one that names most files, and the clearest.

    At least half of the labels name a class; other columns may hold 0 and 1, too, so one that is
    called a label goes first, then one of few values.
    """
    files = {
        column: sum(bool(places.find(value, table)) for value in frame[column])
        for column in frame.columns
    }
    path = max(files, key=lambda column: files[column], default="")
    labels = []
    for column in frame.columns.drop(path, errors="ignore"):
        named = [_label(value, column, vocabulary) for value in frame[column]]
        if {*named} >= {*CLASSES} and named.count(None) <= len(named) / 2:
            called = bool(CALLED & {*words(column)} or vocabulary.read(column).matches)
            labels.append((not called, frame[column].nunique(), column))
    return (path, min(labels)[2]) if labels and files[path] else None


class _Places:
    """Files of an archive, to be found by what tables call them."""

    def __init__(self, members: Sequence[ZipInfo]) -> None:
        self._exact: dict[str, set[str]] = defaultdict(set)
        self._bare: dict[str, set[str]] = defaultdict(set)
        self._named: dict[str, set[str]] = defaultdict(set)
        for name in {member.filename for member in members}:
            if not name.lower().endswith(NOTES):
                place = PurePosixPath(unicodedata.normalize("NFC", name).lstrip("/"))
                self._exact[str(place)].add(name)
                self._bare[str(place.with_suffix(""))].add(name)
                for last in {place.name, place.stem}:
                    self._named[last].add(name)

    def find(self, value: str, table: str) -> list[str]:
        """Return the files that `value` in a table may mean, the nearest reading that has one.

        A path starts at the table, at the archive's top, at a folder called like the table, or
        anywhere; its extension may be missing.
        """
        value = unicodedata.normalize("NFC", value.strip("\"' \t")).replace("\\", "/").lstrip("/")
        wanted = PurePosixPath(value)
        if not wanted.parts:
            return []
        at = PurePosixPath(unicodedata.normalize("NFC", table).lstrip("/"))
        starts = (at.parent / wanted, wanted, at.with_suffix("") / wanted)
        for known in (self._exact, self._bare):
            for start in starts:
                if str(start) in known:
                    return sorted(known[str(start)])
        return sorted(
            name
            for name in self._named.get(wanted.name, ())
            if str(wanted) in _endings(unicodedata.normalize("NFC", name), len(wanted.parts))
        )


def _endings(name: str, parts: int) -> tuple[str, str]:
    ending = PurePosixPath(*PurePosixPath(name).parts[-parts:])
    return str(ending), str(ending.with_suffix(""))


def _chosen(members: Sequence[ZipInfo], file: str) -> list[ZipInfo]:
    chosen = [
        member
        for member in members
        if member.filename == file or fnmatchcase(member.filename, file)
    ]
    if not chosen:
        there = [member.filename for member in members if member.filename.lower().endswith(TABLES)]
        raise RealartError(
            f"labels.table.file '{file}' is not in the archive, whose tables are: "
            f"{', '.join(there[:8]) or 'none'}{', ...' if len(there) > 8 else ''}"
        )
    return chosen


def _frame(path: Path, member: ZipInfo) -> pd.DataFrame:
    """Read a table, all of it as text."""
    try:
        data = archive.read(path, member.filename, member.file_size)
        encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
        text = data.decode(encoding, "replace")
        if member.filename.lower().endswith(JSON_LINES):
            rows = [json.loads(line) for line in text.splitlines() if line.strip()]
            frame = pd.DataFrame(rows, dtype=object)
            frame = frame.map(lambda value: "" if value is None or value != value else str(value))
        else:
            header = text.split("\n", 1)[0]
            separator = max(",;\t|", key=header.count)
            frame = pd.read_csv(
                io.StringIO(text),
                sep=separator,
                dtype=str,
                keep_default_na=False,
                index_col=False,
                skipinitialspace=True,
            )
    except (*archive.UNREADABLE, AttributeError) as error:
        raise RealartError(f"the table {member.filename} cannot be read: {error}") from error
    return frame.rename(columns=lambda column: str(column).strip())


def _label(said: str, column: str, vocabulary: Vocabulary) -> str | None:
    said = re.sub(r"^([01])\.0+$", r"\1", said.strip("\"' \t"))
    if label := vocabulary.read(said).label:
        return label
    if said.lower() not in TRUE + FALSE:
        return None
    true = vocabulary.read(column).label or "ai"
    return true if said.lower() in TRUE else next(name for name in CLASSES if name != true)


def _examples(count: "Counter[str]") -> str:
    shown = ", ".join(f"'{value}'" for value, _ in count.most_common(3))
    return f"{count.total()} ({shown}{', ...' if len(count) > 3 else ''})"
