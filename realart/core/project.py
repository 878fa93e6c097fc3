"""The project's main folder, also for experiments that DVC runs in a temporary copy."""

import os
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
