"""The project's main folder, also for experiments that DVC runs in a temporary copy."""

import os
import subprocess
from hashlib import md5
from pathlib import Path


def root() -> Path:
    """Return the project's main folder, for what outlasts a run or is shared between runs.

    DVC sets `DVC_ROOT` to the main repository in every mode; a temporary copy of an experiment is
    another folder, which holds tracked files only.
    """
    return Path(os.environ.get("DVC_ROOT", ".")).resolve()


def private() -> Path:
    """Return the folder for files that are neither outputs nor tracked, such as locks."""
    return root() / ".realart"


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
