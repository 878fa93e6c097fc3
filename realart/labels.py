"""What a path inside an archive says of a picture: who made it, where its publisher put it."""

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import PurePosixPath

from realart.errors import RealartError
from realart.params import CLASSES, Labels


@dataclass(frozen=True, slots=True)
class Origin:
    """A path, read. `label` is None where no folder matches, or both classes match one folder."""

    label: str | None
    source: str
    generator: str
    style: str
    part: str


def read_path(path: str, labels: Labels, fields: str | None) -> Origin:
    """Read label, folder, generator, style and published part from a path inside an archive.

    The deepest folder that matches a pattern of `labels` decides, in any case of letters.
    """
    found = re.search(fields, path) if fields else None
    named = found.groupdict(default="") if found else {}
    return Origin(
        label=_label(path, labels),
        source=str(PurePosixPath(path).parent),
        generator=named.get("generator", ""),
        style=named.get("style", ""),
        part=named.get("part", ""),
    )


def read_paths(paths: list[str], labels: Labels, fields: str | None) -> list[Origin]:
    """Read every path; both classes must be there.

    Raises
    ------
    RealartError
        The patterns of a class match no path.
    """
    origins = [read_path(path, labels, fields) for path in paths]
    for name in CLASSES:
        if not any(origin.label == name for origin in origins):
            folders = sorted({origin.source for origin in origins})
            raise RealartError(
                f"labels.{name} {getattr(labels, name)} matches no folder of the archive, which "
                f"has: {', '.join(folders[:8])}{', ...' if len(folders) > 8 else ''}; "
                "set the dataset's labels to its folder names"
            )
    return origins


def _label(path: str, labels: Labels) -> str | None:
    for folder in reversed(PurePosixPath(path).parent.parts):
        matches = [
            name
            for name in CLASSES
            if any(
                fnmatchcase(folder.lower(), pattern.lower()) for pattern in getattr(labels, name)
            )
        ]
        if matches:
            return matches[0] if len(matches) == 1 else None
    return None
