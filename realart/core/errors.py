"""The error that a user can cause, and how a script ends on it: one line, exit code 2."""

import errno
import sys
from collections import Counter
from collections.abc import Callable

from realart.core import interrupts

FULL = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "your quota of the disk is used up",
    errno.EFBIG: "a file would become larger than is allowed here",
}
"""Errors of a full disk, which are no mistake of a script, and their messages."""
EXAMPLES = 3
"""Most values that `examples` shows."""


class RealartError(Exception):
    """An error that a user can cause: one line with what was wrong, what was received, what to do.

    Line breaks and runs of blanks in the message become single blanks.
    """

    def __init__(self, message: str) -> None:
        super().__init__(" ".join(message.split()))


def run(main: Callable[[], int | None]) -> None:
    """Call `main` and exit with the code that it returns.

    A `RealartError` or a full disk ends in one line on standard error and code 2, an interrupt as
    `realart.core.interrupts` describes it.
    """
    interrupts.install()
    try:
        status = main()
        sys.stdout.flush()
    except (KeyboardInterrupt, Exception) as error:
        if isinstance(error, KeyboardInterrupt) or interrupts.received():
            interrupts.end()
        message = _message(error)
        if not message:
            raise
        print(f"realart: {message}", file=sys.stderr)
        sys.exit(2)
    if interrupts.received():  # and it was swallowed just before the end
        interrupts.end()
    sys.exit(status)


def _message(error: BaseException) -> str:
    """Return what is printed of an error that is no mistake of a script; empty for others."""
    if isinstance(error, RealartError):
        return f"{error}"
    if isinstance(error, OSError) and error.errno in FULL:
        file = f" ({error.filename})" if error.filename else ""
        return f"{FULL[error.errno]}{file}: make room and run again; nothing is half written"
    return ""


def examples(values: "Counter[str]") -> str:
    """Return how many values there are, and the most common of them, for a message.

    >>> examples(Counter("abaca"))
    "5 ('a', 'b', 'c')"
    """
    shown = ", ".join(f"'{value}'" for value, _ in values.most_common(EXAMPLES))
    return f"{values.total()} ({shown}{', ...' if len(values) > EXAMPLES else ''})"
