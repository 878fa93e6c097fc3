"""Pictures that already lie on this machine: a folder, or a zip archive."""

import shutil
import zipfile
from pathlib import Path

from realart.core.errors import RealartError
from realart.data.archive import zip_folder
from realart.data.sources.origin import FetchedArchive, SourceSpec


def fetch(origin: SourceSpec, directory: Path, root: Path) -> FetchedArchive:
    """Copy the zip archive at `origin.path`, or zip the folder there, to `directory`.

    A relative path is one below `root`. The copy is a file of its own, never a hard link, so that
    nothing done to an output reaches the original.
    """
    setting = f"-S datasets.{origin.name}.path"
    if not origin.path:
        raise RealartError(
            f"datasets.{origin.name}.path is not set: say which folder or zip archive holds the "
            f"pictures, for example {setting}=/home/me/pictures"
        )
    location = (root / Path(origin.path).expanduser()).resolve()
    received = f"datasets.{origin.name}.path is '{origin.path}', that is {location}"
    target = directory / "archive.zip"
    if not location.exists():
        raise RealartError(f"{received}: there is nothing; set {setting}=<a folder or zip archive>")
    if location.is_dir():
        if directory.resolve().is_relative_to(location):
            raise RealartError(
                f"{received}: that folder holds this project's own outputs; set {setting}=<a "
                "folder with nothing but the pictures>"
            )
        zip_folder(location, target)
    elif zipfile.is_zipfile(location):
        shutil.copyfile(location, target)
    else:
        raise RealartError(
            f"{received}: neither a folder nor a whole zip archive; set {setting}=<one of these>"
        )
    return FetchedArchive(
        target, advice=f"put a whole one with pictures at {location}, and run again"
    )
