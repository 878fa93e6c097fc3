"""Folders of uploads are removed, unless a running process uses them."""

import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from realart.serving.upload_folder import upload_folder

CODE = """
import sys
from realart.serving.upload_folder import upload_folder
with upload_folder() as folder:
    (folder / "picture.png").write_text("private")
    print(folder, flush=True)
    sys.stdin.read()
"""


def test_what_a_killed_process_left_is_removed_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    process = subprocess.Popen(
        [sys.executable, "-c", CODE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout
    theirs = Path(process.stdout.readline().strip())
    with upload_folder() as ours:
        assert (theirs / "picture.png").is_file()
    assert not ours.exists()
    process.kill()
    process.communicate()
    assert (theirs / "picture.png").is_file()
    with upload_folder() as ours:
        assert list(tmp_path.iterdir()) == [ours]
    assert not list(tmp_path.iterdir())
