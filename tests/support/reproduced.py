"""A project before and after its first `dvc repro`, which takes a minute: made once for all."""

import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from made_once import made_once
from project_copy import COLOUR, environment, git_project, set_params

PROCESSES = {"LOKY_MAX_CPU_COUNT": f"{os.cpu_count()}"}
"""One for each core, as where users work."""


@dataclass(frozen=True)
class Reproduced:
    """Folders `fresh/project`, before the run, and `after/project`, each beside its pictures.

    They are for all to copy, and `project`, where it ran, is for one module to work in. The model
    is one of Keras; `seconds` are those that each stage took.
    """

    folder: Path
    output: str
    stderr: str
    seconds: dict[str, float]

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


def started(project: Path, stderr: int | None = None, **more: str) -> "subprocess.Popen[str]":
    """Start `dvc repro` as the leader of a group of processes."""
    return subprocess.Popen(
        ["dvc", "repro"],
        cwd=project,
        env=environment(project, **more),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL if stderr is None else stderr,
        text=True,
        start_new_session=True,
    )


def begun(line: str) -> str | None:
    """Return the stage that begins by this line of DVC's output."""
    found = re.match(r"Running stage '(\w+)'", line)
    return found[1] if found else None


def stages_begun(process: "subprocess.Popen[str]") -> Iterator[str]:
    """Yield the name of each stage when it begins."""
    assert process.stdout
    yield from filter(None, map(begun, process.stdout))


def _run(folder: Path) -> None:
    """Make the project, run it, and write what is to be known of the run."""
    project = git_project(folder / "user", pictures=16)
    set_params(project, COLOUR | {"model": "tiny", "train.checkpoint_seconds": 0.0})
    shutil.copytree(folder / "user", folder / "fresh", symlinks=True)
    lines, times = [], {}
    with (folder / "stderr").open("wb") as stderr:
        process = started(project, stderr.fileno())
    assert process.stdout
    for line in process.stdout:
        lines.append(line)
        if stage := begun(line):
            times[stage] = time.monotonic()
    errors = (folder / "stderr").read_text()
    assert process.wait() == 0, "".join(lines) + errors
    ends = [*list(times.values())[1:], time.monotonic()]
    seconds = {stage: end - times[stage] for stage, end in zip(times, ends, strict=True)}
    shutil.copytree(folder / "user", folder / "after", symlinks=True)
    run = {"output": "".join(lines), "stderr": errors, "seconds": seconds}
    (folder / "run.json").write_text(json.dumps(run))
