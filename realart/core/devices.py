"""GPUs of this machine, each used by one process at a time, which locks a file for it.

A lock ends with the process that holds it, however that ends. The files lie in the machine's
temporary folder: all projects of a user share its GPUs, and several machines may share a home.
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
"""Environment variable that names the GPUs which CUDA, and so every backend of Keras, may use."""
NAME = re.compile(r"\d+|(GPU|MIG)-\S+")
POLL_SECONDS = 0.5
"""Seconds between two attempts to acquire devices."""

DeviceLocks = dict[str, FileLock]
"""The lock that this process holds on each device, by the device's name."""


def visible() -> list[str]:
    """Return the names of the GPUs that this process may use: those of `VISIBLE`, else all."""
    setting = os.environ.get(VISIBLE)
    names = _installed() if setting is None else setting.split(",")
    return list(takewhile(NAME.fullmatch, (name.strip() for name in names)))  # as CUDA reads them


def acquire(found: Sequence[str], count: int) -> DeviceLocks | None:
    """Lock `count` of the devices `found`, or return None if fewer are free.

    All or none: a process that keeps one device while it waits for another may wait for a process
    that does the same.
    """
    folder = Path(tempfile.gettempdir()) / f"realart-{getpass.getuser()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    locks: DeviceLocks = {}
    with FileLock(folder / "taking.lock"):
        for name in found:
            if len(locks) < count:
                lock = FileLock(folder / f"{name.replace('/', '-')}.lock")
                with suppress(Timeout):
                    lock.acquire(blocking=False)
                    locks[name] = lock
    if len(locks) == count:
        return locks
    release(locks)
    return None


def release(locks: DeviceLocks) -> None:
    """Release the locks on devices."""
    for lock in locks.values():
        lock.release()


def acquire_when_free(found: Sequence[str], count: int, what: str) -> DeviceLocks:
    """Wait until `count` of the devices `found` are free, and lock them.

    Parameters
    ----------
    found
        Names of devices.
    count
        How many to lock.
    what
        Who waits, as the line that is printed names it.

    Raises
    ------
    RealartError
        `found` are fewer than `count`.
    """
    if count > len(found):
        raise RealartError(
            f"{what} is to use {count} devices, and there are {len(found)} ({', '.join(found)}): "
            f"set train.devices to as many at most, or look at {VISIBLE}"
        )
    locks = acquire(found, count)
    if locks is None:
        needed = f"one of {len(found)} devices is" if count == 1 else f"{count} devices are"
        print(f"{what}: waits until {needed} free", flush=True)
    while locks is None:
        time.sleep(POLL_SECONDS)
        locks = acquire(found, count)
    return locks


@contextmanager
def reserve(count: int, what: str) -> Iterator[None]:
    """Lock `count` devices for the block, waiting until they are free, and hide all others.

    On a machine without GPUs nothing is locked and nothing hidden. Keras must not have listed its
    devices before. `what` names the process in the line that is printed while it waits.
    """
    found = visible()
    if not found:
        yield
        return
    locks = acquire_when_free(found, count, what)
    before = os.environ.get(VISIBLE)
    if len(locks) < len(found):
        os.environ[VISIBLE] = ",".join(locks)
    try:
        yield
    finally:
        os.environ.pop(VISIBLE, None)
        if before is not None:
            os.environ[VISIBLE] = before
        release(locks)


def _installed() -> list[str]:
    command = ["nvidia-smi", "--query-gpu=uuid", "--format=csv,noheader"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    except (OSError, subprocess.SubprocessError):
        return []
    return done.stdout.split("\n")
