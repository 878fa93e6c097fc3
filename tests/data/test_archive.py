"""Zip archives: same bytes every time, and damage found whatever it hit."""

import os
import random
import warnings
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory

import making
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from loopback import unzipped, zipped

from realart.core.errors import RealartError
from realart.core.hashing import picture_id
from realart.data import archive

FILES = {
    "ai/b.jpg": b"second" * 50,
    "ai/a.jpg": b"first" * 50,
    ".hidden": b"h",
    "real/c d.png": b"",
}


def write(folder: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def test_folder_becomes_the_same_bytes_whatever_order_and_times(tmp_path: Path) -> None:
    first = write(tmp_path / "first", FILES)
    second = write(tmp_path / "second", dict(reversed(FILES.items())))
    os.utime(second / "ai/a.jpg", (0, 0))
    (second / "ai/a.jpg").chmod(0o600)
    archive.zip_folder(first, tmp_path / "first.zip")
    archive.zip_folder(second, tmp_path / "second.zip")
    assert (tmp_path / "first.zip").read_bytes() == (tmp_path / "second.zip").read_bytes()
    assert unzipped(tmp_path / "first.zip") == FILES
    with zipfile.ZipFile(tmp_path / "first.zip") as written:
        assert {member.date_time[0] for member in written.infolist()} == {1980}
    listed = archive.files(tmp_path / "first.zip", "advice")
    assert [member.filename for member in listed] == sorted(FILES)
    archive.check(tmp_path / "first.zip", "advice")


def test_two_of_one_name_are_told_apart(tmp_path: Path) -> None:
    path = making.archive(tmp_path / "a.zip", [("same", b"first"), ("same", b"second")])
    assert archive.read(path, "same", 5) == b"first"
    assert archive.read(path, "same", 6) == b"second"
    making.archive(path, [("same", b"again")])
    os.utime(path, (0, 0))
    assert archive.read(path, "same", 5) == b"again"


@given(st.lists(st.binary(min_size=3, max_size=3), min_size=1, max_size=5), st.integers(0, 4))
def test_two_of_one_name_and_size_are_told_apart(contents: list[bytes], damaged: int) -> None:
    """Even where another one of them can't be read."""
    with TemporaryDirectory() as folder, warnings.catch_warnings(action="ignore"):
        path = making.archive(Path(folder, "a.zip"), [("same", content) for content in contents])
        for content in contents:
            assert archive.read(path, "same", 3, picture_id(content)) == content
        assert archive.read(path, "same", 3) == contents[0]
        if len({*contents}) == 1:
            return
        broken = contents[damaged % len(contents)]
        path.write_bytes(path.read_bytes().replace(b"same" + broken, b"same\0\0\0"))
        os.utime(path, (0, 0))
        for content in {*contents} - {broken, bytes(3)}:
            assert archive.read(path, "same", 3, picture_id(content)) == content
        with pytest.raises(KeyError, match="same"):
            archive.read(path, "same", 3, picture_id(b"none of them"))


def test_backslashes_of_old_zips_are_folders(tmp_path: Path) -> None:
    content = [("ai\\deep\\0.jpg", b"first"), ("ai\\", b""), ("human/0.jpg", b"second")]
    path = making.archive(tmp_path / "a.zip", content)
    assert [member.filename for member in archive.files(path, "")] == [
        "ai/deep/0.jpg",
        "human/0.jpg",
    ]
    assert archive.read(path, "ai/deep/0.jpg", 5) == b"first"
    archive.check(path, "advice")
    with archive.open_archive(path, "") as opened:
        contents = [
            archive.open_member(opened, member).read() for member in archive.files(path, "")
        ]
    assert contents == [b"first", b"second"]


def test_links_inside_are_read_and_links_outside_refused(tmp_path: Path) -> None:
    folder = write(tmp_path / "pictures", {"ai/a.jpg": b"a"})
    (folder / "ai/same.jpg").symlink_to("a.jpg")
    archive.zip_folder(folder, tmp_path / "inside.zip")
    assert unzipped(tmp_path / "inside.zip") == {"ai/a.jpg": b"a", "ai/same.jpg": b"a"}
    (tmp_path / "secret").write_bytes(b"secret")
    for target in [tmp_path / "secret", tmp_path, folder / "ai", tmp_path / "nothing"]:
        (folder / "ai/link").symlink_to(target)
        with pytest.raises(RealartError, match=r"'ai/link' is a link"):
            archive.zip_folder(folder, tmp_path / "outside.zip")
        (folder / "ai/link").unlink()


def test_a_pipe_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(RealartError, match=r"'pipe' is neither a file nor a folder"):
        archive.zip_folder(tmp_path, tmp_path / "x.zip")


def test_name_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    folder = os.fsencode(tmp_path / "pictures")
    os.mkdir(folder)  # noqa: PTH102
    Path(os.fsdecode(folder + b"/\xff.jpg")).write_bytes(b"x")
    with pytest.raises(RealartError, match=r"not UTF-8"):
        archive.zip_folder(tmp_path / "pictures", tmp_path / "x.zip")


def test_two_files_of_one_name_are_refused(tmp_path: Path) -> None:
    with archive.create_archive(tmp_path / "x.zip") as target:
        archive.add_bytes(target, "a.jpg", b"1")
        with pytest.raises(RealartError, match=r"two files would become 'a.jpg'"):
            archive.add_bytes(target, "a.jpg", b"2")


def test_flipped_byte_names_the_file(tmp_path: Path) -> None:
    content = bytearray(zipped({"ai/a.jpg": b"a", "real/b.jpg": random.Random(0).randbytes(1000)}))
    content[500] ^= 255
    (tmp_path / "x.zip").write_bytes(content)
    with pytest.raises(RealartError, match=r"'real/b.jpg' cannot be read .*: what to do$"):
        archive.check(tmp_path / "x.zip", "what to do")


def test_half_an_archive_and_an_archive_without_files(tmp_path: Path) -> None:
    content = zipped({"a.jpg": bytes(1000)})
    (tmp_path / "half.zip").write_bytes(content[: len(content) // 2])
    with pytest.raises(RealartError, match=r"no whole zip file .*: what to do$"):
        archive.check(tmp_path / "half.zip", "what to do")
    for empty in ({}, {"folder/": b""}):
        (tmp_path / "empty.zip").write_bytes(zipped(empty))
        with pytest.raises(RealartError, match=r"holds no file: what to do$"):
            archive.check(tmp_path / "empty.zip", "what to do")
    with pytest.raises(RealartError, match=r"no whole zip file .*: what to do$"):
        archive.files(tmp_path / "absent.zip", "what to do")


def test_encrypted_archive_is_one_line(tmp_path: Path) -> None:
    content = bytearray(zipped({"a.jpg": b"content"}))
    for header, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(header) + flags] |= 1
    (tmp_path / "x.zip").write_bytes(content)
    with pytest.raises(RealartError, match=r"'a.jpg' cannot be read .*encrypted"):
        archive.check(tmp_path / "x.zip", "advice")


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    cut=st.integers(0, 400),
    flips=st.lists(st.tuples(st.integers(0, 399), st.integers(1, 255)), max_size=4),
)
def test_any_damage_is_found_or_harmless(
    tmp_path: Path, cut: int, flips: list[tuple[int, int]]
) -> None:
    files = {"ai/a.jpg": bytes(range(100)), "real/b.jpg": b"text " * 40}
    content = bytearray(zipped(files))
    for place, mask in flips:
        content[place % len(content)] ^= mask
    path = tmp_path / "x.zip"
    path.write_bytes(content[: len(content) - cut % len(content) if cut > 300 else None])
    try:
        archive.check(path, "advice")
    except RealartError:
        return
    with zipfile.ZipFile(path) as whole:
        contents = {whole.read(member) for member in archive.files(path, "advice")}
        assert contents <= {*files.values(), b""}
