"""Whether processes of others have ended."""

import time

import psutil


def alive(pid: int) -> bool:
    """Return whether a process runs."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def ended(pid: int) -> None:
    """Wait until a process that is not ours has ended."""
    while alive(pid):
        time.sleep(0.01)
