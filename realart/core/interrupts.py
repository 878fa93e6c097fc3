"""Ctrl-C ends a process with one line and exit code 130, whatever it does at that moment.

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

EXIT_CODE = 130
"""128 and the number of SIGINT, as a shell reports a process that Ctrl-C has ended."""
AGAIN_SECONDS = 1.0
"""Until an interrupt that was swallowed is raised again."""


@dataclass
class _State:
    """Whether this process was interrupted, has ended for it, and what to do next, for people."""

    received: bool = False
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
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        _state.advice = advice
        signal.signal(signal.SIGINT, _on_interrupt)
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
    return _state.received


def end() -> NoReturn:
    """Print the line, and exit; what Python does as it ends is not interrupted."""
    _print_line()
    sys.exit(EXIT_CODE)


def _print_line() -> None:
    _state.ended = True
    signal.setitimer(signal.ITIMER_REAL, 0)
    advice = f": {_state.advice}" if _state.advice else ""
    print(f"realart: interrupted{advice}", file=sys.stderr, flush=True)


def _on_interrupt(number: int, frame: FrameType | None) -> None:
    if _state.ended:
        return
    first, _state.received = not _state.received, True
    if first:
        signal.signal(signal.SIGALRM, _on_interrupt)
        signal.setitimer(signal.ITIMER_REAL, AGAIN_SECONDS, AGAIN_SECONDS)
    if first or sys.exception() is None:
        raise KeyboardInterrupt


def _excepthook(
    kind: type[BaseException], error: BaseException, traceback: TracebackType | None
) -> None:
    """Replace the traceback of an interrupt while modules are imported, before `errors.run`."""
    if _state.received:
        _print_line()
        os._exit(EXIT_CODE)  # Python would end by its signal, or with code 1
    sys.__excepthook__(kind, error, traceback)


def _unraisablehook(unraisable: "sys.UnraisableHookArgs") -> None:
    """Print nothing of an interrupt that Python drops."""
    if not issubclass(unraisable.exc_type, KeyboardInterrupt):
        sys.__unraisablehook__(unraisable)
