"""What a path inside an archive says of a picture: who made it, where its publisher put it."""

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from realart.core.errors import RealartError
from realart.data.label_names import Reading, Vocabulary
from realart.params import CLASSES, LabelNames

SHOWN = {"ai": 3, "human": 3, None: 2}
"""How many folders of each label `label_summary` names."""

Folder = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PathLabel:
    """A path, read. `label` is None where nothing names it; `named_by` is the folder that does."""

    label: str | None
    source: str
    generator: str
    style: str
    part: str
    named_by: str


@dataclass(frozen=True, slots=True)
class Decision:
    """The label of a folder, and the folder at or above it whose name gave it."""

    label: str | None
    strength: int
    folder: Folder


NOTHING = Decision(None, 0, ())


def read_paths(
    paths: Sequence[str],
    labels: LabelNames,
    fields: str | None,
    table: Mapping[str, str] | None = None,
) -> list[PathLabel]:
    """Read label, folder, generator, style and published part of every path inside an archive.

    Where `table` is given, it alone says the label of a path.

    Raises
    ------
    RealartError
        A folder names a class, one below it as clearly the other.
    """
    pattern = re.compile(_composed(fields)) if fields else None
    folders = {path: PurePosixPath(_composed(path)).parent for path in paths}
    decisions = decide({folder.parts for folder in folders.values()}, Vocabulary(labels))
    origins = []
    for path in paths:
        found = pattern.search(_composed(path)) if pattern else None
        named = found.groupdict(default="") if found else {}
        decision = decisions[folders[path].parts]
        origins.append(
            PathLabel(
                label=decision.label if table is None else table.get(path),
                source=str(folders[path]),
                generator=named.get("generator", ""),
                style=named.get("style", ""),
                part=named.get("part", ""),
                named_by=_joined(decision.folder)
                if table is None and decision.label
                else str(folders[path]),
            )
        )
    return origins


def decide(folders: Iterable[Folder], vocabulary: Vocabulary) -> dict[Folder, Decision]:
    """Label folders and those above them, from the top down, by their names.

    A folder has the label of the one above it, unless its own name is stronger. Folders beside
    each other that name both classes, as strongly as what lies above, are the classes: so in
    `imagenet_ai_0419_biggan/train` with its `ai` and `nature`.

    Raises
    ------
    RealartError
        A folder names a class, one below it as clearly the other.
    """
    every = {folder[:depth] for folder in folders for depth in range(len(folder) + 1)}
    beside: dict[Folder, list[Reading]] = defaultdict(list)
    for folder in every - {()}:
        beside[folder[:-1]].append(vocabulary.read(folder[-1]))
    decided: dict[Folder, Decision] = {(): NOTHING}
    for folder in sorted(every - {()}, key=lambda folder: (len(folder), folder)):
        above, own = decided[folder[:-1]], vocabulary.read(folder[-1])
        new = Decision(own.label, own.strength, folder)
        paired = _are_classes(beside[folder[:-1]], above.strength)
        if own.label is None:
            decided[folder] = above
        elif above.label is None or paired or own.strength > above.strength:
            decided[folder] = new
        elif own.label == above.label or own.strength == 1:
            decided[folder] = above
        else:
            raise _contradiction(new, above)
    return decided


def missing(origins: Sequence[PathLabel], labels: LabelNames) -> str:
    """Say why a class has no file; nothing if both have."""
    for name in CLASSES:
        if not any(origin.label == name for origin in origins):
            if labels.table:
                return f"labels.table gives no file the label {name}"
            return _unmatched(name, origins, labels)
    return ""


def label_summary(origins: Sequence[PathLabel]) -> list[str]:
    """Say in a few lines how many files have which label by which folder, and which have none."""
    counts = Counter((origin.label, origin.named_by) for origin in origins)
    lines = [f"labels of {len(origins)} files, and what names them"]
    for label, most in SHOWN.items():
        rows = [(folder, count) for (of, folder), count in counts.most_common() if of == label]
        shown = label or "none"
        lines += [f"{count:8} {shown:<6} {folder}" for folder, count in rows[:most]]
        if rest := rows[most:]:
            files = sum(count for _, count in rest)
            lines.append(f"{files:8} {shown:<6} ... {len(rest)} more")
    return lines


def _are_classes(beside: Sequence[Reading], strength: int) -> bool:
    named = [reading for reading in beside if reading.label]
    return len({reading.label for reading in named}) == len(CLASSES) and (
        max(reading.strength for reading in named) >= strength
    )


def _contradiction(new: Decision, above: Decision) -> RealartError:
    name = new.folder[-1]
    return RealartError(
        f"folder '{_joined(new.folder)}' names {new.label} art, and '{_joined(above.folder)}' "
        f"above it {above.label}: rename one of them, or add what only tells a style or subject "
        f"to the dataset's labels.weak ('{name}' to labels.weak.{new.label}, or "
        f"'{above.folder[-1]}' to labels.weak.{above.label})"
    )


def _unmatched(name: str, origins: Sequence[PathLabel], labels: LabelNames) -> str:
    """Say why no folder has the label `name`."""
    folders = sorted({origin.source for origin in origins})
    if folders == ["."]:
        return "the files lie in no folder that could name a class"
    vocabulary = Vocabulary(labels)
    parts = sorted({part for folder in folders for part in PurePosixPath(folder).parts})
    for part in parts:
        matches = vocabulary.read(part).matches
        if {match.label for match in matches} == {*CLASSES}:
            entries = " and ".join(f"labels.{match.label} '{match.entry}'" for match in matches)
            return (
                f"no folder is labelled {name}: '{part}' matches {entries}, and a name of both "
                "classes labels nothing"
            )
    entries = ", ".join(repr(entry) for entry in getattr(labels, name)[:4])
    more = ", ..." if len(getattr(labels, name)) > 4 else ""
    return (
        f"labels.{name} [{entries}{more}] matches no folder of the archive, which has: "
        f"{', '.join(folders[:8])}{', ...' if len(folders) > 8 else ''}"
    )


def _composed(text: str) -> str:
    """Return text with its accents composed (NFC): a Mac's zip may have them apart (NFD)."""
    return unicodedata.normalize("NFC", text)


def _joined(folder: Folder) -> str:
    return "/".join(folder)
