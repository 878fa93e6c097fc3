"""A copy of the project in which commands are run and watched, as a user runs them."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

SECONDS = 150
"""A command that runs longer is taken for one that never ends, and killed."""
MEMORY = 6 << 10
"""MiB: a process that takes more is taken for one that would take all, and killed."""
REALART = (sys.executable, "-c", "import sys; from realart.cli import main; sys.exit(main())")
"""The command `realart`, of the modules that are found first."""


@dataclass(frozen=True)
class Run:
    """A command that has ended: its exit code, None if it had to be killed, and its output."""

    code: int | None
    output: str
    seconds: float
    peak: int

    def __str__(self) -> str:
        lines = [line for line in self.output.splitlines() if line.strip()]
        last = lines[-1].strip() if lines else "nothing printed"
        kind = "traceback: " if "Traceback (most recent call last)" in self.output else ""
        code = f"code {self.code}"
        if self.code is None:
            code = f"killed at {MEMORY} MiB" if self.peak >= MEMORY else f"killed after {SECONDS} s"
        return f"{code}, {kind}{last}"


@dataclass(frozen=True)
class WatchedProject:
    """A copy of the project, in which a case may change what it likes."""

    root: Path

    def realart(self, *arguments: str, **environment: str) -> Run:
        """Run a `realart` command."""
        return self.run(*REALART, *arguments, **environment)

    def stage(self, name: str, **environment: str) -> Run:
        """Run a stage, as `dvc repro` does after it has removed the outputs."""
        by_dvc = {"DVC_ROOT": str(self.root), "DVC_STAGE": name}
        return self.run(sys.executable, "-m", f"stages.{name}", **by_dvc, **environment)

    def run(self, *command: str, **environment: str) -> Run:
        """Run a command in the project until it ends, or for `SECONDS`."""
        started, peak, code = time.monotonic(), 0, None
        with tempfile.TemporaryFile() as output:
            process = psutil.Popen(
                command,
                cwd=self.root,
                env=self.environment(environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            end = started + SECONDS
            while (code := process.poll()) is None and peak < MEMORY and time.monotonic() < end:
                peak = max(peak, *(_memory(each) for each in _family(process)))
                time.sleep(0.02)
            if code is None:
                for each in reversed(_family(process)):
                    with suppress(psutil.Error):
                        each.kill()
                process.wait()
            output.seek(0)
            text = output.read().decode(errors="replace")
        return Run(code, text, time.monotonic() - started, peak)

    def environment(self, more: Mapping[str, str]) -> dict[str, str]:
        """Return the environment of a command: this project's modules, and `more`."""
        return os.environ | {"PYTHONPATH": str(self.root), "PYTHONUNBUFFERED": "1", **more}


def _family(process: psutil.Process) -> list[psutil.Process]:
    try:
        return [process, *process.children(recursive=True)]
    except psutil.Error:
        return []


def _memory(process: psutil.Process) -> int:
    """Return the peak resident memory of a process, in MiB; 0 if it has ended."""
    try:
        status = Path(f"/proc/{process.pid}/status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0]) >> 10
    except (OSError, IndexError):
        return 0
