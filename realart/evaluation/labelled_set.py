"""A labelled set of pictures that a detector is evaluated on: cleaned, and not split."""

import zipfile
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from realart.core.errors import RealartError
from realart.data import archive, cleaning
from realart.params import Clean, LabelNames


@dataclass(frozen=True)
class LabelledSet:
    """A cleaned set of pictures.

    Attributes
    ----------
    kept, rejected
        Columns `tables.PICTURES` and `tables.REJECTED`.
    stored
        The canonical picture of each row of `kept`.
    """

    kept: pd.DataFrame
    rejected: pd.DataFrame
    stored: list[Path]

    def counts(self) -> dict[str, int]:
        """Return how many files were `rejected`, and how many of these are `unlabelled`."""
        unlabelled = (self.rejected["reason"] == "unlabelled").sum()
        return {"rejected": len(self.rejected), "unlabelled": int(unlabelled)}


def zipped(data: Path, workspace: Path) -> Path:
    """Return the path of the zip archive `data`, or of one of the folder `data` in `workspace`.

    Raises
    ------
    RealartError
        It is neither.
    """
    if data.is_dir():
        archive.zip_folder(data, workspace / "archive.zip")
        return workspace / "archive.zip"
    if not zipfile.is_zipfile(data):
        raise RealartError(
            f"{data} is neither a folder nor a zip archive: name one with a folder for each class"
        )
    return data


def clean(archive: Path, labels: LabelNames, params: Clean, workspace: Path) -> LabelledSet:
    """Clean an archive of pictures of both classes, or of one.

    Parameters
    ----------
    archive
        What `zipped` returns.
    labels
        The names of folders by which pictures are labelled.
    params
        Limits, thresholds and the canonical form.
    workspace
        A folder for canonical pictures.

    Raises
    ------
    RealartError
        As `cleaning.clean_sets`.
    """
    pictures = workspace / cleaning.FOLDER
    pictures.mkdir(parents=True)
    kept, rejected, _ = cleaning.clean(archive, labels, None, params, pictures, one_class=True)
    return LabelledSet(kept, rejected, [workspace / file for file in kept["file"]])
