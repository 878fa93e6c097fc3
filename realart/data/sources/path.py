"""Pictures on this machine: a folder, or a zip archive."""

import shutil
import zipfile
from pathlib import Path

from realart.core import overrides, paths, project
from realart.core.errors import RealartError
from realart.data.archive import zip_folder
from realart.data.sources import FetchedArchive, Folders, register
from realart.params import Dataset


def locate(name: str, dataset: Dataset, root: Path, target: Path) -> Path:
    """Return the folder or zip archive at `dataset.path`; a relative path is one below `root`.

    Parameters
    ----------
    target
        The folder for the archive.

    Raises
    ------
    RealartError
        There is no path, nothing at it, or something else, such as a device; or the folder holds
        `target`.
    """
    setting = f"-S datasets.{name}.path"
    if not dataset.path:
        raise RealartError(
            f"datasets.{name}.path is not set: say which folder or zip archive holds the "
            f"pictures, for example {setting}=/home/me/pictures, or a name with blanks, = or "
            f"letters beyond ASCII: {overrides.setting(f'datasets.{name}.path', '/home/me/my art')}"
        )
    location = (root / Path(dataset.path).expanduser()).resolve()
    received = f"datasets.{name}.path is '{dataset.path}'"
    if dataset.path != str(location):
        received += f", that is {location}"
    if not location.exists():
        raise RealartError(f"{received}: there is nothing; set {setting}=<a folder or zip archive>")
    if location.is_dir():
        if target.resolve().is_relative_to(location):
            raise RealartError(
                f"{received}: that folder holds this project's own outputs; set {setting}=<a "
                "folder with nothing but the pictures>"
            )
    elif not (location.is_file() and zipfile.is_zipfile(location)):  # it waits for a pipe's end
        raise RealartError(
            f"{received}: neither a folder nor a whole zip archive; set {setting}=<one of these>"
        )
    return location


def check(name: str, dataset: Dataset) -> None:
    """Check `dataset.path`, as `locate`."""
    locate(name, dataset, project.root(), paths.RAW)


@register("path", check)
def fetch(name: str, dataset: Dataset, folders: Folders) -> FetchedArchive:
    """Copy the zip archive at `dataset.path`, or zip the folder there.

    The copy is a file of its own, never a hard link, so that nothing done to an output reaches the
    original.
    """
    location = locate(name, dataset, folders.root, folders.target)
    if location.is_dir():
        zip_folder(location, folders.archive)
    else:
        shutil.copyfile(location, folders.archive)
    return FetchedArchive(
        folders.archive, advice=f"put a whole one with pictures at {location}, and run again"
    )
