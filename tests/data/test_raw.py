"""The archive and the record of each set, and the published file of a picture."""

import json
from pathlib import Path

import pytest
from making import archive, published

from realart.core.errors import RealartError
from realart.core.hashing import picture_id
from realart.data import raw
from realart.data.archive import ArchiveMember, read


def write_sets(folder: Path, names: list[str]) -> dict[str, Path]:
    """Write an archive and a record for each set as `download` does; return the archives."""
    for name in names:
        place = raw.folder(folder, name, names)
        place.mkdir(exist_ok=True)
        archive(place / raw.ARCHIVE, [("ai/1.png", name.encode())])
        (place / raw.RECORD).write_text(json.dumps({"name": name, "licence": f"of {name}"}))
    return raw.archives(folder)


@pytest.mark.parametrize("names", [["b"], ["b", "a"]])
def test_each_set_has_its_archive_and_its_record(names: list[str], tmp_path: Path) -> None:
    archives = write_sets(tmp_path, names)
    assert set(archives) == set(names)
    for name, path in archives.items():
        assert read(path, "ai/1.png", 1) == name.encode()
        assert raw.records(tmp_path)[name]["licence"] == f"of {name}"
    assert (tmp_path / raw.ARCHIVE).exists() == (len(names) == 1)


def test_equal_paths_in_two_sets_are_different_files(tmp_path: Path) -> None:
    archives = write_sets(tmp_path, ["a", "b"])
    rows = [{"id": name, "set": name, "path": "ai/1.png", "bytes": 1} for name in "abba"]
    members = raw.members(published(rows), archives)
    assert all(isinstance(member, ArchiveMember) for member in members)
    assert [read(*member) for member in members] == [b"a", b"b", b"b", b"a"]


def test_two_files_of_one_name_and_size_are_read_by_their_ids(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="Duplicate name"):
        path = archive(tmp_path / "a.zip", [("ai/1.png", b"one"), ("ai/1.png", b"two")])
    rows = [{"id": picture_id(data), "path": "ai/1.png", "bytes": 3} for data in (b"two", b"one")]
    members = raw.members(published(rows), {"": path})
    assert [read(*member) for member in members] == [b"two", b"one"]


def test_the_folder_of_an_earlier_run_is_found(tmp_path: Path) -> None:
    assert raw.existing_folder(tmp_path, "a") == tmp_path
    write_sets(tmp_path, ["a"])
    assert raw.existing_folder(tmp_path, "a") == tmp_path
    several = tmp_path / "several"
    several.mkdir()
    write_sets(several, ["a", "b"])
    assert raw.existing_folder(several, "b") == several / "b"


def test_the_error_without_a_download_names_the_command(tmp_path: Path) -> None:
    with pytest.raises(RealartError, match=r"has no source\.json: run `dvc repro`"):
        raw.archives(tmp_path)
