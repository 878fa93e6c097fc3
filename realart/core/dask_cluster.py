"""A Dask cluster that works for `realart.core.parallel`, where `DASK_SCHEDULER_ADDRESS` names one.

Its workers share the project's folder, and run the project's code: one task each, so that what is
kept open or loaded belongs to one project at a time.
"""

import os
import platform
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Generic, TypeVar

from realart.core.errors import RealartError

Item = TypeVar("Item")
Result = TypeVar("Result")

ADDRESS = "DASK_SCHEDULER_ADDRESS"
PACKAGES = ("numpy", "opencv-python-headless", "openvino", "pillow", "scikit-learn", "scipy")
"""What bytes depend on, besides our own code."""
AHEAD = 3
"""Tasks that a worker is given before the first is done: one in work, the next already there."""
PATIENCE = 10
"""Seconds for a scheduler to answer, or for it to have a worker."""
LARGEST = 16
"""Items of a task: a scheduler takes a millisecond for each task, and memory grows with it."""


def address() -> str | None:
    """Return where the scheduler is, or None where all work is done on this machine."""
    return os.environ.get(ADDRESS) or None


def each(function: Callable[[Item], Result], items: Sequence[Item], title: str) -> Iterator[Result]:
    """Yield `function(item)` for every item, in their order, as the workers say it.

    A worker that is killed costs its tasks, which others do again. Only a few tasks a worker are
    under way, so nothing piles up, however many items there are.

    Raises
    ------
    RealartError
        The scheduler can't be reached or goes away, it has no worker, a worker has other code than
        this process or does not see its folder, or several were killed by one task.
    """
    from distributed import KilledWorker
    from distributed.client import FutureCancelledError

    client = connected(str(address()))
    workers = _workers(client)
    size = max(1, min(LARGEST, len(items) // (workers * AHEAD)))
    task = _Task(function, str(Path.cwd()), signature())
    waiting: deque[Any] = deque()
    try:
        for start in range(0, len(items), size):
            waiting.append(client.submit(task, items[start : start + size], pure=False))
            if len(waiting) >= workers * AHEAD:
                yield from _result(client, waiting.popleft())
        while waiting:
            yield from _result(client, waiting.popleft())
    except KilledWorker as error:
        raise RealartError(
            f"several workers were killed by one task of '{title}', perhaps because memory ran "
            "out: give each more of it (dask worker --memory-limit)"
        ) from error
    except FutureCancelledError as error:
        raise RealartError(
            f"the Dask scheduler at {address()} went away during '{title}': start it and its "
            f"workers, and run again; or unset {ADDRESS} to work on this machine alone"
        ) from error
    finally:
        client.cancel(list(waiting))


@lru_cache(maxsize=1)
def signature() -> dict[str, str]:
    """Return what bytes depend on, as this process has loaded it: names and versions."""
    code = sha256()
    for file in sorted(Path(__file__).parents[1].rglob("*.py")):
        code.update(file.read_bytes())
    versions = {name: version(name) for name in PACKAGES}
    return {"Python": platform.python_version(), "realart": code.hexdigest()[:12], **versions}


@dataclass(frozen=True)
class _Task(Generic[Item, Result]):
    """A function as a worker does it: in the project's folder, by the same code."""

    function: Callable[[Item], Result]
    folder: str
    signature: dict[str, str]

    def __call__(self, items: Sequence[Item]) -> list[Result]:
        self._require_same()
        os.chdir(self.folder)
        return [self.function(item) for item in items]

    def _require_same(self) -> None:
        from distributed import get_worker

        worker = get_worker()
        for name, expected in self.signature.items():
            if (found := signature()[name]) != expected:
                raise RealartError(
                    f"the Dask worker at {worker.address} has {name} {found}, this process "
                    f"{expected}: start it again in the same environment"
                )
        if worker.state.nthreads != 1:
            raise RealartError(
                f"the Dask worker at {worker.address} has {worker.state.nthreads} threads: start "
                "it with --nthreads 1, and more of them with --nworkers"
            )
        if not Path(self.folder).is_dir():
            raise RealartError(
                f"the Dask worker at {worker.address} has no folder {self.folder}: keep the "
                "project on storage that all workers share, under one path"
            )


def _workers(client: Any) -> int:
    """Return how many workers there are, once there are some: killed ones may be starting again."""
    try:
        client.wait_for_workers(1, timeout=PATIENCE)
    except TimeoutError as error:
        where = client.scheduler.address
        raise RealartError(
            f"the Dask scheduler at {where} has no worker: start some with `dask worker {where} "
            "--nworkers auto --nthreads 1` in the project's environment"
        ) from error
    return len(client.ncores())


def _result(client: Any, future: Any) -> Any:
    while True:
        try:
            return future.result(timeout=PATIENCE)
        except TimeoutError:
            if future.done():  # just now, or it is an error of the work
                return future.result()
            _workers(client)


@lru_cache(maxsize=1)
def connected(where: str) -> Any:
    """Return the client of the scheduler at `where`, one in each process, or raise as `each`."""
    if not find_spec("distributed"):
        raise RealartError(
            f"{ADDRESS} is set, and Dask is not installed: run `make install`, or unset it"
        )
    from distributed import Client

    try:
        return Client(where, set_as_default=False, timeout=PATIENCE)
    except (OSError, ValueError) as error:
        raise RealartError(
            f"no Dask scheduler answers at {where} ({str(error).splitlines()[0]}): start one with "
            f"`dask scheduler`, or unset {ADDRESS} to work on this machine alone"
        ) from error
