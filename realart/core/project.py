"""The project's folders: found from the current directory upwards, as git finds a repository."""

import os
import subprocess
from hashlib import md5
from pathlib import Path

FILES = ("dvc.yaml", "params.yaml")
"""Files that a project's top folder has."""
BY_HAND = "since this stage was started by hand: `dvc repro` logs it"
"""Why a stage logs no run."""


def workspace() -> Path:
    """Return the top folder of the project that the current directory is in.

    That is the nearest folder with all of `FILES`, or the current directory if there is none. In a
    temporary copy of an experiment it is the copy's.
    """
    here = Path.cwd()
    for folder in (here, *here.parents):
        if all((folder / name).is_file() for name in FILES):
            return folder
    return here


def root() -> Path:
    """Return the project's main folder, for what outlasts a run or is shared between runs.

    DVC sets `DVC_ROOT` to the main repository in every mode; a temporary copy of an experiment is
    another folder, which holds tracked files only.
    """
    return Path(os.environ.get("DVC_ROOT") or workspace()).resolve()


def in_pipeline() -> bool:
    """Return whether DVC runs this process as a stage, in whichever mode."""
    return "DVC_STAGE" in os.environ


def private() -> Path:
    """Return the folder for files that are neither outputs nor tracked, such as locks."""
    return root() / ".realart"


def commit() -> str:
    """Return the commit that a run is made from, in full; "" outside of a git repository."""
    return os.environ.get("DVC_EXP_BASELINE_REV") or git(root(), "rev-parse", "HEAD").strip()


def git(folder: Path, *arguments: str) -> str:
    """Return what git prints in a folder; "" if it fails, or there is no git."""
    command = ["git", "-C", str(folder), *arguments]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout
    except OSError:
        return ""


def in_root(path: str | Path) -> Path:
    """Return a path in the project's main folder as one that is relative to the current directory.

    It is short in messages: `models/final`, or from a folder of the project `../models/final`.
    """
    return Path(os.path.relpath(root() / path))


def is_modified(path: Path) -> bool:
    """Return whether a file, relative to the working directory, differs from git's last commit.

    False without a repository, git or the file, and for a file that is not in the commit.
    """
    command = ["git", "show", f"HEAD:./{path.as_posix()}"]
    try:
        committed = subprocess.run(command, capture_output=True, check=False)
        return committed.returncode == 0 and committed.stdout != path.read_bytes()
    except OSError:  # there is no git, or no file
        return False


def is_locked(path: Path) -> bool:
    """Return whether dvc.lock has the MD5 of a file: a stage that depends on it has been run."""
    lock = Path("dvc.lock")
    digest = md5(path.read_bytes(), usedforsecurity=False).hexdigest()
    return lock.is_file() and digest in lock.read_text("utf-8")
