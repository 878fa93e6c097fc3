"""Work on all cores: in order, with errors that come through."""

import operator
import os
import signal
import time

import joblib
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from realart.core.errors import RealartError
from realart.core.parallel import each


@settings(max_examples=15)  # each starts processes
@given(st.lists(st.integers(), max_size=30))
def test_results_come_in_the_order_of_the_items(items: list[int]) -> None:
    assert list(each(operator.neg, items, "negate")) == [-item for item in items]


def test_processes_are_others_than_this_one() -> None:
    results = list(each(lambda item: (item, os.getpid()), range(20), "work"))
    assert [item for item, _ in results] == list(range(20))
    assert os.getpid() not in {process for _, process in results}


def test_another_engine_can_stand_behind_it() -> None:
    with joblib.parallel_config(backend="sequential"):
        assert set(each(lambda _: os.getpid(), range(3), "work")) == {os.getpid()}


def test_an_error_in_the_work_ends_it() -> None:
    def fail(item: int) -> None:
        raise RealartError(f"item {item}\nis bad")

    with pytest.raises(RealartError, match=r"^item 7 is bad$"):
        list(each(fail, [7], "work"))


def test_a_process_that_was_killed_is_one_line() -> None:
    def die(item: int) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    with pytest.raises(
        RealartError, match="a process of 'work' was killed, perhaps because memory"
    ):
        list(each(die, [1], "work"))


_held: list[bytes] = []


def light(number: int) -> int:
    return number


def heavy(number: int) -> int:
    """Take memory for good, as a model does that is loaded once in each process."""
    if not _held:
        _held.append(b"1" * (350 << 20))
    time.sleep(0.2)  # joblib looks at a process once a second
    return number


def test_work_that_takes_more_memory_than_the_work_before_stops_no_process(
    recwarn: pytest.WarningsRecorder,
) -> None:
    for work in (light, heavy):
        assert list(each(work, range(20), "test")) == [*range(20)]
    assert not [warning for warning in recwarn if "worker stopped" in str(warning.message)]
