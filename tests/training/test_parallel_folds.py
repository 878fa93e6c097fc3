"""Parallel processes: records arrive, none outlives its parent, each failure is one line."""

import os
import pty
import re
import signal
import subprocess
import sys
import tempfile
import termios
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from networks import REPOSITORY, clean_environment
from processes import END_BY_SIGNAL, alive, ended

from realart.core import devices
from realart.core.errors import RealartError
from realart.training import parallel_folds

pytestmark = pytest.mark.slow

FOUND = ["0", "1", "2"]
CHILD = """
import os, signal, sys, time
from pathlib import Path
from realart.training import parallel_folds
from realart.core import errors

def main():
    job, send = parallel_folds.receive_job()
    print("printed by a library", flush=True)
    os.system("echo printed by another")
    send({"epoch": 0, "val_loss": job["fold"] / 3})
    (Path(job["folder"]) / f"{job['fold']}").write_text(os.environ["CUDA_VISIBLE_DEVICES"])
    exec(job.get("then", ""))
    send({"epoch": 1, "val_loss": float("nan")})

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
    folder: Path, then: dict[int, str], count: int = 1, on_epoch: Callable[[Any], None] = print
) -> dict[int, list[dict[str, float]]]:
    """Run a process for each of the folds that `then` names; return the records of each."""
    records: dict[int, list[dict[str, float]]] = {fold: [] for fold in then}

    def begin(fold: int) -> tuple[dict[str, Any], Callable[[Any], None]]:
        job = {"folder": str(folder), "fold": fold, "then": then[fold]}
        return job, lambda record: (records[fold].append(record), on_epoch(record))[0]

    parallel_folds.train(COMMAND, list(then), begin, FOUND, count, 2)
    return records


def test_every_process_sends_records_and_has_its_own_devices(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    records = trained(tmp_path, {0: MEET, 1: MEET})
    output = capfd.readouterr().err
    for fold, (first, second) in records.items():
        assert [first["epoch"], second["epoch"]] == [0, 1]
        assert first["val_loss"] == fold / 3
        assert second["val_loss"] != second["val_loss"]
        assert f"fold {fold}: printed by a library\nprinted by another\n" in output
    assert [(tmp_path / str(fold)).read_text() for fold in records] == ["0", "1"]
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
        ("os.write(2, b'Check failed'); os.abort()", "fold 1 was killed (SIGABRT); finished"),
        ("raise errors.RealartError('weights are gone')", "fold 1: weights are gone; finished"),
        ("raise OSError(28, 'full', 'x.npz')", "fold 1: the disk is full (x.npz): make room"),
        ("os._exit(7)", "fold 1: its process ended with code 7; finished"),
        ("1 / 0", "fold 1: its process ended with code 1; finished"),
    ],
)
def test_a_failed_process_is_one_line_and_ends_the_others(
    tmp_path: Path, then: str, expected: str, capfd: pytest.CaptureFixture[str]
) -> None:
    write_pid = "(Path(job['folder']) / 'pid').write_text(str(os.getpid()));"
    then = f"while not (Path(job['folder']) / 'pid').exists(): time.sleep(0.01)\n{then}"
    with pytest.raises(RealartError, match=re.escape(expected)) as raised:
        trained(tmp_path, {0: f"{write_pid} {WAIT}", 1: then})
    assert str(raised.value).endswith("finished epochs are kept: run again to resume")
    output = capfd.readouterr().err
    assert ("ZeroDivisionError" in output) == ("1 / 0" in then)
    assert ("Check failed" in output) == ("abort" in then)
    assert not alive(int((tmp_path / "pid").read_text()))
    assert devices.acquire(FOUND, 3)


def test_a_command_that_can_not_start_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(RealartError, match="fold 0: its process ended with code 1"):
        parallel_folds.train(
            [sys.executable, "-c", "import no_such_module"], [0], lambda fold: ({}, print),
            FOUND, 1, 2,
        )  # fmt: skip


def test_an_error_of_the_callback_ends_all_processes(tmp_path: Path) -> None:
    def on_epoch(record: dict[str, float]) -> None:
        if not record:
            raise RealartError("MLflow is gone")

    write_pid = "(Path(job['folder']) / 'pid').write_text(str(os.getpid()));"
    with pytest.raises(RealartError, match="MLflow is gone"):
        trained(tmp_path, {0: f"{write_pid} send({{}}); {WAIT}"}, on_epoch=on_epoch)
    assert not alive(int((tmp_path / "pid").read_text()))
    assert devices.acquire(FOUND, 3)


PARENT = f"""
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


@pytest.mark.parametrize("how", END_BY_SIGNAL)
def test_no_process_outlives_its_parent(tmp_path: Path, how: signal.Signals) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, str(tmp_path), PID + "send({'epoch': 5})\n" + WAIT],
        cwd=REPOSITORY,
        env=clean_environment(TMPDIR=str(tmp_path)),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as parent:
        assert parent.stdout
        lines = [parent.stdout.readline() for _ in range(4)]
        assert sorted(lines) == ["0\n", "0\n", "5\n", "5\n"]
        parent.send_signal(how)
        _, output = parent.communicate()
    assert (parent.returncode, output) == END_BY_SIGNAL[how]
    for fold in (0, 1):
        ended(int((tmp_path / f"pid{fold}").read_text()))
    assert devices.acquire(FOUND, 3)


def test_every_fold_has_a_bar(tmp_path: Path) -> None:
    terminal, end = pty.openpty()
    termios.tcsetwinsize(end, (24, 120))
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, str(tmp_path), MEET],
        cwd=REPOSITORY,
        env=clean_environment(TMPDIR=str(tmp_path), TERM="xterm"),
        stdout=subprocess.DEVNULL,
        stderr=end,
    ) as parent:
        os.close(end)
        screen = b""
        with suppress(OSError):  # the writer has ended
            while block := os.read(terminal, 4096):
                screen += block
    os.close(terminal)
    assert parent.returncode == 0
    for fold in (0, 1):
        assert re.search(rf"train, fold {fold}: +100%.*2/2 .*val_loss=", screen.decode())
