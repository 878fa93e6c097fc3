"""Files and folders of a commit come from DVC's cache, and nothing in the workspace is touched."""

import shutil
import subprocess
from pathlib import Path

import pytest

from realart.core.errors import RealartError
from realart.core.revisions import outputs_of

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def committed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a repository whose tag `run` has a tracked file, and a folder that only DVC keeps."""
    folder = tmp_path_factory.mktemp("committed")
    (folder / "models/final").mkdir(parents=True)
    (folder / "models/final/a.txt").write_text("model")
    (folder / "scores.csv").write_text("then")
    for command in (
        "git init -q -b main", "git config user.email a@b", "git config user.name a", "dvc init -q",
        "git commit -qm empty", "dvc add -q models/final", "git add .", "git commit -qm run",
        "git tag run",
    ):  # fmt: skip
        subprocess.run(command.split(), cwd=folder, check=True)
    (folder / "models/final/a.txt").unlink()
    (folder / "scores.csv").write_text("now")
    return folder


@pytest.fixture
def repository(committed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a copy of that repository."""
    folder = Path(shutil.copytree(committed, tmp_path / "copy", symlinks=True))
    monkeypatch.chdir(folder)
    return folder


def test_a_commit_has_what_was_committed(repository: Path) -> None:
    with outputs_of("run", Path("scores.csv"), Path("models/final")) as place:
        assert (place / "scores.csv").read_text() == "then"
        assert (place / "models/final/a.txt").read_text() == "model"
    assert not place.exists()
    assert (repository / "scores.csv").read_text() == "now"


def test_a_run_is_found_from_a_folder_of_the_project(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (repository / "docs").mkdir()
    (repository / "params.yaml").touch()
    (repository / "dvc.yaml").touch()
    monkeypatch.chdir(repository / "docs")
    with outputs_of("run", Path("scores.csv"), Path("models/final")) as place:
        assert (place / "scores.csv").read_text() == "then"
        assert (place / "models/final/a.txt").read_text() == "model"
    with outputs_of("workspace", Path("scores.csv")) as place:
        assert (place / "scores.csv").read_text() == "now"


def test_an_empty_name_is_not_the_workspace(repository: Path) -> None:
    with pytest.raises(RealartError, match="name of a run is empty"), outputs_of("", Path("a")):
        pass


def test_the_workspace_is_yielded_unchanged(repository: Path) -> None:
    with outputs_of("workspace", Path("scores.csv")) as place:
        assert (place / "scores.csv").read_text() == "now"


@pytest.mark.parametrize("revision", ["HEAD~1", "wrong"])
def test_a_missing_output_is_named(repository: Path, revision: str) -> None:
    with (
        pytest.raises(RealartError, match=f"no scores.csv of '{revision}' .*dvc exp show"),
        outputs_of(revision, Path("scores.csv")),
    ):
        pass


def test_an_output_missing_in_the_cache_is_named(repository: Path) -> None:
    subprocess.run(["rm", "-rf", ".dvc/cache"], check=True)
    with (
        pytest.raises(RealartError, match="no models/final of 'run'"),
        outputs_of("run", Path("models/final")),
    ):
        pass
