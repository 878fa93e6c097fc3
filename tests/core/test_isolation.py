"""Calls in other processes: answers, limits that hold, and ends that cost one call alone."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from processes import END_BY_SIGNAL, ended

from realart.core import hashing, isolation
from realart.core.isolation import CrashError, IsolationError, LimitError, Limits

ROOT = Path(__file__).parents[2]
LIMITS = Limits(seconds=20, memory=200 << 20)
ENDS: dict[str, tuple[Limits, Callable[..., Any], Any, type[IsolationError], str]] = {
    "time": (Limits(1, 200 << 20), sum, range(10**12), LimitError, "took more than 1 s of process"),
    "memory": (LIMITS, bytes, 1 << 30, LimitError, r"ran out of memory \(at most 200 MiB\)"),
    "killed": (LIMITS, signal.raise_signal, 9, LimitError, "was killed, perhaps because memory"),
    "crashed": (LIMITS, signal.raise_signal, 11, CrashError, r"crashed \(SIGSEGV\)"),
    "ended": (LIMITS, os._exit, 3, CrashError, r"crashed \(code 3\)"),
}


@settings(max_examples=10)
@given(st.lists(st.integers(), max_size=30), st.integers(1, 3))
def test_threads_get_their_own_answers(numbers: list[int], threads: int) -> None:
    with ThreadPoolExecutor(threads) as pool:
        answers = pool.map(lambda number: isolation.call(LIMITS, abs, number), numbers)
        assert list(answers) == [abs(number) for number in numbers]


def test_a_process_answers_call_after_call() -> None:
    assert isolation.call(LIMITS, os.getpid) == isolation.call(LIMITS, os.getpid) != os.getpid()


def test_a_process_has_the_package_of_its_parent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """MLflow puts the code of a model that it loads first, and may remove it."""
    (tmp_path / "realart").mkdir()
    (tmp_path / "realart/__init__.py").write_text("raise ImportError('of a model')")
    isolation.end_idle()
    monkeypatch.syspath_prepend(tmp_path)
    assert isolation.call(LIMITS, hashing.picture_id, b"") == hashing.picture_id(b"")


@pytest.mark.parametrize(
    ("limits", "function", "argument", "kind", "message"), ENDS.values(), ids=ENDS
)
def test_an_end_costs_one_call_alone(
    limits: Limits, function: Callable[..., Any], argument: Any, kind: type, message: str
) -> None:
    def call(number: int) -> int | IsolationError:
        try:
            return (
                isolation.call(LIMITS, abs, -number)
                if number
                else isolation.call(limits, function, argument)
            )
        except IsolationError as error:
            return error

    with ThreadPoolExecutor(2) as pool:
        first, *others = pool.map(call, range(8))
    assert others == [*range(1, 8)]
    assert type(first) is kind
    assert re.match(message, str(first))


def test_limits_are_of_a_call_and_not_of_a_process() -> None:
    """Each takes a part of what one may, and together they take more."""
    process, limits = isolation.call(LIMITS, os.getpid), Limits(2, 200 << 20)
    while sum(isolation.call(limits, os.times)[:2]) < 3:
        assert isolation.call(limits, len, bytes(120 << 20)) == 120 << 20
        isolation.call(limits, sum, range(10**7))
    assert isolation.call(limits, os.getpid) == process


def test_an_error_of_the_function_is_raised_with_its_traceback() -> None:
    with pytest.raises(ValueError, match="invalid literal") as caught:
        isolation.call(LIMITS, int, "x")
    assert "in _answer_call" in caught.value.__notes__[0]


class UnsentError(Exception):
    """An error as libraries have them: its arguments are not those that it is made from."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"{reason}, code {code}")


def raise_unsent() -> None:
    raise UnsentError(7, "no bytes left")


def test_an_error_that_can_not_be_sent_is_a_crash() -> None:
    with pytest.raises(CrashError, match=r"raised UnsentError \(no bytes left, code 7\)"):
        isolation.call(LIMITS, raise_unsent)
    assert isolation.call(LIMITS, abs, -1) == 1


def test_what_keeps_a_child_from_its_call_is_no_crash(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that is not to blame must not be rejected: the run ends instead."""
    isolation.end_idle()
    absent = ModuleType("absent")
    exec("def read(content): return content", absent.__dict__)
    monkeypatch.setitem(sys.modules, "absent", absent)
    isolation.start("realart.core.isolation")
    for size in (0, 1 << 20):  # with less and more than a pipe holds
        with pytest.raises(ModuleNotFoundError, match="absent") as caught:
            isolation.call(LIMITS, absent.read, bytes(size))
        assert "in _answer_call" in caught.value.__notes__[0]
        isolation.start("realart.core.isolation")
    with pytest.raises(TypeError, match="pickle"):
        isolation.call(LIMITS, threading.Lock)
    assert isolation.call(LIMITS, abs, -1) == 1


def test_what_libraries_print_is_no_answer() -> None:
    assert isolation.call(LIMITS, os.write, 1, b"printed\n" * 9) == 72
    assert isolation.call(LIMITS, os.read, 0, 9) == b""
    assert isolation.call(LIMITS, abs, -1) == 1


def test_a_process_that_ended_idle_is_replaced() -> None:
    process = isolation.call(LIMITS, os.getpid)
    os.kill(process, signal.SIGKILL)
    time.sleep(0.2)
    assert isolation.call(LIMITS, os.getpid) != process


def test_no_more_idle_processes_than_cores_are_kept() -> None:
    with ThreadPoolExecutor(9) as pool:
        list(pool.map(lambda _: isolation.call(LIMITS, time.sleep, 0.1), range(9)))
    assert 1 <= len(isolation._idle) <= (os.cpu_count() or 1)
    isolation.end_idle()
    assert not isolation._idle


CALLER = """
import os, sys, time
from threading import Thread
from realart.core import interrupts, isolation
interrupts.install()
limits = isolation.Limits(3, 200 << 20)
def main():
    for function in (os.getpid, os.getpid):
        print(isolation.call(limits, function), flush=True)
    print("ready", flush=True)
    isolation.call(limits, *{})
from realart.core import errors
errors.run(main)
"""


@pytest.mark.parametrize("how", END_BY_SIGNAL)
@pytest.mark.parametrize("busy", ["(sum, range(10**12))", "(time.sleep, 600)"])
def test_no_process_outlives_its_parent(how: signal.Signals, busy: str) -> None:
    """The script has no guard of its main module, and needs none."""
    with subprocess.Popen(
        [sys.executable, "-c", CALLER.replace("{}", busy)], start_new_session=True, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(ROOT)},
    ) as parent:  # fmt: skip
        assert parent.stdout
        child, same, _ = (parent.stdout.readline() for _ in range(3))
        assert child == same
        if how == signal.SIGINT:
            os.killpg(parent.pid, how)  # as a terminal does
        else:
            parent.send_signal(how)
        _, output = parent.communicate()
    assert (parent.returncode, output) == END_BY_SIGNAL[how]
    ended(int(child))
