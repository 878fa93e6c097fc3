"""The parallel map: a function applied to many items on all cores, with a progress bar.

The cores are those of this machine, by joblib's processes, or those of a Dask cluster where
`DASK_SCHEDULER_ADDRESS` names one (`realart.core.dask_cluster`). Results are the same.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from multiprocessing import resource_tracker

import joblib
from joblib.externals.loky import get_reusable_executor
from tqdm import tqdm

from realart.core import dask_cluster, interrupts, isolation
from realart.core.dask_cluster import Item, Result
from realart.core.errors import RealartError


def map_parallel(
    function: Callable[[Item], Result], items: Sequence[Item], title: str, unit: str = "picture"
) -> Iterator[Result]:
    """Yield `function(item)` for every item, in the order of `items`.

    Parameters
    ----------
    function
        Called in other processes: it, its arguments and its results must be picklable.
    items
        The arguments, one a call.
    title, unit
        Of the progress bar; `unit` is the singular.

    Raises
    ------
    RealartError
        A process was killed, most often because memory ran out; or as
        `dask_cluster.map_on_cluster`.
    """
    return _map(_map_processes, function, items, title, unit)


def map_isolated(
    function: Callable[[Item], Result], items: Sequence[Item], title: str, unit: str = "picture"
) -> Iterator[Result]:
    """Yield `function(item)` as `map_parallel` does, where `function` itself uses `isolation`.

    On this machine threads call it, since its work is done in processes of their own.
    """
    return _map(_map_threads, function, items, title, unit)


def _map(
    map_local: Callable[[Callable[[Item], Result], Sequence[Item], str], Iterator[Result]],
    function: Callable[[Item], Result],
    items: Sequence[Item],
    title: str,
    unit: str,
) -> Iterator[Result]:
    map_items = dask_cluster.map_on_cluster if dask_cluster.address() else map_local
    results = map_items(function, items, title)
    yield from tqdm(results, title, total=len(items), unit=f" {unit}s", disable=None)


def _map_threads(
    function: Callable[[Item], Result], items: Sequence[Item], title: str
) -> Iterator[Result]:
    pool = joblib.Parallel(n_jobs=-1, require="sharedmem", return_as="generator")
    try:
        yield from pool(joblib.delayed(function)(item) for item in items)
    finally:
        if joblib.effective_n_jobs() > 1:  # one may serve the next call, many take memory
            isolation.end_idle()


def _map_processes(
    function: Callable[[Item], Result], items: Sequence[Item], title: str
) -> Iterator[Result]:
    pool = joblib.Parallel(n_jobs=-1, return_as="generator")
    try:
        resource_tracker.ensure_running()  # else it would do so below, and unblock interrupts
        with interrupts.deferred():  # the processes are started now, and ended by this one
            results = pool(joblib.delayed(function)(item) for item in items)
        yield from results
    except BrokenProcessPool as error:
        raise RealartError(
            f"a process of '{title}' was killed, perhaps because memory ran out: free some, or run "
            "with fewer (LOKY_MAX_CPU_COUNT=1)"
        ) from error
    finally:
        # joblib would keep its processes for the next call, and ends one that then grows by 300 MB
        # (as by loading a model): it takes that for a leak, and warns.
        if joblib.effective_n_jobs() > 1:  # to ask for an executor starts one, and a process
            get_reusable_executor().shutdown(wait=True)


def batches(
    function: Callable[[Item], Result],
    items: Sequence[Item],
    size: int,
    title: str,
    unit: str = "picture",
) -> Iterator[list[Result]]:
    """Yield lists of the results of `size` items, in order; the last may be shorter.

    On this machine threads compute a batch when the caller takes it, on a cluster a few are
    computed ahead: memory stays flat however slow the caller is.
    """
    if dask_cluster.address():
        results = map_parallel(function, items, title, unit)
        while batch := list(islice(results, size)):
            yield batch
        return
    bar = tqdm(None, title, len(items), unit=f" {unit}s", disable=None)
    with ThreadPoolExecutor() as pool, bar:
        for start in range(0, len(items), size):
            batch = list(pool.map(function, items[start : start + size]))
            yield batch
            bar.update(len(batch))
