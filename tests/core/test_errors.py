"""How a script ends: its exit code, and one line for a mistake that is the user's."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realart.core.errors import READER_ENDED, RealartError, printable


def code(body: str) -> str:
    imports = "import sys\nfrom pathlib import Path\nfrom realart.core.errors import *"
    return f"{imports}\ndef main():\n    {body}\nrun(main)"


def script(body: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code(body)], capture_output=True, text=True)


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        ("return None", 0, ""),
        ("return 3", 3, ""),
        ("raise RealartError('no\\n  picture')", 2, "realart: no picture\n"),
        (
            "open('/dev/full', 'w', 1).write('x\\n')",
            2,
            "realart: the disk is full: make room and run again; nothing is half written\n",
        ),
        (
            "open('/proc/nothing\\n/x')",
            2,
            "realart: No such file or directory (/proc/nothing\\n/x): check the path and run "
            "again; nothing is half written\n",
        ),
        (
            "open('/proc')",
            2,
            "realart: Is a directory (/proc): name a file where a file is wanted, and a folder "
            "where a folder is; nothing is half written\n",
        ),
        (
            "open('x' * 256)",
            2,
            f"realart: File name too long ({'x' * 256}): give it a shorter name; nothing is half "
            "written\n",
        ),
        (
            "raise OSError('no\\nsuch\\x1b driver')",
            2,
            "realart: no such\\x1b driver: check the path and run again; nothing is half written\n",
        ),
        ("raise KeyboardInterrupt", 130, "realart: interrupted\n"),
    ],
)
def test_exit_code_and_line(body: str, code: int, message: str) -> None:
    completed = script(body)
    assert (completed.returncode, completed.stderr, completed.stdout) == (code, message, "")


def test_an_internal_error_keeps_its_traceback() -> None:
    completed = script("return 1 / 0")
    assert completed.returncode == 1
    assert "Traceback" in completed.stderr
    assert "ZeroDivisionError" in completed.stderr


@given(st.text())
def test_a_message_is_one_line_with_the_same_words(message: str) -> None:
    shown = str(RealartError(message))
    assert len(shown.splitlines()) <= 1
    assert shown.isprintable()
    assert shown.split() == [printable(word) for word in message.split()]


def test_a_link_that_leads_to_itself_is_one_line(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(link)
    for use in (f"open({str(link)!r})", f"Path({str(link)!r}).resolve()"):
        completed = script(use)
        assert completed.returncode == 2
        (line,) = completed.stderr.splitlines()
        assert f"{link}" in line
        assert "remove the link that leads to itself" in line


@pytest.mark.parametrize("body", ["print('x')", "print('x' * 100_000)", "sys.exit(print('x'))"])
def test_nothing_is_printed_when_the_reader_has_ended(body: str) -> None:
    """Neither of the output nor, as in `2>&1 | head`, of errors."""
    reader, writer = os.pipe()
    os.close(reader)
    command, buffered = [sys.executable, "-c", code(body)], os.environ | {"PYTHONUNBUFFERED": ""}
    for errors in (subprocess.PIPE, writer):
        done = subprocess.run(command, stdout=writer, stderr=errors, env=buffered)
        assert (done.returncode, done.stderr or b"") == (READER_ENDED, b"")
    os.close(writer)
