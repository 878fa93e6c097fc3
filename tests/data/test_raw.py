"""Where the archive of each set lies, and whose file a picture is."""

import json
from pathlib import Path

import pytest
from making import archive, published

from realart.core.errors import RealartError
from realart.data import raw
from realart.data.archive import Member, read


def kept(folder: Path, names: list[str]) -> dict[str, Path]:
    """Write an archive and a record for each set as `download` does; return the archives."""
    for name in names:
        place = raw.folder(folder, name, names)
        place.mkdir(exist_ok=True)
        archive(place / raw.ARCHIVE, [("ai/1.png", name.encode())])
        (place / raw.RECORD).write_text(json.dumps({"name": name, "licence": f"of {name}"}))
    return raw.archives(folder)


@pytest.mark.parametrize("names", [["b"], ["b", "a"]])
def test_each_set_has_its_archive_and_its_record(names: list[str], tmp_path: Path) -> None:
    archives = kept(tmp_path, names)
    assert set(archives) == set(names)
    for name, path in archives.items():
        assert read(path, "ai/1.png", 1) == name.encode()
        assert raw.records(tmp_path)[name]["licence"] == f"of {name}"
    assert (tmp_path / raw.ARCHIVE).exists() == (len(names) == 1)


def test_a_file_of_one_path_in_two_sets_is_that_of_its_own_set(tmp_path: Path) -> None:
    archives = kept(tmp_path, ["a", "b"])
    rows = [{"id": name, "set": name, "path": "ai/1.png", "bytes": 1} for name in "abba"]
    members = raw.members(published(rows), archives)
    assert all(isinstance(member, Member) for member in members)
    assert [read(*member) for member in members] == [b"a", b"b", b"b", b"a"]


def test_a_set_is_held_wherever_it_was_put_before(tmp_path: Path) -> None:
    assert raw.held(tmp_path, "a") == tmp_path
    kept(tmp_path, ["a"])
    assert raw.held(tmp_path, "a") == tmp_path
    several = tmp_path / "several"
    several.mkdir()
    kept(several, ["a", "b"])
    assert raw.held(several, "b") == several / "b"


def test_nothing_downloaded_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(RealartError, match=r"has no source\.json: run `dvc repro`"):
        raw.archives(tmp_path)
