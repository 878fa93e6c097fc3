"""The one error that users are meant to see, and how a script ends on it: one line, exit code 2."""

import sys
from collections.abc import Callable


class RealartError(Exception):
    """Says in one line what was wrong, what was received and what to do about it."""

    def __init__(self, message: str) -> None:
        super().__init__(" ".join(message.split()))


def run(main: Callable[[], int | None]) -> None:
    """Call `main` and exit with its code; a `RealartError` becomes one line on standard error."""
    try:
        sys.exit(main())
    except RealartError as error:
        print(f"realart: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print("realart: interrupted", file=sys.stderr)
        sys.exit(130)
