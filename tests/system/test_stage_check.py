"""The stage `check`: one line for each fault, and how to undo what `-S` wrote."""

import subprocess
from hashlib import md5
from pathlib import Path
from typing import Any

import pytest
from project_copy import ROOT, set_params

from realart.core.errors import RealartError
from stages import check

COMMANDS = (
    ["init", "-q"],
    ["add", "params.yaml"],
    ["-c", "user.name=x", "-c", "user.email=x@example.org", "commit", "-qm", "start"],
)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with params.yaml, which is the working directory and no repository."""
    (tmp_path / "params.yaml").write_text((ROOT / "params.yaml").read_text())
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DVC_ROOT", raising=False)
    set_params(tmp_path, {"dataset": "sample"})
    return tmp_path


def commit(project: Path) -> None:
    for command in COMMANDS:
        subprocess.run(["git", *command], cwd=project, check=True)


def problem() -> str:
    with pytest.raises(RealartError) as caught:
        check.main()
    return str(caught.value)


def set_typo(project: Path, **more: Any) -> None:
    set_params(project, {"recipes.cnn150.optimizer.name": "Adm", **more})


def test_a_sound_project_is_checked(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    check.main()
    assert "params.yaml is sound" in capsys.readouterr().out
    assert (project / "data/code/train.json").is_file()


def test_a_fault_names_the_command_that_undoes_it(project: Path) -> None:
    commit(project)
    set_typo(project)
    message = problem()
    assert message.startswith("recipes.cnn150.optimizer: unknown optimizer 'Adm'")
    assert message.endswith("a dataset and its path too, by `git checkout params.yaml`")
    assert not (project / "data").exists()
    subprocess.run(["git", "checkout", "-q", "params.yaml"], cwd=project, check=True)
    check.main()


def test_a_fault_that_is_committed_is_not_undone_so(project: Path) -> None:
    set_typo(project)
    commit(project)
    assert "git checkout" not in problem()


def test_nothing_is_undone_in_a_copy_or_without_git(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_typo(project)
    assert "git checkout" not in problem()  # no repository
    set_params(project, {"recipes.cnn150.optimizer.name": "Adam"})
    commit(project)
    set_typo(project)
    assert "git checkout" in problem()
    with monkeypatch.context() as patched:
        patched.setenv("DVC_ROOT", "/")  # as in a temporary copy of an experiment
        assert "git checkout" not in problem()
    monkeypatch.setenv("PATH", "")
    assert "git checkout" not in problem()


def test_missing_params_are_one_line(project: Path) -> None:
    commit(project)
    (project / "params.yaml").unlink()
    assert problem().startswith("no params.yaml in ")


def test_pictures_that_were_fetched_may_be_on_another_machine(project: Path) -> None:
    pictures = project / "pictures"
    pictures.mkdir()
    set_params(project, {"dataset": "local", "datasets.local.path": str(pictures)})
    check.main()
    digest = md5((project / "data/sets/origins.json").read_bytes()).hexdigest()
    pictures.rmdir()
    assert "there is nothing" in problem()
    assert (project / "data/sets/origins.json").is_file()
    (project / "dvc.lock").write_text(f"deps: [{{path: data/sets/origins.json, md5: {digest}}}]")
    check.main()
    set_params(project, {"datasets.local.path": "/elsewhere"})
    assert "there is nothing" in problem()


@pytest.mark.parametrize("text", ["split: {seed: 1, seed: 2}", f"split: {{seed: {'9' * 5000}}}"])
def test_unreadable_params_are_one_line(project: Path, text: str) -> None:
    (project / "params.yaml").write_text(text)
    message = problem()
    assert message.startswith("params.yaml is no valid YAML")
    assert "\n" not in message


def test_the_largest_seeds_can_be_used(project: Path) -> None:
    largest = 2**32 - 1
    set_params(project, dict.fromkeys(("train.seed", "split.seed", "balance.seed"), largest))
    check.main()
