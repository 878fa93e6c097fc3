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
}
"""What to do about other errors of the operating system."""
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
    2, an interrupt as `realart.core.interrupts` describes it.

    Raises
    ------
    BrokenPipeError
        The reader of an output has ended.
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
    if isinstance(error, OSError) and not isinstance(error, BrokenPipeError):
        return f"{_os_error_line(error)}; nothing is half written"
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
