"""Pictures on this machine: a folder, or a zip archive."""

import shutil
import zipfile
from pathlib import Path

from realart.core import overrides
from realart.core.errors import RealartError
from realart.data.archive import zip_folder
from realart.data.sources import FetchedArchive, Folders, register
from realart.params import Dataset


@register("path")
def fetch(name: str, dataset: Dataset, folders: Folders) -> FetchedArchive:
    """Copy the zip archive at `dataset.path`, or zip the folder there.

    A relative path is one below `folders.root`. The copy is a file of its own, never a hard link,
    so that nothing done to an output reaches the original.
    """
    setting = f"-S datasets.{name}.path"
    if not dataset.path:
        raise RealartError(
            f"datasets.{name}.path is not set: say which folder or zip archive holds the "
            f"pictures, for example {setting}=/home/me/pictures, or a name with blanks, = or "
            f"letters beyond ASCII: {overrides.setting(f'datasets.{name}.path', '/home/me/my art')}"
        )
    location = (folders.root / Path(dataset.path).expanduser()).resolve()
    received = f"datasets.{name}.path is '{dataset.path}', that is {location}"
    if not location.exists():
        raise RealartError(f"{received}: there is nothing; set {setting}=<a folder or zip archive>")
    if location.is_dir():
        if folders.target.resolve().is_relative_to(location):
            raise RealartError(
                f"{received}: that folder holds this project's own outputs; set {setting}=<a "
                "folder with nothing but the pictures>"
            )
        zip_folder(location, folders.archive)
    elif zipfile.is_zipfile(location):
        shutil.copyfile(location, folders.archive)
    else:
        raise RealartError(
            f"{received}: neither a folder nor a whole zip archive; set {setting}=<one of these>"
        )
    return FetchedArchive(
        folders.archive, advice=f"put a whole one with pictures at {location}, and run again"
    )
