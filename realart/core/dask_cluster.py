"""The parallel map on a Dask cluster, where `DASK_SCHEDULER_ADDRESS` names a scheduler.

Its workers share the project's folder, and run the project's code. A worker runs one task at a
time, so that open archives and loaded models belong to one project.
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
"""Packages on whose versions the bytes of outputs depend."""
TASKS_PER_WORKER = 3
"""Tasks submitted for each worker before the first is done: one runs, the next are at hand."""
TIMEOUT = 10
"""Seconds for a scheduler to answer, or for it to have a worker."""
LARGEST_TASK = 16
"""Items of a task: a scheduler takes a millisecond for each task, and memory grows with it."""


def address() -> str | None:
    """Return the address of the scheduler, or None where all work is done on this machine."""
    return os.environ.get(ADDRESS) or None


def map_on_cluster(
    function: Callable[[Item], Result], items: Sequence[Item], title: str
) -> Iterator[Result]:
    """Yield `function(item)` for every item, in the order of `items`, computed by the workers.

    Tasks of a worker that is killed are run again by others. At most `TASKS_PER_WORKER` tasks a
    worker are under way, so memory stays flat however many items there are.

    Raises
    ------
    RealartError
        The scheduler can't be reached or goes away, it has no worker, a worker has other code than
        this process or lacks the project's folder, or one task killed several workers.
    """
    from distributed import KilledWorker
    from distributed.client import FutureCancelledError

    client = get_client(str(address()))
    workers = _count_workers(client)
    size = max(1, min(LARGEST_TASK, len(items) // (workers * TASKS_PER_WORKER)))
    task = _Task(function, str(Path.cwd()), software_versions())
    pending: deque[Any] = deque()
    try:
        for start in range(0, len(items), size):
            pending.append(client.submit(task, items[start : start + size], pure=False))
            if len(pending) >= workers * TASKS_PER_WORKER:
                yield from _result(client, pending.popleft())
        while pending:
            yield from _result(client, pending.popleft())
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
        client.cancel(list(pending))


@lru_cache(maxsize=1)
def software_versions() -> dict[str, str]:
    """Return the versions that this process runs, by name: Python, this library, `PACKAGES`."""
    code = sha256()
    for file in sorted(Path(__file__).parents[1].rglob("*.py")):
        code.update(file.read_bytes())
    versions = {name: version(name) for name in PACKAGES}
    return {"Python": platform.python_version(), "realart": code.hexdigest()[:12], **versions}


@dataclass(frozen=True)
class _Task(Generic[Item, Result]):
    """A function to be run by a worker in the project's folder, by the versions of the client."""

    function: Callable[[Item], Result]
    folder: str
    versions: dict[str, str]

    def __call__(self, items: Sequence[Item]) -> list[Result]:
        self._check_worker()
        os.chdir(self.folder)
        return [self.function(item) for item in items]

    def _check_worker(self) -> None:
        from distributed import get_worker

        worker = get_worker()
        for name, expected in self.versions.items():
            if (found := software_versions()[name]) != expected:
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


def _count_workers(client: Any) -> int:
    """Return the number of workers, once there are some: killed ones may be starting again."""
    try:
        client.wait_for_workers(1, timeout=TIMEOUT)
    except TimeoutError as error:
        address = client.scheduler.address
        raise RealartError(
            f"the Dask scheduler at {address} has no worker: start some with `dask worker "
            f"{address} --nworkers auto --nthreads 1` in the project's environment"
        ) from error
    return len(client.ncores())


def _result(client: Any, future: Any) -> Any:
    while True:
        try:
            return future.result(timeout=TIMEOUT)
        except TimeoutError:
            if future.done():  # just now, or it is an error of the work
                return future.result()
            _count_workers(client)


@lru_cache(maxsize=1)
def get_client(address: str) -> Any:
    """Return this process's client of the scheduler at `address`.

    Raises
    ------
    RealartError
        Dask is not installed, or no scheduler answers.
    """
    if not find_spec("distributed"):
        raise RealartError(
            f"{ADDRESS} is set, and Dask is not installed: run `make install`, or unset it"
        )
    from distributed import Client

    try:
        return Client(address, set_as_default=False, timeout=TIMEOUT)
    except (OSError, ValueError) as error:
        raise RealartError(
            f"no Dask scheduler answers at {address} ({str(error).splitlines()[0]}): start one "
            f"with `dask scheduler`, or unset {ADDRESS} to work on this machine alone"
        ) from error
