"""Calls of functions in child processes whose processor time and memory the kernel limits.

A file may be made so that its decoder takes hours or all memory, or crashes. A child process that
does so is replaced, and its caller gets an error: nothing else is lost. This is no sandbox: a child
may do whatever its parent may.

A child answers one call after another, and ends with its parent, however that ends. It is started
by a command of its own, since `multiprocessing` would run a caller's unguarded script again. Calls
and results are pickles, in pipes that no library in a child prints to.
"""

import atexit
import math
import os
import pickle
import resource
import select
import signal
import subprocess
import sys
import time
import traceback
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from threading import Thread
from typing import IO, Any, NamedTuple, TypeVar

from realart.core import interrupts
from realart.core.errors import RealartError

Result = TypeVar("Result")

COMMAND = ("-P", "-c", "from realart.core import isolation; isolation.serve()")
"""Arguments of Python; one more is the module that a child imports in advance."""
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
"""Environment of children, since there is one for each core."""
MOST_KEPT = 64 << 20
"""Bytes by which a child may have grown after a call, to be called again."""
OWN = str(Path(__file__).parents[2])
"""Where this package was imported from; MLflow may have put a copy of it first in `sys.path`."""
OUT_OF_MEMORY = 86
"""Exit code of a child that got no more memory."""
STATM = Path("/proc/self/statm")
"""Memory of this process in pages, on Linux; the sixth number is that of its data."""


class Limits(NamedTuple):
    """What a call may take: `seconds` of processor time, and `memory` in bytes.

    Processor time, since load on the machine changes nothing about it. What a child has before the
    call is not counted: libraries reserve memory for each core.
    """

    seconds: int
    memory: int


class IsolationError(Exception):
    """The process of a call ended before its answer; the message is a verb with its objects."""


class LimitError(IsolationError):
    """The call reached one of its limits, or its process was killed, as where memory runs out."""


class CrashError(IsolationError):
    """The process of the call crashed, or a library in it raised what can't be sent."""


def call(limits: Limits, function: Callable[..., Result], *arguments: Any) -> Result:
    """Return `function(*arguments)`, called in a child process. Any number of threads may do so.

    Parameters
    ----------
    limits
        Of this call.
    function
        A function of a module. It, its arguments, results and errors must be picklable.

    Raises
    ------
    LimitError
        The call reached one of its limits, or its process was killed.
    CrashError
        Its process crashed, or `function` raised an error that can't be pickled.
    RealartError
        No process could be started.
    Exception
        Whatever `function` raises, or what kept the child from calling it or from sending its
        result, with the child's traceback as a note.
    """
    child = _take_idle() or _Child(function.__module__)
    try:
        succeeded, result = child.answer(limits, function, arguments)
    except BaseException:
        child.end()
        raise
    if child.reusable and len(_idle) < (os.cpu_count() or 1):
        _idle.append(child)
    else:
        child.end()
    if not succeeded:
        raise result
    return result


def start(module: str) -> None:
    """Start a child in advance, which imports the module of the functions to be called."""
    _idle.append(_Child(module))


def end_idle() -> None:
    """End the children that wait for a call."""
    while child := _take_idle():
        child.end()


def serve() -> None:
    """Answer calls from standard input, one after another, until it is closed."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends a child, too, without a word
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    calls, results = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    Thread(target=_end_with_parent, args=(calls.fileno(),), daemon=True).start()
    import_module(sys.argv[1])
    _send(results, "ready")
    own = _data_size()
    while True:
        try:
            _answer_call(calls, results)
        except EOFError:
            return
        except MemoryError:
            os._exit(OUT_OF_MEMORY)
        except Exception as error:  # no decoder's: an error of the run, and of no file
            _send(results, (False, _with_traceback(error)))
            _send(results, False)
            os._exit(1)
        _send(results, _data_size() - own <= MOST_KEPT)


class _Child:
    """A child process, from its parent's side."""

    def __init__(self, module: str) -> None:
        self._ready, self.reusable = False, False
        try:
            with interrupts.deferred():  # until it is prepared for them
                self._process = subprocess.Popen(
                    [sys.executable, *COMMAND, module],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,  # where a crashing library prints
                    env={
                        **ONE_THREAD,
                        **os.environ,
                        "PYTHONPATH": os.pathsep.join([OWN, *sys.path]),
                    },
                )
        except OSError as error:
            raise RealartError(f"{_NOT_STARTED} ({error.strerror}): {_FREE}") from error

    def is_alive(self) -> bool:
        return self._process.poll() is None

    def answer(
        self, limits: Limits, function: Callable[..., Any], arguments: tuple[Any, ...]
    ) -> tuple[bool, Any]:
        """Return whether a call succeeded, and its result or its error."""
        assert self._process.stdin
        assert self._process.stdout
        try:
            if not self._ready:
                self._ready = pickle.load(self._process.stdout) == "ready"
            with suppress(BrokenPipeError):  # its answer may still say why it ended
                _send(self._process.stdin, limits)
                _send(self._process.stdin, (function, arguments))
            succeeded, result = pickle.load(self._process.stdout)
            self.reusable = pickle.load(self._process.stdout)
        except (EOFError, pickle.UnpicklingError) as error:
            raise self._error(limits) from error
        return succeeded, result

    def end(self) -> None:
        self._process.kill()
        with suppress(BrokenPipeError):  # of a call that it did not read
            self._process.communicate()

    def _error(self, limits: Limits) -> Exception:
        """Return why the process ended."""
        code = self._process.wait()
        if not self._ready:
            return RealartError(f"{_NOT_STARTED} (code {code}): {_FREE}")
        if code == -signal.SIGXCPU:
            return LimitError(f"took more than {limits.seconds} s of processor time")
        if code == OUT_OF_MEMORY:
            return LimitError(f"ran out of memory (at most {limits.memory >> 20} MiB)")
        if code == -signal.SIGKILL:
            return LimitError("was killed, perhaps because memory ran out")
        return CrashError(f"crashed ({signal.Signals(-code).name if code < 0 else f'code {code}'})")


_NOT_STARTED = "a process to read pictures in could not be started"
_FREE = "free memory, or raise the limits on memory and processes (ulimit -a)"

_idle: deque[_Child] = deque()
os.register_at_fork(after_in_child=_idle.clear)  # they are the parent's
atexit.register(end_idle)


def _take_idle() -> _Child | None:
    with suppress(IndexError):
        while True:
            child = _idle.pop()
            if child.is_alive():
                return child
            child.end()
    return None


def _send(pipe: IO[bytes], message: Any) -> None:
    pickle.dump(message, pipe, pickle.HIGHEST_PROTOCOL)
    pipe.flush()


def _answer_call(calls: IO[bytes], results: IO[bytes]) -> None:
    before = _data_size()
    limits: Limits = pickle.load(calls)
    _limit(resource.RLIMIT_CPU, math.ceil(time.process_time()) + limits.seconds)
    _limit(resource.RLIMIT_DATA, before + limits.memory)
    function, arguments = pickle.load(calls)
    try:
        answer = True, function(*arguments)
    except MemoryError:
        raise
    except Exception as error:
        answer = False, _picklable(_with_traceback(error))
    _send(results, answer)


def _with_traceback(error: Exception) -> Exception:
    """Return an error with its traceback as a note."""
    error.add_note("".join(traceback.format_exception(error)))
    return error.with_traceback(None)  # its frames would keep the arguments


def _picklable(error: Exception) -> Exception:
    """Return an error, or a `CrashError` that names it where it can't be pickled."""
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return CrashError(f"raised {type(error).__name__} ({error})")
    return error


def _data_size() -> int:
    """Return the size of this process's data in bytes: what `RLIMIT_DATA` limits."""
    return int(STATM.read_text().split()[5]) * resource.getpagesize() if STATM.exists() else 0


def _limit(kind: int, value: int) -> None:
    """Set a limit of this process, unless it has a lower one that it may not raise."""
    _, hard = resource.getrlimit(kind)
    resource.setrlimit(kind, (value if hard == resource.RLIM_INFINITY else min(value, hard), hard))


def _end_with_parent(calls: int) -> None:
    """End this process as soon as nobody can write to the pipe `calls` any more."""
    poll = select.poll()
    poll.register(calls, 0)
    poll.poll()
    os._exit(0)
