"""Ctrl-C and SIGTERM end a process in one line, whatever it does; all that is open is closed."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
START = """
import gc, signal, sys, time
from concurrent.futures import ThreadPoolExecutor
from realart.core import errors, interrupts, isolation
from realart.core.errors import RealartError
from realart.core.parallel import map_isolated, map_parallel
interrupts.install("`dvc repro` goes on")

def ready():
    print("ready", flush=True)
    time.sleep(60)

def wait(item):
    print("ready", flush=True)
    for _ in range(600):
        time.sleep(0.1)
"""
ENDS = {
    signal.SIGINT: (130, "realart: interrupted: `dvc repro` goes on\n"),
    signal.SIGTERM: (143, "realart: terminated: `dvc repro` goes on\n"),
}
MOMENTS = {
    "as modules are imported": "ready()",
    "in a stage": "errors.run(ready)",
    "as compiled code runs": """
def main():
    try:
        ready()
    except KeyboardInterrupt as error:
        raise SystemError("returned a result with an exception set") from error
errors.run(main)
""",
    "as its processes are killed": """
def main():
    try:
        ready()
    except KeyboardInterrupt:
        raise RealartError("a process was killed")
errors.run(main)
""",
    "where it is swallowed": """
def main():
    try:
        ready()
    except BaseException:
        pass
    time.sleep(60)
errors.run(main)
""",
    "where it is swallowed at the end": """
def main():
    try:
        ready()
    except BaseException:
        pass
errors.run(main)
""",
    "in the garbage collector": """
def main():
    gc.callbacks.append(lambda phase, info: phase == "start" and ready())
    gc.collect()
    gc.callbacks.clear()
    time.sleep(60)
errors.run(main)
""",
    "in isolated calls": """
def main():
    limits = isolation.Limits(60, 200 << 20)
    print("ready", flush=True)
    list(map_isolated(lambda _: isolation.call(limits, time.sleep, 50), [1, 2, 3], "wait"))
errors.run(main)
""",
    "as threads wait for isolated calls": """
def main():
    with ThreadPoolExecutor() as pool:
        call = pool.submit(isolation.call, isolation.Limits(60, 200 << 20), sum, range(10**12))
        time.sleep(3)
        print("ready", flush=True)
        call.result()
errors.run(main)
""",
    "in a pool": "errors.run(lambda: list(map_parallel(wait, [1], 'wait')) and None)",
}


def interrupt(
    script: str, folder: Path, number: signal.Signals, times: int = 1
) -> tuple[int, str, str]:
    """Send a signal to a script and all processes of its group, as a terminal or `timeout` does.

    Returns its exit code, its output, and what it prints on standard error.
    """
    (folder / "script.py").write_text(
        f"{START}\nif __name__ == '__main__':\n"
        + "".join(f"    {line}\n" for line in script.strip().splitlines())
    )
    with subprocess.Popen(
        [sys.executable, folder / "script.py"], start_new_session=True, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT), "LOKY_MAX_CPU_COUNT": "2"},
    ) as process:  # fmt: skip
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
        for _ in range(times):
            os.killpg(process.pid, number)
        out, err = process.communicate(timeout=50)
    return process.returncode, out, err


@pytest.mark.parametrize("number", ENDS)
@pytest.mark.parametrize("script", MOMENTS.values(), ids=MOMENTS)
def test_one_line_and_its_code(script: str, number: signal.Signals, tmp_path: Path) -> None:
    code, _, err = interrupt(script, tmp_path, number)
    assert (code, err) == ENDS[number]


@pytest.mark.parametrize("number", ENDS)
@pytest.mark.parametrize("times", [1, 3])
def test_what_is_open_is_closed_however_often_one_asks(
    tmp_path: Path, number: signal.Signals, times: int
) -> None:
    closing = """
def main():
    try:
        ready()
    finally:
        time.sleep(1.5)
        print("closed", flush=True)
errors.run(main)
"""
    code, line = ENDS[number]
    assert interrupt(closing, tmp_path, number, times) == (code, "closed\n", line)


def test_an_error_without_an_interrupt_keeps_its_traceback(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(f"{START}\nerrors.run(lambda: 1 / 0)")
    done = subprocess.run(
        [sys.executable, tmp_path / "script.py"], capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.returncode == 1
    assert "ZeroDivisionError" in done.stderr


def test_where_interrupts_are_ignored_they_stay_ignored(tmp_path: Path) -> None:
    """As in a shell's background, and under `nohup`."""
    script = tmp_path / "script.py"
    script.write_text(
        f"{START}\nimport os\n"
        "errors.run(lambda: os.kill(os.getpid(), signal.SIGINT) or print('done'))"
    )
    done = subprocess.run(
        ["sh", "-c", f"trap '' INT; exec {sys.executable} {script}"],
        capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (0, "done\n", "")


def test_tests_interrupt_what_they_start_where_they_can_not_be_interrupted() -> None:
    """As in a shell's background: processes inherit that interrupts are ignored."""
    test = f"{__file__}::test_one_line_and_its_code[in a stage-2]"
    done = subprocess.run(
        ["sh", "-c", "trap '' INT; exec \"$@\"", "-",
         sys.executable, "-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider", test],
        cwd=ROOT, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
