"""An output is complete or absent, whatever ends the process that writes it."""

import errno
import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from small_disk import small_disk

from realart.core.errors import RealartError
from realart.core.outputs import (
    fresh_directory,
    fresh_file,
    require_room,
    require_writable,
    write_json,
)

WRITER = """
import os, signal, sys
from pathlib import Path
from realart.core.outputs import fresh_directory, fresh_file

STEPS = {"open", "os.mkdir", "os.rename", "os.remove", "os.rmdir"}
folder, kill_at, kind = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
step = 0

def count(event, arguments):
    global step
    if event in STEPS and str(folder) in os.path.abspath(os.fsdecode(arguments[0])):
        step += 1
        if step == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

os.chdir(folder)
sys.addaudithook(count)
if kind == "directory":
    with fresh_directory(folder / "out") as beside:
        for name in "abc":
            (beside / name).write_text("new")
else:
    with fresh_file(folder / "out") as beside:
        beside.write_text("new")
"""


def content(path: Path) -> dict[str, str] | str | None:
    if path.is_dir():
        return {file.name: file.read_text() for file in path.iterdir()}
    return path.read_text() if path.exists() else None


def test_a_directory_is_replaced_as_a_whole(tmp_path: Path) -> None:
    for text in ("old", "new"):
        with fresh_directory(tmp_path / "deep/out") as beside:
            (beside / text).write_text(text)
    assert content(tmp_path / "deep/out") == {"new": "new"}
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["out"]


@pytest.mark.parametrize("fresh", [fresh_directory, fresh_file])
def test_an_error_leaves_the_old_output(fresh: object, tmp_path: Path) -> None:
    out = tmp_path / "out"

    def write(text: str, *, fail: bool = False) -> None:
        with fresh(out) as beside:  # type: ignore[operator]
            (beside / "file" if beside.is_dir() else beside).write_text(text)
            if fail:
                raise ValueError(text)

    write("old")
    before = content(out)
    with pytest.raises(ValueError, match="half"):
        write("half", fail=True)
    assert content(out) == before
    write("new")
    assert content(out) != before
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize("kind", ["directory", "file"])
def test_a_kill_at_any_step_leaves_no_partial_output(kind: str, tmp_path: Path) -> None:
    old = dict.fromkeys("abcd", "old") if kind == "directory" else "old"
    new = dict.fromkeys("abc", "new") if kind == "directory" else "new"
    found = []
    for kill_at in range(1, 40):
        folder = tmp_path / str(kill_at)
        out = folder / "out"
        folder.mkdir()
        if kind == "directory":
            out.mkdir()
            for name in "abcd":
                (out / name).write_text("old")
        else:
            out.write_text("old")
        command = [sys.executable, "-c", WRITER, str(folder), str(kill_at), kind]
        ended = subprocess.run(command, stderr=subprocess.PIPE)
        found.append(content(out))
        assert found[-1] in (old, new, None), f"half an output after a kill at step {kill_at}"
        if ended.returncode == 0:
            break
        assert ended.returncode == -signal.SIGKILL, ended.stderr
    assert found[0] == old
    assert found[-1] == new
    assert len(found) > 2


def test_json_reads_back_and_ends_with_a_newline(tmp_path: Path) -> None:
    written = {"é": [1, 2.5, None, "漢"]}
    write_json(written, tmp_path / "deep/x.json")
    text = (tmp_path / "deep/x.json").read_text("utf-8")
    assert json.loads(text) == written
    assert text.endswith("}\n")
    assert "漢" in text


@pytest.mark.parametrize(
    ("name", "kind", "message"),
    [
        ("folder", "file", "folder is a folder: give the name of a file"),
        ("file/x.png", "file", "can't be written, as .*/file is no folder"),
        ("file", "folder", "file is a file: give the name of a folder"),
        ("é" * 122, "file", "too long for a file"),
        ("x" * 250, "folder", "too long for a folder"),
    ],
)
def test_an_output_that_can_not_be_written_is_named(
    tmp_path: Path, name: str, kind: str, message: str
) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    with pytest.raises(RealartError, match=message):
        require_writable(tmp_path / name, kind)
    for new, good in (
        ("new/deep", "file"),
        ("new", "folder"),
        ("file", "file"),
        ("folder", "folder"),
    ):
        require_writable(tmp_path / new, good)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder"]


def test_a_folder_that_may_not_be_written_is_named() -> None:
    """By a user who is not root, from when all is imported: where it lies may be root's alone."""
    code = "from realart.core.outputs import *; from pathlib import Path; import os; "
    code += "os.geteuid() or os.setuid(65534); require_writable(Path('/proc/1/new.png'))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "/proc/1/new.png can't be written: allow /proc/1 to be written" in result.stderr


def test_room_is_looked_for_before_a_library_writes(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 16 << 20) as disk:
        if not disk:
            pytest.skip("this machine lets nobody mount a disk")
        require_room(disk.outside, 8 << 20)
        for size in (14 << 20, 17 << 20):
            with pytest.raises(OSError, match="No space left") as raised:
                require_room(disk.outside, size)
            assert raised.value.errno == errno.ENOSPC
            assert raised.value.filename == str(disk.outside)
        assert list(disk.outside.iterdir()) == []
