"""What reading a published file may cost in processor time and memory, whatever it holds."""

from collections.abc import Callable
from typing import Any, TypeVar

from realart.core import isolation
from realart.core.isolation import CrashError, LimitError, Limits
from realart.data.formats import UnusableFileError

Result = TypeVar("Result")

SECONDS, PIXELS_A_SECOND = 10, 1_000_000
"""The limit on processor time: seconds, and one more for so many of `max_pixels`."""
MEMORY, BYTES_A_PIXEL = 128 << 20, 32
"""The limit on memory: bytes, and so many for each of `max_pixels`.

The worst known picture is a WebP with transparency, 24 bytes a pixel: the decoder's buffer, RGBA,
the white background, both composed, and RGB. The file itself adds 4 at most.
"""


def bounds(max_pixels: int) -> Limits:
    """Return what reading a file may take where pictures have at most `max_pixels`."""
    return Limits(SECONDS + max_pixels // PIXELS_A_SECOND, MEMORY + BYTES_A_PIXEL * max_pixels)


def within_limits(max_pixels: int, function: Callable[..., Result], *arguments: Any) -> Result:
    """Return `function(*arguments)`, which reads a published file, called in a process of its own.

    Parameters
    ----------
    max_pixels
        The most pixels that a picture may have: the limits grow with them.
    function
        As `isolation.call` takes it.

    Raises
    ------
    UnusableFileError
        With the reason `too large` where a limit is reached, `corrupt` where a decoder crashes.
    Exception
        Whatever `function` raises.
    """
    try:
        return isolation.call(bounds(max_pixels), function, *arguments)
    except LimitError as error:
        raise UnusableFileError("too large", f"its decoder {error}") from error
    except CrashError as error:
        raise UnusableFileError("corrupt", f"its decoder {error}") from error
