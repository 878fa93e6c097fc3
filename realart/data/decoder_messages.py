"""Messages that decoders print beside their errors: collected by whoever decodes, not printed.

Pillow warns and logs, and libtiff prints to standard error. All three are held back only in a
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
"""Bytes of a message of libtiff that are kept."""

_thread = threading.local()


@contextmanager
def collect() -> Iterator[list[str]]:
    """Hold back what decoders print in this thread; yield the list that errors are added to."""
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
    """In a filter of `warnings`, stands for the pattern of modules: matches any, in `collect`.

    Whoever copies the filters into other processes, as scikit-learn does, copies `pattern`, which
    matches nothing.
    """

    pattern = "(?!)"

    @staticmethod
    def match(_module: str) -> bool:
        return _collected() is not None


_FILTER: Any = ("ignore", None, Warning, _WhileCollecting(), 0)


def _put_filter_first() -> None:
    """Put our filter before all others, such as `-W error`, which may have been added since."""
    filters: list[Any] = warnings.filters  # type: ignore[assignment]
    if not filters or filters[0] is not _FILTER:
        filters[:] = [_FILTER, *(other for other in filters if other is not _FILTER)]


def _log(record: logging.LogRecord) -> bool:
    messages = _collected()
    if messages is None or record.levelno < logging.WARNING:
        return True
    messages.append(record.getMessage())
    return False


# A filter of the logger "PIL" would not see what its children log; of those, this one warns.
logging.getLogger("PIL.TiffImagePlugin").addFilter(_log)


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


def _listen_to_libtiff() -> Any:
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


_LIBTIFF = _listen_to_libtiff()  # kept: libtiff holds only its address
