"""The commands of a report lead from its commit to the params of its run."""

import platform
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from dvc.utils.hydra import apply_overrides
from project_copy import ROOT, TINY, set_params

from realart import __version__
from realart.core import yaml12
from realart.evaluation import made_by
from realart.params import load_params


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a repository with the project's params, and work in it."""
    for name in ("params.yaml", "dvc.yaml"):
        shutil.copy(ROOT / name, tmp_path)
    for command in ("init -q", "add .", "-c user.name=a -c user.email=a@b commit -qm start"):
        subprocess.run(["git", *command.split()], cwd=tmp_path, check=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_commands_make_the_params_of_the_run(repository: Path) -> None:
    committed = (repository / "params.yaml").read_text("utf-8")
    changed = {
        "dataset": "local",
        "datasets.local.path": "/home/zoé/my art=1.zip",
        "model": "mine",
        "recipes.mine": TINY,
        "split.folds": 4,
    }
    set_params(repository, changed)
    described = made_by.describe(load_params(), repository)
    checkout, run = described.commands.splitlines()
    head = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True).stdout
    assert checkout == f"git checkout {head.strip()}"
    words = shlex.split(run)
    assert words[:5] == ["dvc", "exp", "run", "-S", "dataset=local"]
    assert words[3::2] == ["-S"] * len(words[4::2])
    expected = yaml12.load((repository / "params.yaml").read_text("utf-8"), "params.yaml")
    (repository / "params.yaml").write_text(committed, "utf-8")
    apply_overrides(repository / "params.yaml", words[4::2])
    assert yaml12.load((repository / "params.yaml").read_text("utf-8"), "params.yaml") == expected


def test_a_run_of_committed_params_names_dataset_and_recipe_alone(repository: Path) -> None:
    described = made_by.describe(load_params(), repository)
    params = load_params()
    run = f"dvc exp run -S dataset={params.dataset} -S model={params.model}"
    assert described.commands.splitlines()[1] == run
    assert not described.is_changed
    for words in (f"realart {__version__}, Python {platform.python_version()}", "numpy ", "keras "):
        assert words in described.versions


def test_code_that_no_commit_has_is_named(repository: Path) -> None:
    with (repository / "dvc.yaml").open("a") as file:
        file.write("# changed\n")
    assert made_by.describe(load_params(), repository).is_changed


def test_without_git_there_is_no_commit(repository: Path) -> None:
    shutil.rmtree(repository / ".git")
    described = made_by.describe(load_params(), repository)
    assert described.commands.startswith("dvc exp run -S dataset=")
    assert not described.is_changed


def test_a_commit_of_results_is_not_named(repository: Path) -> None:
    before = made_by.describe(load_params(), repository)
    (repository / "dvc.lock").write_text("results")
    for command in ("add .", "-c user.name=a -c user.email=a@b commit -qm results"):
        subprocess.run(["git", *command.split()], cwd=repository, check=True)
    assert made_by.describe(load_params(), repository) == before
