"""A folder is read as the zip archive of its files is."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from making import archive

from realart.core.errors import RealartError
from realart.data import archive as archives

NAMES = st.text("abż\\ .", min_size=1, max_size=5).filter(
    lambda name: name.strip(".\\ ") != "" and not name.endswith("\\")
)
FILES = st.dictionaries(
    st.tuples(st.sampled_from(["", "ai/", "human/deep/"]), NAMES).map("".join),
    st.binary(max_size=20),
    min_size=1,
    max_size=6,
)


@given(FILES)
def test_a_folder_and_a_zip_have_the_same_files(files: dict[str, bytes]) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name, "folder")
        for path, data in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(data)
        zipped = archive(Path(name, "a.zip"), sorted(files.items()))
        read = {}
        for place in (folder, zipped):
            members = archives.files(place, "")
            with archives.open_archive(place, "") as opened:
                contents = [archives.open_member(opened, member).read() for member in members]
            again = [archives.read(place, member.filename, member.file_size) for member in members]
            assert again == contents
            read[place] = {m.filename: data for m, data in zip(members, contents, strict=True)}
        assert read[folder] == read[zipped]
        assert set(read[folder].values()) == set(files.values())


def test_an_empty_folder_is_an_error_with_advice(tmp_path: Path) -> None:
    with pytest.raises(RealartError, match="holds no file: name another"):
        archives.files(tmp_path, "name another")
