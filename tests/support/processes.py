"""How processes end, and whether those of others have ended."""

import signal
import time

import psutil

END_BY_SIGNAL = {
    signal.SIGINT: (130, "realart: interrupted\n"),
    signal.SIGTERM: (143, "realart: terminated\n"),
    signal.SIGKILL: (-9, ""),
}
"""Exit code and standard error of a realart process that a signal ends."""


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
