"""Labels and other metadata of pictures from their paths inside an archive."""

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from realart.core.errors import RealartError
from realart.data.label_names import LabelMatcher, NameLabel
from realart.params import CLASSES, LabelNames

SHOWN = {"ai": 3, "human": 3, None: 2}
"""Most folders that `label_summary` lists for each label."""

SHOWN_FOLDERS = 5
"""Most folders that a message lists."""

Folder = tuple[str, ...]
"""The parts of a folder's path."""


@dataclass(frozen=True, slots=True)
class PathMetadata:
    """Label, source, generator, style and published part of a picture, from its path.

    `label` is None where no folder names a class; `named_by` is the folder that does. `source` is
    the picture's folder. Fields that the path lacks are empty.
    """

    label: str | None
    source: str
    generator: str
    style: str
    part: str
    named_by: str


@dataclass(frozen=True, slots=True)
class FolderLabel:
    """The label of a folder, its strength, and the folder at or above it that names it."""

    label: str | None
    strength: int
    folder: Folder


UNLABELLED = FolderLabel(None, 0, ())


def read_paths(
    paths: Sequence[str],
    labels: LabelNames,
    fields: str | None,
    table: Mapping[str, str] | None = None,
) -> list[PathMetadata]:
    """Return the metadata of every path inside an archive.

    Parameters
    ----------
    paths
        Paths of files inside the archive.
    labels
        The names of both classes.
    fields
        A pattern with the groups `generator`, `style` and `part`, or some of them, if any.
    table
        The label of each path that has one, which then replaces those of folders.

    Raises
    ------
    RealartError
        A folder names one class, and a folder below it, as strongly, the other.
    """
    pattern = re.compile(_composed(fields)) if fields else None
    folders = {path: PurePosixPath(_composed(path)).parent for path in paths}
    by_folder = label_folders({folder.parts for folder in folders.values()}, LabelMatcher(labels))
    metadata = []
    for path in paths:
        folder = folders[path]
        match = pattern.search(_composed(path)) if pattern else None
        groups = match.groupdict(default="") if match else {}
        named = by_folder[folder.parts]
        by_name = table is None and named.label
        metadata.append(
            PathMetadata(
                label=named.label if table is None else table.get(path),
                source=str(folder),
                generator=groups.get("generator", ""),
                style=groups.get("style", ""),
                part=groups.get("part", "").lower(),
                named_by=_joined(named.folder) if by_name else str(folder),
            )
        )
    return metadata


def label_folders(folders: Iterable[Folder], matcher: LabelMatcher) -> dict[Folder, FolderLabel]:
    """Label folders and those above them, from the top down, by their names.

    A folder inherits the label of its parent, unless its own name is stronger. Siblings that name
    both classes, as strongly as their parent names one, are the classes: `ai` and `nature` in
    `imagenet_ai_0419_biggan/train`.

    Raises
    ------
    RealartError
        A folder names one class, and a folder below it, as strongly, the other.
    """
    every = {folder[:depth] for folder in folders for depth in range(len(folder) + 1)}
    siblings: dict[Folder, list[NameLabel]] = defaultdict(list)
    for folder in every - {()}:
        siblings[folder[:-1]].append(matcher.match(folder[-1]))
    labels: dict[Folder, FolderLabel] = {(): UNLABELLED}
    for folder in sorted(every - {()}, key=lambda folder: (len(folder), folder)):
        parent, match = labels[folder[:-1]], matcher.match(folder[-1])
        own = FolderLabel(match.label, match.strength, folder)
        are_classes = _are_classes(siblings[folder[:-1]], parent.strength)
        if own.label is None:
            labels[folder] = parent
        elif parent.label is None or are_classes or own.strength > parent.strength:
            labels[folder] = own
        elif own.label == parent.label or own.strength == 1:
            labels[folder] = parent
        else:
            raise _contradiction(own, parent)
    return labels


def describe_missing_class(metadata: Sequence[PathMetadata], labels: LabelNames) -> str:
    """Return the reason why a class has no file; empty if both classes have some."""
    for name in CLASSES:
        if not any(path.label == name for path in metadata):
            if labels.table:
                return f"labels.table gives no file the label {name}"
            return _describe_unmatched(name, metadata, labels)
    return ""


def label_summary(metadata: Sequence[PathMetadata]) -> list[str]:
    """Return lines that count files by label and by the folder that names it, the largest first."""
    counts = Counter((path.label, path.named_by) for path in metadata)
    lines = [f"labels of {len(metadata)} files, and what names them"]
    for label, most in SHOWN.items():
        rows = [(folder, count) for (of, folder), count in counts.most_common() if of == label]
        shown = label or "none"
        lines += [f"{count:8} {shown:<6} {folder}" for folder, count in rows[:most]]
        if rest := rows[most:]:
            files = sum(count for _, count in rest)
            lines.append(f"{files:8} {shown:<6} ... {len(rest)} more")
    return lines


def _are_classes(siblings: Sequence[NameLabel], strength: int) -> bool:
    """Return whether siblings name both classes, and one of them at least as strongly."""
    named = [sibling for sibling in siblings if sibling.label]
    return len({sibling.label for sibling in named}) == len(CLASSES) and (
        max(sibling.strength for sibling in named) >= strength
    )


def _contradiction(own: FolderLabel, parent: FolderLabel) -> RealartError:
    return RealartError(
        f"folder '{_joined(own.folder)}' names {own.label} art, and '{_joined(parent.folder)}' "
        f"above it {parent.label}: rename one of them, or add the name of a mere style or subject "
        f"to the dataset's labels.weak ('{own.folder[-1]}' to labels.weak.{own.label}, or "
        f"'{parent.folder[-1]}' to labels.weak.{parent.label})"
    )


def _describe_unmatched(name: str, metadata: Sequence[PathMetadata], labels: LabelNames) -> str:
    """Return the reason why no folder has the label `name`."""
    files = Counter(path.source for path in metadata)
    if [*files] == ["."]:
        return (
            f"all {files.total()} files lie in no folder that could name a class (put those of "
            "each class into one, such as ai and human)"
        )
    if conflict := _describe_conflict(files, LabelMatcher(labels)):
        return f"no folder is labelled {name}: {conflict}"
    entries = ", ".join(repr(entry) for entry in getattr(labels, name)[:4])
    more = ", ..." if len(getattr(labels, name)) > 4 else ""
    largest = ", ".join(f"{folder} ({count})" for folder, count in files.most_common(SHOWN_FOLDERS))
    rest = f", and {len(files) - SHOWN_FOLDERS} more" if len(files) > SHOWN_FOLDERS else ""
    return (
        f"labels.{name} [{entries}{more}] matches no folder of the archive, which has (with their "
        f"numbers of files): {largest}{rest}"
    )


def _describe_conflict(files: "Counter[str]", matcher: LabelMatcher) -> str:
    """Return what the largest folder whose name is of both classes matches; empty without one."""
    for folder, count in files.most_common():
        for part in PurePosixPath(folder).parts:
            matches = matcher.match(part).matches
            if {match.label for match in matches} == {*CLASSES}:
                entries = [f"'{match.entry}' of labels.{match.label}" for match in matches]
                return (
                    f"'{part}', with {count} of {files.total()} files, matches "
                    f"{' and '.join(entries)}, and a name of both classes labels nothing (let only "
                    "one of the two match it)"
                )
    return ""


def _composed(text: str) -> str:
    """Return text with composed accents (NFC): zips of a Mac may have them decomposed (NFD)."""
    return unicodedata.normalize("NFC", text)


def _joined(folder: Folder) -> str:
    return "/".join(folder)
