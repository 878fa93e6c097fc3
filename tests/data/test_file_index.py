"""A file is found by each form of its path that a table may have, and by no other file's."""

import unicodedata
from typing import Literal
from zipfile import ZipInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realart.data.file_index import FileIndex

Form = Literal["NFC", "NFD"]
FORMS: st.SearchStrategy[Form] = st.sampled_from(["NFC", "NFD"])
NAMES = st.lists(st.sampled_from(["ai", "human", "é", "a b", "1", "set"]), min_size=1, max_size=4)
PATHS = st.lists(NAMES.map(lambda parts: "/".join(parts) + ".jpg"), min_size=1, unique=True)


def index(paths: list[str], name: str = "") -> FileIndex:
    return FileIndex([ZipInfo(path) for path in paths], name)


@given(PATHS, FORMS, FORMS, st.randoms())
def test_a_path_inside_is_found_in_any_form(
    paths: list[str], inside: Form, given_as: Form, random: "st.random.Random"
) -> None:
    files = [unicodedata.normalize(inside, path) for path in paths]
    wanted = random.choice(files)
    value = unicodedata.normalize(given_as, wanted)
    found = index(files, "set.zip")
    for form in (value, f"./{value}", f"/{value}", value.replace("/", "\\"), f"'{value}' "):
        assert found.find(form) == [wanted]


@given(PATHS)
def test_the_name_of_the_set_may_stand_in_front(paths: list[str]) -> None:
    """Of the folder, or of the zip, and after any other folders."""
    for name in ("my art", "my art.zip"):
        for path in paths:
            for value in (f"my art/{path}", f"/home/me/my art/{path}", f"C:\\my art\\{path}"):
                assert index(paths, name).find(value) == [path]


@pytest.mark.parametrize(
    ("value", "files"),
    [
        ("1.jpg", ["ai/1.jpg", "human/1.jpg"]),
        ("1", ["ai/1.jpg", "human/1.jpg", "human/1.png"]),
        ("human/1", ["human/1.jpg", "human/1.png"]),
        ("human/1.png", ["human/1.png"]),
        ("else/ai/1.jpg", []),
        ("ai/2.jpg", []),
        ("ai/1.png", []),
        ("", []),
    ],
)
def test_a_name_fits_all_files_that_it_may_stand_for(value: str, files: list[str]) -> None:
    paths = ["ai/1.jpg", "human/1.jpg", "human/1.png", "human/1.json"]
    assert index(paths, "set").find(value) == files
