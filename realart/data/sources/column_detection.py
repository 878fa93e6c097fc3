"""Which column of a table holds pictures, and which says who made them: by names and by values."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from realart.core.errors import RealartError

AI, HUMAN = "ai", "human"
_WORDS = {
    **dict.fromkeys(("ai", "aigc", "artificial", "deepfake", "fake", "machine", "synthetic"), AI),
    **dict.fromkeys(("authentic", "genuine", "human", "nature", "painted", "real"), HUMAN),
}
_WEAK = {"generated": AI, "photo": HUMAN, "photograph": HUMAN}
"""Words that say a class where none of `_WORDS` does: `human_generated` is human."""
_OTHER = {AI: HUMAN, HUMAN: AI}
_TRUE, _FALSE, _UNKNOWN = ("1", "true", "yes"), ("0", "false", "no"), "-1"
USUAL = ("label", "labels", "class", "category", "target")
"""Names of columns of labels, by which a column is taken whatever its values are."""
SHOWN = 8


@dataclass(frozen=True)
class Column:
    """A column of plain values, or of pictures; `name` is dotted where it lies in a struct.

    `names` are those of a ClassLabel's numbers, `declared` is whether the table's metadata says
    that it holds images, `paths` whether it holds paths of pictures and not their bytes.
    """

    name: str
    names: tuple[str, ...] = ()
    declared: bool = False
    paths: bool = False

    def text(self, value: object) -> str:
        """Return a value as it names a folder."""
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, int) and 0 <= value < len(self.names):
            value = self.names[value]
        return "" if value is None or value != value else str(value)


@dataclass(frozen=True)
class Choice:
    """The columns that are taken from a table, and the class of each value where digits say it."""

    image: Column
    label: Column
    others: tuple[str, ...]
    values: tuple[str, ...] = ()
    classes: Mapping[str, str] = field(default_factory=dict)

    def folder(self, value: object) -> str:
        """Return the folder of a label: `ai` or `human`, or what the label itself says."""
        text = self.label.text(value)
        return re.sub(r"[\\/]", "_", self.classes.get(text, text)).strip(". ") or "unlabelled"

    def __str__(self) -> str:
        of = [f"{v} is {self.classes[v]}" if v in self.classes else v for v in self.values]
        return (
            f"pictures from '{self.image.name}', labels from '{self.label.name}' "
            f"({_listed(of) or 'many values'}); other columns: {_listed(self.others) or 'none'}"
        )


def class_of(name: str) -> str | None:
    """Return the class that a name says by its words; None if it says none of them, or both.

    `AI-generated`, `isFake` and `not_real` are `ai`; `realism` and `real_or_fake` are neither.
    """
    found = _classes_of(name)
    return found.pop() if len(found) == 1 else None


def _classes_of(name: str) -> set[str]:
    words = [
        word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name) if word != "is"
    ]
    words = [word[2:] if word[:2] == "is" and word[2:] in _WORDS else word for word in words]
    for known in (_WORDS, _WORDS | _WEAK):
        found = set()
        for before, word in zip(["", *words], words, strict=False):
            if named := known.get(word) or known.get(word.removesuffix("s")):
                found.add(_OTHER[named] if before in ("non", "not", "no") else named)
        if found:
            return found
    return set()


def by_digits(column: Column, values: Collection[Any]) -> dict[str, str]:
    """Return the class of each value, as text: of 0 and 1, where the name says which is 1."""
    one, texts = class_of(column.name), {column.text(value) for value in values}
    known = dict.fromkeys(_TRUE, one or "") | dict.fromkeys(_FALSE, _OTHER.get(one or "", ""))
    known[_UNKNOWN] = "unlabelled"
    if one is None or not all(text.lower() in known for text in texts):
        return {}
    return {text: known[text.lower()] for text in texts}


def by_words(column: Column, values: Collection[Any]) -> dict[str, str]:
    """Return the class of each value, as text, where every one says its class by a word."""
    texts = {*column.names, *map(column.text, values)}
    found = {text: class_of(text) for text in texts if not (column.names and text == _UNKNOWN)}
    return {text: name for text, name in found.items() if name} if all(found.values()) else {}


def rank(column: Column, values: Collection[Any] | None) -> int:
    """Return how surely a column holds labels: 0 surely, 1 where one class is missing, 2 perhaps.

    3 is not at all. `values` are the different ones, without nulls; None where these are many.
    """
    if values:
        classes = by_digits(column, values)
        found = set((classes or by_words(column, values)).values())
        if found >= {AI, HUMAN}:
            return 0
        if classes and found & {AI, HUMAN}:
            return 1
    last = column.name.rpartition(".")[2].lower()
    usual = last in USUAL or last.startswith("label") or len(_classes_of(last)) == 2
    return 2 if usual or column.names else 3


def best(columns: Mapping[Column, Collection[Any] | None]) -> list[Column]:
    """Return those columns that most surely hold labels, the usual names first; none if none do."""
    ranks = {column: rank(column, values) for column, values in columns.items()}
    least = min(ranks.values(), default=3)
    found = [column for column in columns if least < 3 and ranks[column] == least]
    return sorted(found, key=lambda c: USUAL.index(c.name) if c.name in USUAL else len(USUAL))


def only(columns: Sequence[Column], what: str, name: str, setting: str) -> Column:
    """Return the only one of several columns.

    Raises
    ------
    RealartError
        There are more: names them, and the param `setting` that chooses.
    """
    if len(columns) == 1:
        return columns[0]
    raise RealartError(
        f"'{name}' has several columns that may hold {what}: "
        f"{_listed(column.name for column in columns)}; choose with "
        f"-S ++{setting}={columns[0].name}, or another of them"
    )


def _listed(names: Iterable[str]) -> str:
    names = list(names)
    return ", ".join(names[:SHOWN]) + (", ..." if len(names) > SHOWN else "")
