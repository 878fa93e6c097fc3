"""Pictures that already lie on this machine, through the stage."""

import json
from pathlib import Path

import pytest
from loopback import download, one_line, unzipped, zipped

pytestmark = pytest.mark.slow

FILES = {"ai/a.jpg": b"made", "real/b.jpg": b"painted"}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return tmp_path / "project"


def folder_of_pictures(folder: Path) -> Path:
    for name, content in FILES.items():
        (folder / name).parent.mkdir(parents=True)
        (folder / name).write_bytes(content)
    return folder


def test_zip_is_copied_as_it_is(tmp_path: Path, project: Path) -> None:
    original = tmp_path / "my.zip"
    original.write_bytes(zipped(FILES))
    result = download(project, "local", {"path": str(original)})
    assert (result.returncode, result.stderr) == (0, "")
    copy = project / "data/raw/archive.zip"
    assert copy.read_bytes() == original.read_bytes()
    assert copy.stat().st_nlink == original.stat().st_nlink == 1
    record = (project / "data/raw/source.json").read_text()
    assert str(tmp_path) not in record
    assert json.loads(record)["address"] is None


def test_folder_relative_to_the_main_folder_and_run_from_another(
    tmp_path: Path, project: Path
) -> None:
    folder_of_pictures(tmp_path / "main/pictures")
    result = download(project, "local", {"path": "pictures"}, DVC_ROOT=str(tmp_path / "main"))
    assert result.returncode == 0, result.stderr
    assert unzipped(project / "data/raw/archive.zip") == FILES
    assert (tmp_path / "main/.realart/downloads").is_dir()
    assert not (project / ".realart").exists()


def test_expected_sha256(tmp_path: Path, project: Path) -> None:
    (tmp_path / "my.zip").write_bytes(zipped(FILES))
    entry = {"path": str(tmp_path / "my.zip"), "sha256": "0" * 64}
    line = one_line(download(project, "local", entry))
    received = line.rpartition("=")[2]
    assert f"has sha256 {received}, expected {'0' * 64}" in line
    assert download(project, "local", {**entry, "sha256": received}).returncode == 0


def test_failure_keeps_what_an_earlier_run_wrote(tmp_path: Path, project: Path) -> None:
    (tmp_path / "my.zip").write_bytes(zipped(FILES))
    download(project, "local", {"path": str(tmp_path / "my.zip")})
    (tmp_path / "my.zip").write_bytes(zipped(FILES)[:-30])
    one_line(download(project, "local", {"path": str(tmp_path / "my.zip")}))
    assert unzipped(project / "data/raw/archive.zip") == FILES


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (None, "there is nothing; set -S datasets.local.path="),
        (lambda path: path.write_bytes(b"text"), "neither a folder nor a whole zip archive; set"),
        (lambda path: path.write_bytes(zipped(FILES)[:60]), "nor a whole zip archive; set"),
        (lambda path: path.mkdir(), "the archive holds no file: put a whole one with pictures at"),
        (lambda path: path.write_bytes(zipped({})), "the archive holds no file: put a whole one"),
    ],
    ids=["missing", "not a zip", "half a zip", "empty folder", "empty zip"],
)
def test_what_cannot_be_used(tmp_path: Path, project: Path, make, expected: str) -> None:
    if make:
        make(tmp_path / "pictures")
    line = one_line(download(project, "local", {"path": "../pictures"}))
    assert expected in line
    assert str(tmp_path / "pictures") in line
    assert not (project / "data/raw").exists()


def test_path_not_set(project: Path) -> None:
    line = one_line(download(project, "local", {"path": None}))
    assert "datasets.local.path is not set" in line
    assert "-S datasets.local.path=/" in line


def test_folder_that_holds_the_project_itself(project: Path) -> None:
    assert "this project's own outputs" in one_line(download(project, "local", {"path": "."}))
