"""Messages that image decoders print beside their errors, collected instead of printed.

Pillow warns and logs, and libtiff prints to standard error. All three are suppressed only in a
thread that is inside `collect`; other threads of the process keep their warnings, loggers and
handlers. `warnings.catch_warnings` can't do that before Python 3.14: it swaps the filters of the
whole process, and threads that overlap restore each other's.
"""

import ctypes
import logging
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from PIL import _imaging

LONGEST = 200
"""Bytes to which a message of libtiff is cut."""

_thread = threading.local()


@contextmanager
def collect() -> Iterator[list[str]]:
    """Suppress what decoders print in this thread; yield the list that their messages go to."""
    _put_filter_first()
    outer: list[str] | None = _collected()
    messages: list[str] = []
    _thread.messages = messages
    try:
        yield messages
    finally:
        _thread.messages = outer


def _collected() -> list[str] | None:
    return getattr(_thread, "messages", None)


class _WhileCollecting:
    """The module pattern of a filter of `warnings` that matches any module inside `collect`.

    Code that copies the filters into other processes, as scikit-learn does, copies `pattern`,
    which matches nothing.
    """

    pattern = "(?!)"

    @staticmethod
    def match(_module: str) -> bool:
        return _collected() is not None


_FILTER: Any = ("ignore", None, Warning, _WhileCollecting(), 0)


def _put_filter_first() -> None:
    """Move our filter before all others, such as `-W error`, which may have been added since."""
    filters: list[Any] = warnings.filters  # type: ignore[assignment]
    if not filters or filters[0] is not _FILTER:
        filters[:] = [_FILTER, *(other for other in filters if other is not _FILTER)]


def _passes(record: logging.LogRecord) -> bool:
    """Filter log records: collect warnings and errors inside `collect`, let all others pass."""
    messages = _collected()
    if messages is None or record.levelno < logging.WARNING:
        return True
    messages.append(record.getMessage())
    return False


# A filter of the logger "PIL" is not applied to its children; of those, this one warns.
logging.getLogger("PIL.TiffImagePlugin").addFilter(_passes)


# https://libtiff.gitlab.io/libtiff/functions/TIFFError.html; a va_list is passed on as a pointer,
# which it is, or by reference, in the calling conventions of x86-64 and AArch64.
_Handler = ctypes.CFUNCTYPE(None, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_void_p)


def _handler(default: Any, vsnprintf: Any) -> Any:
    def handle(module: bytes | None, form: bytes, arguments: int) -> None:
        messages = _collected()
        if messages is not None:
            text = ctypes.create_string_buffer(LONGEST)
            vsnprintf(text, ctypes.c_size_t(LONGEST), form, ctypes.c_void_p(arguments))
            messages.append(text.value.decode(errors="replace"))
        elif default:
            default(module, form, arguments)

    return _Handler(handle)


def _set_libtiff_handler() -> Any:
    """Set the error handler of the libtiff that Pillow decodes with, if it has one."""
    try:
        set_handler = ctypes.CDLL(_imaging.__file__).TIFFSetErrorHandler
        vsnprintf = ctypes.CDLL(None).vsnprintf
    except (AttributeError, OSError, TypeError):  # no libtiff, or a platform without a C library
        return None
    set_handler.restype, set_handler.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
    default = set_handler(None)
    handler = _handler(_Handler(default) if default else None, vsnprintf)
    set_handler(ctypes.cast(handler, ctypes.c_void_p))
    return handler


_LIBTIFF = _set_libtiff_handler()  # kept: libtiff holds only its address
