"""The parallel map: results in order, and errors of the work."""

import operator
import os
import signal
import time
from collections.abc import Iterator

import joblib
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from realart.core.errors import RealartError
from realart.core.parallel import map_parallel

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True, scope="module")
def _processes() -> Iterator[None]:
    with joblib.parallel_config("loky"):
        yield


@settings(max_examples=8)  # each starts processes
@given(st.lists(st.integers(), max_size=30))
def test_results_come_in_the_order_of_the_items(items: list[int]) -> None:
    assert list(map_parallel(operator.neg, items, "negate")) == [-item for item in items]


def test_processes_are_others_than_this_one() -> None:
    results = list(map_parallel(lambda item: (item, os.getpid()), range(20), "work"))
    assert [item for item, _ in results] == list(range(20))
    assert os.getpid() not in {process for _, process in results}


def test_another_joblib_backend_can_be_configured() -> None:
    with joblib.parallel_config(backend="sequential"):
        assert set(map_parallel(lambda _: os.getpid(), range(3), "work")) == {os.getpid()}


def test_an_error_in_the_work_ends_it() -> None:
    def fail(item: int) -> None:
        raise RealartError(f"item {item}\nis bad")

    with pytest.raises(RealartError, match=r"^item 7 is bad$"):
        list(map_parallel(fail, [7], "work"))


def test_a_process_that_was_killed_is_one_line() -> None:
    def die(item: int) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    with pytest.raises(
        RealartError, match="a process of 'work' was killed, perhaps because memory"
    ):
        list(map_parallel(die, [1], "work"))


_held: list[bytes] = []


def light(number: int) -> int:
    return number


def heavy(number: int) -> int:
    """Take memory for good, as a model does that is loaded once in each process."""
    if not _held:
        _held.append(b"1" * (350 << 20))
    time.sleep(0.2)  # joblib looks at a process once a second
    return number


def test_growing_memory_stops_no_process(
    recwarn: pytest.WarningsRecorder,
) -> None:
    for work in (light, heavy):
        assert list(map_parallel(work, range(20), "test")) == [*range(20)]
    assert not [warning for warning in recwarn if "worker stopped" in str(warning.message)]
