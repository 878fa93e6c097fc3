"""Per-picture work on all cores, in order, with a progress bar and its rate."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import TypeVar

import joblib
from tqdm import tqdm

from realart.errors import RealartError

Item = TypeVar("Item")
Result = TypeVar("Result")


def each(
    function: Callable[[Item], Result],
    items: Sequence[Item],
    title: str,
    unit: str = "picture",
    threads: bool = False,
) -> Iterator[Result]:
    """Yield `function(item)` for every item, in the order of `items`.

    Processes by default, or whatever joblib backend is active; `threads` is for functions that
    release the interpreter lock.

    Raises
    ------
    RealartError
        A process was killed, most often because memory ran out.
    """
    pool = joblib.Parallel(n_jobs=-1, return_as="generator", prefer="threads" if threads else None)
    results: Iterable[Result] = pool(joblib.delayed(function)(item) for item in items)
    try:
        yield from tqdm(results, title, total=len(items), unit=f" {unit}s", disable=None)
    except BrokenProcessPool as error:
        raise RealartError(
            f"a process of '{title}' was killed, perhaps because memory ran out: free some, or run "
            "with fewer (LOKY_MAX_CPU_COUNT=1)"
        ) from error


def batches(
    function: Callable[[Item], Result],
    items: Sequence[Item],
    size: int,
    title: str,
    unit: str = "picture",
) -> Iterator[list[Result]]:
    """Yield the results of `size` items at a time, in order, for what can't keep up with `each`.

    No batch is begun before it is asked for, so memory stays flat however slow its use is.
    """
    bar = tqdm(None, title, len(items), unit=f" {unit}s", disable=None)
    with ThreadPoolExecutor() as pool, bar:
        for start in range(0, len(items), size):
            batch = list(pool.map(function, items[start : start + size]))
            yield batch
            bar.update(len(batch))
