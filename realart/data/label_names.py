"""Labels from names of folders or values: by whole words inside a name, or by a pattern of it."""

import re
import unicodedata
from collections import defaultdict
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache

from realart.params import CLASSES, LabelNames

JOINING = {"and", "or", "versus", "vs"}
"""A name that joins both classes by one of these names neither, such as `nature_vs_ai`."""


@dataclass(frozen=True, slots=True)
class LabelMatch:
    """An entry of `labels` that a name matches; strength is 2, or 1 for one of `labels.weak`."""

    label: str
    strength: int
    entry: str


@dataclass(frozen=True, slots=True)
class NameLabel:
    """The label of a name, with the matches that it comes from; None where it names none or both.

    `strength` is that of the strongest match, 0 without one.
    """

    label: str | None
    strength: int
    matches: tuple[LabelMatch, ...]


class LabelMatcher:
    """The entries of `labels` for both classes, to match names of folders and values of tables.

    >>> from realart.params import LabelNames
    >>> matcher = LabelMatcher(LabelNames(ai=["ai", "fake"], human=["real"]))
    >>> matcher.match("AiArtData").label, matcher.match("0_real").label
    ('ai', 'human')
    >>> matcher.match("realism").label is None
    True
    """

    def __init__(self, labels: LabelNames) -> None:
        self._words: dict[str, set[LabelMatch]] = defaultdict(set)
        self._patterns: list[tuple[str, LabelMatch]] = []
        for label in CLASSES:
            weak = {fold_case(entry) for entry in getattr(labels.weak, label)}
            for entry in {*getattr(labels, label), *getattr(labels.weak, label)}:
                match = LabelMatch(label, 1 if fold_case(entry) in weak else 2, entry)
                if re.search(r"[*?[]", entry):
                    self._patterns.append((fold_case(entry), match))
                else:
                    self._words["".join(split_words(entry))].add(match)
        self.match = cache(self._match)

    def _match(self, name: str) -> NameLabel:
        """Return the label of a name; a match of all of it precedes matches of words inside it."""
        words = split_words(name)
        whole = {
            match for pattern, match in self._patterns if fnmatchcase(fold_case(name), pattern)
        }
        whole |= self._words.get("".join(words), set())
        matches = whole or self._matches_inside(words)
        if not JOINING & {*words}:
            strongest = max((match.strength for match in matches), default=0)
            matches = {match for match in matches if match.strength == strongest}
        labels = {match.label for match in matches}
        return NameLabel(
            labels.pop() if len(labels) == 1 else None,
            max((match.strength for match in matches), default=0),
            tuple(sorted(matches, key=lambda match: (match.label, match.entry))),
        )

    def _matches_inside(self, words: tuple[str, ...]) -> set[LabelMatch]:
        """Match runs of whole words, but none inside a longer run: `ai` is not in `non ai`."""
        runs = {
            (start, end): self._words[joined]
            for start in range(len(words))
            for end in range(start + 1, len(words) + 1)
            if (joined := "".join(words[start:end])) in self._words
        }
        longest = [
            run
            for run in runs
            if not any(a <= run[0] and run[1] <= b for a, b in runs.keys() - {run})
        ]
        return {match for run in longest for match in runs[run]}


def split_words(name: str) -> tuple[str, ...]:
    """Split a name at separators, digits and changes of case, and fold the case of its words.

    >>> split_words("AiArtData"), split_words("AIArt_data2")
    (('ai', 'art', 'data'), ('ai', 'art', 'data', '2'))
    """
    name = unicodedata.normalize("NFC", name)
    kinds = "".join(map(_kind, name))
    runs = re.finditer(r"A+(?!a)|A?a+|0+", kinds)
    return tuple(fold_case(name[run.start() : run.end()]) for run in runs)


def fold_case(name: str) -> str:
    """Return a name with its case folded and its accents composed (NFC), for comparison."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def _kind(character: str) -> str:
    """Return A for a capital, a for other letters and their marks, 0 for a digit, or a blank."""
    category = unicodedata.category(character)
    if category in ("Lu", "Lt"):
        return "A"
    if category[0] in "LM":
        return "a"
    return "0" if category[0] == "N" else " "
