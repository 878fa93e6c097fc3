"""Processes at once: what they say is heard, none outlives who started it, each end is one line."""

import os
import pty
import re
import signal
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest
from networks import REPOSITORY, clean_environment

from realart.core import devices
from realart.core.errors import RealartError
from realart.training import parallel_folds

FOUND = ["0", "1", "2"]
CHILD = """
import os, signal, sys, time
from pathlib import Path
from realart.training import parallel_folds
from realart.core import errors

def main():
    job, say = parallel_folds.job()
    print("said by a library", flush=True)
    os.system("echo said by another")
    say({"epoch": 0, "val_loss": job["fold"] / 3})
    (Path(job["folder"]) / f"{job['fold']}").write_text(os.environ["CUDA_VISIBLE_DEVICES"])
    exec(job.get("then", ""))
    say({"epoch": 1, "val_loss": float("nan")})

errors.run(main)
"""
COMMAND = [sys.executable, "-c", CHILD]
MEET = """
other = Path(job["folder"]) / f"{1 - job['fold']}"
while not other.exists():
    time.sleep(0.01)
"""
"""Of two processes, each waits for the other: one after the other they would wait for ever."""
WAIT = "time.sleep(600)"


@pytest.fixture(autouse=True)
def _machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.chdir(REPOSITORY)


def trained(
    folder: Path, then: dict[int, str], count: int = 1, hear: Callable[[Any], None] = print
) -> dict[int, list[dict[str, float]]]:
    """Run a process for each of the folds that `then` names; return what was heard of each."""
    heard: dict[int, list[dict[str, float]]] = {fold: [] for fold in then}

    def begin(fold: int) -> tuple[dict[str, Any], Callable[[Any], None]]:
        job = {"folder": str(folder), "fold": fold, "then": then[fold]}
        return job, lambda record: (heard[fold].append(record), hear(record))[0]

    parallel_folds.train(COMMAND, list(then), begin, FOUND, count, 2)
    return heard


def test_every_process_is_heard_and_has_devices_of_its_own(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    heard = trained(tmp_path, {0: MEET, 1: MEET})
    said = capfd.readouterr().err
    for fold, records in heard.items():
        assert [record["epoch"] for record in records] == [0, 1]
        assert records[0]["val_loss"] == fold / 3
        assert records[1]["val_loss"] != records[1]["val_loss"]
        assert f"fold {fold}: said by a library\nsaid by another\n" in said
    assert [(tmp_path / str(fold)).read_text() for fold in heard] == ["0", "1"]
    assert devices.acquire(FOUND, 3)


def test_folds_take_turns_where_devices_are_few(tmp_path: Path) -> None:
    taken = devices.acquire(FOUND, 1)
    trained(tmp_path, dict.fromkeys(range(3), ""), count=2)
    assert {(tmp_path / f"{fold}").read_text() for fold in range(3)} == {"1,2"}
    assert taken


@pytest.mark.parametrize(
    ("then", "expected"),
    [
        ("os.kill(os.getpid(), signal.SIGKILL)", "fold 1 was killed (SIGKILL), perhaps"),
        ("os.write(2, b'Check failed'); os.abort()", "fold 1 was killed (SIGABRT); what"),
        ("raise errors.RealartError('weights are gone')", "fold 1: weights are gone; what"),
        ("raise OSError(28, 'full', 'x.npz')", "fold 1: the disk is full (x.npz): make room"),
        ("os._exit(7)", "fold 1: its process ended with code 7; what"),
        ("1 / 0", "fold 1: its process ended with code 1; what"),
    ],
)
def test_a_process_that_fails_is_one_line_and_ends_the_others(
    tmp_path: Path, then: str, expected: str, capfd: pytest.CaptureFixture[str]
) -> None:
    tell = "(Path(job['folder']) / 'pid').write_text(str(os.getpid()));"
    then = f"while not (Path(job['folder']) / 'pid').exists(): time.sleep(0.01)\n{then}"
    with pytest.raises(RealartError, match=re.escape(expected)) as raised:
        trained(tmp_path, {0: f"{tell} {WAIT}", 1: then})
    assert str(raised.value).endswith("what folds have learnt is kept: run again, and they go on")
    said = capfd.readouterr().err
    assert ("ZeroDivisionError" in said) == ("1 / 0" in then)
    assert ("Check failed" in said) == ("abort" in then)
    assert not alive(int((tmp_path / "pid").read_text()))
    assert devices.acquire(FOUND, 3)


def test_a_command_that_can_not_begin_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(RealartError, match="fold 0: its process ended with code 1"):
        parallel_folds.train(
            [sys.executable, "-c", "import no_such_module"], [0], lambda fold: ({}, print),
            FOUND, 1, 2,
        )  # fmt: skip


def test_an_error_of_who_hears_ends_all(tmp_path: Path) -> None:
    def hear(record: dict[str, float]) -> None:
        if not record:
            raise RealartError("MLflow is gone")

    tell = "(Path(job['folder']) / 'pid').write_text(str(os.getpid()));"
    with pytest.raises(RealartError, match="MLflow is gone"):
        trained(tmp_path, {0: f"{tell} say({{}}); {WAIT}"}, hear=hear)
    assert not alive(int((tmp_path / "pid").read_text()))
    assert devices.acquire(FOUND, 3)


STARTER = f"""
import sys
from pathlib import Path
from realart.training import parallel_folds
from realart.core import errors

def begin(fold):
    job = {{"folder": sys.argv[1], "fold": fold, "then": sys.argv[2]}}
    return job, lambda record: print(record["epoch"], flush=True)

command = {COMMAND!r}
errors.run(lambda: parallel_folds.train(command, [0, 1], begin, {FOUND!r}, 1, 2))
"""
PID = "(Path(job['folder']) / f\"pid{job['fold']}\").write_text(str(os.getpid()))\n"


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_no_process_outlives_who_started_it(tmp_path: Path, how: signal.Signals) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", STARTER, str(tmp_path), PID + "say({'epoch': 5})\n" + WAIT],
        cwd=REPOSITORY,
        env=clean_environment(TMPDIR=str(tmp_path)),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as starter:
        assert starter.stdout
        heard = [starter.stdout.readline() for _ in range(4)]
        assert sorted(heard) == ["0\n", "0\n", "5\n", "5\n"]
        starter.send_signal(how)
        _, said = starter.communicate()
    if how == signal.SIGINT:
        assert (starter.returncode, said) == (130, "realart: interrupted\n")
    else:
        assert (starter.returncode, said) == (-how, "")
    for fold in (0, 1):
        ended(int((tmp_path / f"pid{fold}").read_text()))
    assert devices.acquire(FOUND, 3)


def test_every_fold_has_a_bar(tmp_path: Path) -> None:
    terminal, end = pty.openpty()
    termios.tcsetwinsize(end, (24, 120))
    with subprocess.Popen(
        [sys.executable, "-c", STARTER, str(tmp_path), MEET],
        cwd=REPOSITORY,
        env=clean_environment(TMPDIR=str(tmp_path), TERM="xterm"),
        stdout=subprocess.DEVNULL,
        stderr=end,
    ) as starter:
        os.close(end)
        shown = b""
        with suppress(OSError):  # whoever wrote has ended
            while block := os.read(terminal, 4096):
                shown += block
    os.close(terminal)
    assert starter.returncode == 0
    for fold in (0, 1):
        assert re.search(rf"train, fold {fold}: +100%.*2/2 .*val_loss=", shown.decode())


def alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def ended(pid: int) -> None:
    """Wait until a process that is not ours has ended."""
    while alive(pid):
        time.sleep(0.01)
