"""Ctrl-C and SIGTERM end a process with one line, whatever it does at that moment.

SIGTERM is what `kill`, `timeout`, containers and schedulers of clusters send before they kill. The
exit code is 128 and the number of the signal, 130 or 143, as a shell reports it.

An interrupt raises `KeyboardInterrupt` in the main thread, as Python does, so that files and runs
are closed. Further ones wait for that. Libraries may swallow the exception, and Python drops it in
callbacks of its garbage collector, so it is raised again every second unless an exception is being
handled. Compiled code may turn it into another one (`SystemError`), and a pool reports that its
processes were killed: whatever error ends an interrupted process, one line is printed in its place.
"""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType, TracebackType
from typing import NoReturn

ENDS = {signal.SIGINT: "interrupted", signal.SIGTERM: "terminated"}
"""What is printed of a process that each signal has ended."""
AGAIN_SECONDS = 1.0
"""Until an interrupt that was swallowed is raised again."""


@dataclass
class _State:
    """The first signal that this process got, whether it has ended for it, and what to do next."""

    received: signal.Signals | None = None
    ended: bool = False
    advice: str = ""


_state = _State()


def install(advice: str = "") -> None:
    """Handle interrupts from now on, unless they are handled already, or ignored, as by a shell.

    Parameters
    ----------
    advice
        What to do after an interrupt, for people.
    """
    for number in ENDS:
        if signal.getsignal(number) in (signal.default_int_handler, signal.SIG_DFL):
            _state.advice = advice
            signal.signal(number, _on_interrupt)
            sys.excepthook = _excepthook
            sys.unraisablehook = _unraisablehook


@contextmanager
def deferred() -> Iterator[None]:
    """Defer interrupts of this thread until the block ends; processes that it starts get none.

    Ctrl-C in a terminal interrupts all processes of its group, each of which would print.
    """
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def received() -> bool:
    """Return whether this process was interrupted."""
    return _state.received is not None


def end() -> NoReturn:
    """Print the line, and exit; what Python does as it ends is not interrupted."""
    sys.exit(_print_line())


def _print_line() -> int:
    """Print the line, and return the exit code."""
    _state.ended = True
    signal.setitimer(signal.ITIMER_REAL, 0)
    number = _state.received or signal.SIGINT  # which another handler may have received
    advice = f": {_state.advice}" if _state.advice else ""
    print(f"realart: {ENDS[number]}{advice}", file=sys.stderr, flush=True)
    return 128 + number


def _on_interrupt(number: int, frame: FrameType | None) -> None:
    if _state.ended:
        return
    first = _state.received is None
    if first:
        _state.received = signal.Signals(number)
        signal.signal(signal.SIGALRM, _on_interrupt)
        signal.setitimer(signal.ITIMER_REAL, AGAIN_SECONDS, AGAIN_SECONDS)
    if first or sys.exception() is None:
        raise KeyboardInterrupt


def _excepthook(
    kind: type[BaseException], error: BaseException, traceback: TracebackType | None
) -> None:
    """Replace the traceback of an interrupt while modules are imported, before `errors.run`."""
    if received():
        os._exit(_print_line())  # Python would end by its signal, or with code 1
    sys.__excepthook__(kind, error, traceback)


def _unraisablehook(unraisable: "sys.UnraisableHookArgs") -> None:
    """Print nothing of an interrupt that Python drops."""
    if not issubclass(unraisable.exc_type, KeyboardInterrupt):
        sys.__unraisablehook__(unraisable)
