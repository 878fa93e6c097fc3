"""The main folder is found from wherever a run is."""

from pathlib import Path

import pytest

from realart.core import project


def test_the_main_folder_is_that_of_dvc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "copy").mkdir()
    monkeypatch.chdir(tmp_path / "copy")
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    assert project.root() == tmp_path
    assert project.private() == tmp_path / ".realart"


def test_without_dvc_it_is_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert project.root() == project.workspace() == tmp_path
    assert project.root().is_absolute()
    assert project.commit() == ""


def test_without_git_there_is_no_commit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("DVC_EXP_BASELINE_REV", raising=False)
    assert project.commit() == ""


def test_the_project_is_found_upwards_from_any_of_its_folders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder with params.yaml alone is none, such as that of an evaluation yet to be sent."""
    inner = tmp_path / "docs/deep"
    inner.mkdir(parents=True)
    for file in ("dvc.yaml", "params.yaml", "docs/params.yaml"):
        (tmp_path / file).touch()
    monkeypatch.chdir(inner)
    assert project.root() == project.workspace() == tmp_path
    assert project.in_root("models/final") == Path("../../models/final")
    monkeypatch.chdir(tmp_path)
    assert project.in_root("models/final") == Path("models/final")


def test_a_copy_of_an_experiment_is_a_workspace_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = tmp_path / ".dvc/tmp/exps/copy"
    copy.mkdir(parents=True)
    for folder in (tmp_path, copy):
        for name in project.FILES:
            (folder / name).touch()
    monkeypatch.chdir(copy)
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    assert (project.workspace(), project.root()) == (copy, tmp_path)
