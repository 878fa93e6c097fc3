"""A copy of the project as a user has it, with a small dataset and a network that trains fast."""

import importlib
import os
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

import joblib
import pytest

from realart.core import yaml12
from realart.data.sample import generating, write_archive

ROOT = Path(__file__).parents[2]
PARTS = (
    "dvc.yaml",
    "params.yaml",
    "stages",
    "realart",
    ".dvc/config",
    ".dvc/.gitignore",
    ".dvc/plots",
    ".gitignore",
    ".dvcignore",
    "data/cases",
)
SEES: dict[str, Any] = {"input": "rgb", "size": 32, "shape": "squash", "backbone": None}
TINY = {
    "sees": SEES,
    "layers": [
        {"Conv2D": {"filters": 4, "kernel_size": 3, "activation": "relu"}},
        {"GlobalAveragePooling2D": {}},
    ],
    "outputs": 1,
    "optimizer": {"name": "Adam", "learning_rate": 0.01},
    "epochs": 2,
    "batch_size": 16,
    "patience": 2,
    "monitor": "loss",
    "fine_tune": None,
}
BACKBONE = {"name": "MobileNet", "weights": "none", "arguments": {"alpha": 0.25}}
HEAD: list[dict[str, dict[str, Any]]] = [{"BatchNormalization": {}}, {"Dropout": {"rate": 0.2}}]
TUNED = {
    **TINY,
    "sees": {**SEES, "backbone": {**BACKBONE, "unfreeze": 12}},
    "layers": [{"GlobalAveragePooling2D": {}}, *HEAD],
    "fine_tune": {"learning_rate": 0.01, "epochs": 1},
}
"""A recipe of both phases, on what the frozen part of a backbone says."""


STAGES = (
    "check", "download", "clean", "split", "balance", "ela", "contact_sheets", "audit", "features",
    "train", "evaluate", "robustness",
)  # fmt: skip
COLOUR = {
    "model": "colour",
    "recipes.colour": {
        "sees": {"features": ["colour"]},
        "head": {"name": "svm", "grid": {"C": [1.0]}},
    },
    "descriptors.colour": {"families": ["colour", "patterns"]},
}
"""A recipe that is fast and good."""


@cache
def rendered(pictures: int) -> bytes:
    """Return an archive of so many rendered pictures, which take seconds.

    Their traces are as strong as can be, so that a recipe that is fast meets the goals.
    """
    strong = patch.object(generating, "SHARES", (64, 64))
    with tempfile.TemporaryDirectory() as folder, joblib.parallel_config("sequential"), strong:
        archive = Path(folder) / "pictures.zip"
        write_archive(archive, pictures)
        return archive.read_bytes()


def tiny_project(folder: Path, pictures: int = 16) -> Path:
    """Copy the project into `folder / "project"`, with `pictures` rendered ones as its dataset."""
    project = folder / "project"
    for part in PARTS:
        source, target = ROOT / part, project / part
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)
    (folder / "pictures.zip").write_bytes(rendered(pictures))
    set_params(
        project,
        {
            "dataset": "local",
            "datasets.local.path": "../pictures.zip",
            "model": "tiny",
            "recipes.tiny": TINY,
            "recipes.tiny_ela": {**TINY, "sees": {**SEES, "input": "ela"}, "outputs": 2},
            "split.folds": 2,
            "split.slices": 2,
        },
    )
    return project


def git_project(folder: Path, pictures: int = 16) -> Path:
    """Make a tiny project that is a repository with one commit, as DVC's experiments need."""
    project = tiny_project(folder, pictures)
    for command in (
        "init -q -b main", "config user.name somebody", "config user.email somebody@example.org",
        "add -A", "commit -qm start",
    ):  # fmt: skip
        subprocess.run(["git", *command.split()], cwd=project, check=True)
    return project


def set_params(project: Path, values: dict[str, Any]) -> None:
    """Set params by their dotted names."""
    file = project / "params.yaml"
    content = yaml12.load(file.read_text(), "params.yaml")
    for name, value in values.items():
        *groups, leaf = name.split(".")
        group = content
        for key in groups:
            group = group[key]
        group[leaf] = value
    file.write_text(yaml12.dump(content))


def environment(project: Path, **more: str) -> dict[str, str]:
    """Return the environment of a user with an empty home, who has what the tests run with.

    A stage is one process: of few pictures, more take longer to start than to do their work.
    """
    home = project.parent / "home"
    home.mkdir(exist_ok=True)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    threads = os.environ["OMP_NUM_THREADS"]  # as in `conftest`
    return {
        "PATH": path, "HOME": str(home), "LANG": "C.UTF-8", "OMP_NUM_THREADS": threads,
        "LOKY_MAX_CPU_COUNT": "1", "KERAS_BACKEND": "tensorflow", "DVC_STAGE": "test",
    } | more  # fmt: skip


def run(project: Path, *command: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Run a command of the environment in `project`; return its result."""
    kept = environment(project, **more)
    return subprocess.run(
        command, cwd=project, env=kept, capture_output=True, text=True, check=False, timeout=600
    )


def run_stages(patched: pytest.MonkeyPatch, project: Path, *names: str) -> None:
    """Run stages in this process, which knows Keras already, as DVC does."""
    patched.chdir(project)
    patched.setenv("DVC_STAGE", "test")
    patched.setenv("DVC_ROOT", str(project))
    with joblib.parallel_config("threading"):
        for name in names:
            importlib.import_module(f"stages.{name}").main()
