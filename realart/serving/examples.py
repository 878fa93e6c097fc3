"""Pictures of a project's test part, for a demo."""

from dataclasses import dataclass
from pathlib import Path

from realart.core import paths, tables
from realart.core.errors import RealartError
from realart.data import archive, raw
from realart.params import CLASSES


@dataclass(frozen=True)
class Example:
    """A published file: its name, its label and its bytes."""

    name: str
    label: str
    data: bytes


def examples(project: Path, model: Path, count: int = 3) -> list[Example]:
    """Return files of the test part, of both classes by turns.

    None if they are not there, or if the folder `model` is not that of the project's own model:
    another one may have been trained on them.
    """
    if model.resolve() != (project / paths.FINAL).resolve():
        return []
    if not all((project / path).is_file() for path in (paths.ROWS, paths.PICTURES)):
        return []
    try:
        archives = raw.archives(project / paths.RAW)
    except RealartError:  # as of a project whose pictures were never pulled
        return []
    rows = tables.read(project / paths.ROWS, tables.ROWS)
    pictures = tables.by_id(tables.read(project / paths.PICTURES, tables.PICTURES))
    test = rows[rows["part"] == "test"].sort_values("row")
    ranks = test.groupby("label")["row"].rank()
    classes = test["label"].map(CLASSES.index)
    chosen = pictures.loc[test["row"].iloc[(2 * ranks + classes).argsort()[:count]]]
    members = raw.members(chosen, archives)
    return [
        Example(Path(path).name, label, archive.read(*member))
        for path, label, member in zip(chosen["path"], chosen["label"], members, strict=True)
    ]
