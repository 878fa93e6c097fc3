"""Per-picture work on all cores, in order, with a progress bar and its rate.

Cores of this machine, by joblib's processes; or of a Dask cluster (`realart.core.dask_cluster`),
where `DASK_SCHEDULER_ADDRESS` names one. What comes out is the same.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from typing import TypeVar

import joblib
from joblib.externals.loky import get_reusable_executor
from tqdm import tqdm

from realart.core import dask_cluster
from realart.core.errors import RealartError

Item = TypeVar("Item")
Result = TypeVar("Result")


def each(
    function: Callable[[Item], Result], items: Sequence[Item], title: str, unit: str = "picture"
) -> Iterator[Result]:
    """Yield `function(item)` for every item, in the order of `items`.

    Raises
    ------
    RealartError
        A process was killed, most often because memory ran out, or as `dask_cluster.each`.
    """
    work = dask_cluster.each if dask_cluster.address() else _each_here
    results = work(function, items, title)
    yield from tqdm(results, title, total=len(items), unit=f" {unit}s", disable=None)


def _each_here(
    function: Callable[[Item], Result], items: Sequence[Item], title: str
) -> Iterator[Result]:
    pool = joblib.Parallel(n_jobs=-1, return_as="generator")
    try:
        yield from pool(joblib.delayed(function)(item) for item in items)
    except BrokenProcessPool as error:
        raise RealartError(
            f"a process of '{title}' was killed, perhaps because memory ran out: free some, or run "
            "with fewer (LOKY_MAX_CPU_COUNT=1)"
        ) from error
    finally:
        # joblib would keep its processes for the next work, and ends one that then grows by 300 MB
        # (as by loading a model): it takes that for a leak, and warns.
        get_reusable_executor().shutdown(wait=True)


def batches(
    function: Callable[[Item], Result],
    items: Sequence[Item],
    size: int,
    title: str,
    unit: str = "picture",
) -> Iterator[list[Result]]:
    """Yield the results of `size` items at a time, in order, for what can't keep up with `each`.

    Here that is done by threads. No batch is begun before it is asked for, or on a cluster only a
    few, so memory stays flat however slow its use is.
    """
    if dask_cluster.address():
        results = each(function, items, title, unit)
        while batch := list(islice(results, size)):
            yield batch
        return
    bar = tqdm(None, title, len(items), unit=f" {unit}s", disable=None)
    with ThreadPoolExecutor() as pool, bar:
        for start in range(0, len(items), size):
            batch = list(pool.map(function, items[start : start + size]))
            yield batch
            bar.update(len(batch))
