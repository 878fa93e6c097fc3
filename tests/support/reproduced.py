"""A project before and after its first `dvc repro`, made once for all, since it takes a while."""

import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest
from made_once import made_once
from project_copy import COLOUR, git_project, run, set_params

PROCESSES = {"LOKY_MAX_CPU_COUNT": f"{os.cpu_count()}"}
"""One for each core, as where users work."""


@dataclass(frozen=True)
class Reproduced:
    """Folders `fresh/project`, before the run, and `after/project`, each beside its pictures.

    They are for all to copy, and `project`, where it ran, is for one module to work in. The model
    is a support vector machine.
    """

    folder: Path
    output: str
    stderr: str

    @property
    def project(self) -> Path:
        return self.folder / "user/project"

    def copy(self, state: str, target: Path) -> Path:
        """Copy the project of a state, `fresh` or `after`, and its pictures into `target`."""
        shutil.copytree(self.folder / state, target, symlinks=True, dirs_exist_ok=True)
        return target / "project"


def reproduced(factory: pytest.TempPathFactory) -> Reproduced:
    """Return the project that one of pytest's workers has run."""
    folder = made_once(factory, "reproduced", _run)
    return Reproduced(folder, **json.loads((folder / "run.json").read_text()))


def _run(folder: Path) -> None:
    """Make the project, run it, and write what is to be known of the run."""
    project = git_project(folder / "user")
    set_params(project, COLOUR)
    shutil.copytree(folder / "user", folder / "fresh", symlinks=True)
    done = run(project, "dvc", "repro")
    assert done.returncode == 0, done.stdout + done.stderr
    shutil.copytree(folder / "user", folder / "after", symlinks=True)
    (folder / "run.json").write_text(json.dumps({"output": done.stdout, "stderr": done.stderr}))
