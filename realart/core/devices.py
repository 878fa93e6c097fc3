"""GPUs of this machine, each used by one process at a time: who uses one has locked its file.

A lock ends with the process that holds it, however that ends. The files are where the machine keeps
temporary ones: all projects of a user share its GPUs, and a home may be that of many machines.
"""

import getpass
import os
import re
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import takewhile
from pathlib import Path

from filelock import FileLock, Timeout

from realart.core.errors import RealartError

VISIBLE = "CUDA_VISIBLE_DEVICES"
"""By which CUDA, and so every backend of Keras, is told what it may see."""
NAME = re.compile(r"\d+|(GPU|MIG)-\S+")
SECONDS = 0.5
"""Between two looks for a free device."""

Taken = dict[str, FileLock]
"""Devices by name, and what keeps others from them."""


def visible() -> list[str]:
    """Return the names of the GPUs that are there for us: those that CUDA is told of, else all."""
    given = os.environ.get(VISIBLE)
    names = _installed() if given is None else given.split(",")
    return list(takewhile(NAME.fullmatch, (name.strip() for name in names)))  # as CUDA reads them


def take(found: Sequence[str], count: int) -> Taken | None:
    """Take `count` of the devices `found`, or none: whoever keeps one while waiting for another
    may wait for somebody who does the same.
    """
    folder = Path(tempfile.gettempdir()) / f"realart-{getpass.getuser()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    taken: Taken = {}
    with FileLock(folder / "taking.lock"):
        for name in found:
            if len(taken) < count:
                lock = FileLock(folder / f"{name.replace('/', '-')}.lock")
                with suppress(Timeout):
                    lock.acquire(blocking=False)
                    taken[name] = lock
    if len(taken) == count:
        return taken
    release(taken)
    return None


def release(taken: Taken) -> None:
    """Leave devices to others."""
    for lock in taken.values():
        lock.release()


def wait(found: Sequence[str], count: int, what: str) -> Taken:
    """Take `count` of the devices `found` for `what` as soon as so many are free.

    Raises
    ------
    RealartError
        There are fewer.
    """
    if count > len(found):
        raise RealartError(
            f"{what} is to use {count} devices, and there are {len(found)} ({', '.join(found)}): "
            f"set train.devices to as many at most, or look at {VISIBLE}"
        )
    taken = take(found, count)
    if taken is None:
        needed = f"one of {len(found)} devices is" if count == 1 else f"{count} devices are"
        print(f"{what}: waits until {needed} free", flush=True)
    while taken is None:
        time.sleep(SECONDS)
        taken = take(found, count)
    return taken


@contextmanager
def held(count: int, what: str) -> Iterator[None]:
    """Hold so many devices for the block, and hide all others from this process.

    On a machine without any, nothing is held and nothing hidden. Keras must not have looked at its
    devices before.
    """
    found = visible()
    if not found:
        yield
        return
    taken = wait(found, count, what)
    before = os.environ.get(VISIBLE)
    if len(taken) < len(found):
        os.environ[VISIBLE] = ",".join(taken)
    try:
        yield
    finally:
        os.environ.pop(VISIBLE, None)
        if before is not None:
            os.environ[VISIBLE] = before
        release(taken)


def _installed() -> list[str]:
    command = ["nvidia-smi", "--query-gpu=uuid", "--format=csv,noheader"]
    try:
        said = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    except (OSError, subprocess.SubprocessError):
        return []
    return said.stdout.split("\n")
