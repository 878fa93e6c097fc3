"""The error that a user can cause, and how a script ends on it: one line, exit code 2."""

import errno
import os
import sys
from collections import Counter
from collections.abc import Callable
from typing import NoReturn

from realart.core import interrupts

FULL = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "your quota of the disk is used up",
    errno.EFBIG: "a file would become larger than is allowed here",
}
"""Errors of a full disk, which are no mistake of a script, and their messages."""
_DENIED = "allow it to be read and written, or name another path"
_WRONG_KIND = "name a file where a file is wanted, and a folder where a folder is"
ADVICE = {
    errno.EACCES: _DENIED,
    errno.EPERM: _DENIED,
    errno.EROFS: _DENIED,
    errno.EISDIR: _WRONG_KIND,
    errno.ENOTDIR: _WRONG_KIND,
    errno.EEXIST: _WRONG_KIND,
    errno.ENAMETOOLONG: "give it a shorter name",
    errno.ELOOP: "remove the link that leads to itself",
}
"""What to do about other errors of the operating system."""
_LOOP = "Symlink loop from "
"""Of `Path.resolve` before Python 3.13, instead of an error of the operating system."""
READER_ENDED = 141
"""128 and the number of SIGPIPE, as a shell reports a process that has nobody left to write to."""
EXAMPLES = 3
"""Most values that `examples` shows."""


class RealartError(Exception):
    """An error that a user can cause: one line with what was wrong, what was received, what to do.

    Line breaks and runs of blanks in the message become single blanks, and other characters that
    can't be printed are escaped.
    """

    def __init__(self, message: str) -> None:
        super().__init__(printable(" ".join(message.split())))


def run(main: Callable[[], int | None]) -> None:
    """Call `main` and exit with the code that it returns.

    A `RealartError` or an error of the operating system ends in one line on standard error and code
    2, an interrupt as `realart.core.interrupts` describes it. If the reader of an output has ended,
    as in `realart predict folder | head`, nothing is printed, and the code is `READER_ENDED`.
    """
    interrupts.install()
    try:
        status = _status(main)
        print(end="", flush=True)
    except (KeyboardInterrupt, Exception) as error:
        if isinstance(error, KeyboardInterrupt) or interrupts.received():
            interrupts.end()
        if isinstance(error, BrokenPipeError):
            _end_unread()
        message = _message(error)
        if not message:
            raise
        print(f"realart: {message}", file=sys.stderr)
        sys.exit(2)
    if interrupts.received():  # and it was swallowed just before the end
        interrupts.end()
    sys.exit(status)


def _status(main: Callable[[], int | None]) -> "sys._ExitCode":
    """Return the code that `main` returns, or with which a parser exits, as after its help."""
    try:
        return main()
    except SystemExit as end:
        return end.code


def _end_unread() -> NoReturn:
    """Exit; what Python still writes as it ends goes nowhere, since it would print that it can't.

    See https://docs.python.org/3/library/signal.html#note-on-sigpipe.
    """
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    sys.exit(READER_ENDED)


def _message(error: BaseException) -> str:
    """Return what is printed of an error that is no mistake of a script; empty for others."""
    if isinstance(error, RealartError):
        return f"{error}"
    if isinstance(error, OSError):
        return f"{_os_error_line(error)}; nothing is half written"
    if isinstance(error, RuntimeError) and f"{error}".startswith(_LOOP):
        return f"{printable(f'{error}')}: {ADVICE[errno.ELOOP]}"
    return ""


def printable(text: str) -> str:
    r"""Return text with characters that can't be printed escaped, as in Python.

    So a file's name can neither begin a line nor send codes to a terminal. Bytes of a name that are
    no UTF-8 (PEP 383) are escaped, too.

    Examples
    --------
    >>> print(printable("a\nb \x1b[2J \udcff é"))
    a\nb \x1b[2J \udcff é
    """
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode("ascii")
        for character in text
    )


def _os_error_line(error: OSError) -> str:
    paths = [str(path) for path in (error.filename, error.filename2) if path]
    file = printable(f" ({' to '.join(paths)})") if paths else ""
    if error.errno in FULL:
        return f"{FULL[error.errno]}{file}: make room and run again"
    reason = printable(" ".join((error.strerror or str(error) or type(error).__name__).split()))
    return f"{reason}{file}: {ADVICE.get(error.errno or 0, 'check the path and run again')}"


def examples(values: "Counter[str]") -> str:
    """Return how many values there are, and the most common of them, for a message.

    >>> examples(Counter("abaca"))
    "5 ('a', 'b', 'c')"
    """
    shown = ", ".join(f"'{value}'" for value, _ in values.most_common(EXAMPLES))
    return f"{values.total()} ({shown}{', ...' if len(values) > EXAMPLES else ''})"
