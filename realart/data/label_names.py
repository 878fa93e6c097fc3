"""What a name says of a picture's class: whole words inside it, or a pattern of all of it."""

import re
import unicodedata
from collections import defaultdict
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache

from realart.params import CLASSES, LabelNames

JOINING = {"and", "or", "versus", "vs"}
"""A name with one of these and both classes is that of both, as `nature_vs_ai`."""


@dataclass(frozen=True, slots=True)
class Match:
    """An entry of `labels` that a name matches. Strength is 2, or 1 for one of `labels.weak`."""

    label: str
    strength: int
    entry: str


@dataclass(frozen=True, slots=True)
class Reading:
    """What a name says. `label` is None where it names no class, or both; then `matches` tells."""

    label: str | None
    strength: int
    matches: tuple[Match, ...]


class Vocabulary:
    """The names of both classes, ready to read names of folders and values of tables by."""

    def __init__(self, labels: LabelNames) -> None:
        self._words: dict[str, set[Match]] = defaultdict(set)
        self._patterns: list[tuple[str, Match]] = []
        for label in CLASSES:
            weak = {folded(entry) for entry in getattr(labels.weak, label)}
            for entry in {*getattr(labels, label), *getattr(labels.weak, label)}:
                match = Match(label, 1 if folded(entry) in weak else 2, entry)
                if re.search(r"[*?[]", entry):
                    self._patterns.append((folded(entry), match))
                else:
                    self._words["".join(words(entry))].add(match)
        self.read = cache(self._read)

    def _read(self, name: str) -> Reading:
        """Read a name: what matches all of it goes before words inside it."""
        parts = words(name)
        whole = {match for pattern, match in self._patterns if fnmatchcase(folded(name), pattern)}
        whole |= self._words.get("".join(parts), set())
        matches = whole or self._inside(parts)
        if not JOINING & {*parts}:
            strongest = max((match.strength for match in matches), default=0)
            matches = {match for match in matches if match.strength == strongest}
        labels = {match.label for match in matches}
        return Reading(
            labels.pop() if len(labels) == 1 else None,
            max((match.strength for match in matches), default=0),
            tuple(sorted(matches, key=lambda match: (match.label, match.entry))),
        )

    def _inside(self, parts: tuple[str, ...]) -> set[Match]:
        """Match runs of whole words, but none inside a longer one: `ai` is not in `non ai`."""
        runs = {
            (start, end): self._words[joined]
            for start in range(len(parts))
            for end in range(start + 1, len(parts) + 1)
            if (joined := "".join(parts[start:end])) in self._words
        }
        longest = [
            run
            for run in runs
            if not any(a <= run[0] and run[1] <= b for a, b in runs.keys() - {run})
        ]
        return {match for run in longest for match in runs[run]}


def words(name: str) -> tuple[str, ...]:
    """Split a name at separators, digits and changes of case, and fold the case of its words.

    `AiArtData`, `AIArt_data` and `ai-art data` are the words ai, art, data.
    """
    name = unicodedata.normalize("NFC", name)
    kinds = "".join(map(_kind, name))
    found = re.finditer(r"A+(?!a)|A?a+|0+", kinds)
    return tuple(folded(name[match.start() : match.end()]) for match in found)


def folded(name: str) -> str:
    """Return a name as it is compared: composed or decomposed (NFC, NFD), in any case."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def _kind(character: str) -> str:
    """Return A for a capital, a for other letters and their marks, 0 for a digit, or a blank."""
    category = unicodedata.category(character)
    if category in ("Lu", "Lt"):
        return "A"
    if category[0] in "LM":
        return "a"
    return "0" if category[0] == "N" else " "
