"""How a script ends: its exit code, and one line for a mistake that is the user's."""

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realart.core.errors import RealartError


def script(body: str) -> subprocess.CompletedProcess[str]:
    code = f"from realart.core.errors import RealartError, run\ndef main():\n    {body}\nrun(main)"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)


@pytest.mark.parametrize(
    ("body", "code", "said"),
    [
        ("return None", 0, ""),
        ("return 3", 3, ""),
        ("raise RealartError('no\\n  picture')", 2, "realart: no picture\n"),
        (
            "open('/dev/full', 'w', 1).write('x\\n')",
            2,
            "realart: the disk is full: make room and run again; nothing is half written\n",
        ),
        ("raise KeyboardInterrupt", 130, "realart: interrupted\n"),
    ],
)
def test_exit_code_and_line(body: str, code: int, said: str) -> None:
    ended = script(body)
    assert (ended.returncode, ended.stderr, ended.stdout) == (code, said, "")


def test_a_mistake_of_ours_keeps_its_traceback() -> None:
    ended = script("return 1 / 0")
    assert ended.returncode == 1
    assert "Traceback" in ended.stderr
    assert "ZeroDivisionError" in ended.stderr


@given(st.text())
def test_a_message_is_one_line_with_the_same_words(message: str) -> None:
    shown = str(RealartError(message))
    assert len(shown.splitlines()) <= 1
    assert shown.split() == message.split()
