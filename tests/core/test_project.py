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
    assert project.root() == tmp_path
    assert project.root().is_absolute()
