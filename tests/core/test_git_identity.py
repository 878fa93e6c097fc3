"""Experiments need a name and an e-mail address; anything else does not."""

import subprocess
from pathlib import Path

import pytest
from project_copy import git_project, run

from realart.core import git_identity
from realart.core.errors import RealartError


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a repository of somebody whom git does not know, in an experiment."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    for variable in ("XDG_CONFIG_HOME", "GIT_AUTHOR_NAME", "GIT_COMMITTER_NAME"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    monkeypatch.setenv("DVC_EXP_NAME", "exp")
    subprocess.run(["git", "init", "-q"], check=True)
    return tmp_path


def settle(*fields: str) -> None:
    for field in fields:
        subprocess.run(["git", "config", f"user.{field}", "somebody"], check=True)


@pytest.mark.parametrize("fields", [(), ("name",), ("email",)])
def test_an_unknown_name_or_address_is_asked_for(repository: Path, fields: tuple[str]) -> None:
    settle(*fields)
    with pytest.raises(RealartError, match=r"user\.name 'Your Name'` and `.*user\.email"):
        git_identity.require()


def test_without_git_they_are_asked_for(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settle("name", "email")
    monkeypatch.setenv("PATH", str(repository))
    with pytest.raises(RealartError, match="git knows no name"):
        git_identity.require()


def test_settings_are_enough(repository: Path) -> None:
    settle("name", "email")
    git_identity.require()


def test_the_environment_is_enough(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for role in ("AUTHOR", "COMMITTER"):
        for field in ("NAME", "EMAIL"):
            monkeypatch.setenv(f"GIT_{role}_{field}", "somebody")
    git_identity.require()
    monkeypatch.delenv("GIT_COMMITTER_EMAIL")
    with pytest.raises(RealartError):
        git_identity.require()


def test_what_is_no_experiment_needs_none(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DVC_EXP_NAME")
    git_identity.require()


@pytest.mark.slow
def test_an_experiment_stops_before_anything_else_runs(tmp_path: Path) -> None:
    project = git_project(tmp_path)
    for field in ("name", "email"):
        run(project, "git", "config", "--unset", f"user.{field}")
    done = run(project, "dvc", "exp", "run", "-S", "split.seed=1", "split")
    assert done.returncode != 0
    assert "realart: git knows no name and e-mail address for you" in done.stderr
    assert done.stdout.count("Running stage") == 1
    for field in ("name", "email"):  # as the message says, but for this repository alone
        run(project, "git", "config", f"user.{field}", "somebody")
    done = run(project, "dvc", "exp", "run", "-s", "check")
    assert done.returncode == 0, done.stderr
    assert sorted(file.name for file in (project / "data/code").iterdir()) == sorted(
        file.with_suffix(".json").name for file in (project / "stages").glob("[!_]*.py")
    )
