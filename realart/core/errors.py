"""The one error that users are meant to see, and how a script ends on it: one line, exit code 2."""

import errno
import sys
from collections.abc import Callable

FULL = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "your quota of the disk is used up",
    errno.EFBIG: "a file would become larger than is allowed here",
}
"""What may keep a script from writing on, and is no mistake of its own."""


class RealartError(Exception):
    """Says in one line what was wrong, what was received and what to do about it."""

    def __init__(self, message: str) -> None:
        super().__init__(" ".join(message.split()))


def run(main: Callable[[], int | None]) -> None:
    """Call `main` and exit with its code; a `RealartError` becomes one line on standard error.

    So does a full disk, whoever met it.
    """
    try:
        sys.exit(main())
    except RealartError as error:
        print(f"realart: {error}", file=sys.stderr)
        sys.exit(2)
    except OSError as error:
        if error.errno not in FULL:
            raise
        where = f" ({error.filename})" if error.filename else ""
        what = f"{FULL[error.errno]}{where}: make room and run again"
        print(f"realart: {what}; nothing is half written", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print("realart: interrupted", file=sys.stderr)
        sys.exit(130)
