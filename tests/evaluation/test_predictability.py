"""Words for an AUC follow both bounds of its interval."""

import math

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from realart.evaluation.predictability import LEVELS, describe, describe_baseline
from realart.metrics.intervals import Estimate

BOUNDS = st.tuples(*[st.floats(0, 1)] * 3).map(sorted).map(lambda b: Estimate(b[1], b[0], b[2]))


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        (0.45, 0.55, "the label is hardly predictable"),
        (0.48, 0.60, "the label is hardly to weakly predictable"),
        (0.60, 0.68, "the label is weakly predictable"),
        (0.66, 0.74, "the label is weakly to largely predictable"),
        (0.97, 1.00, "the label is almost fully predictable"),
        (0.54, 0.97, "there are too few pictures to tell: anything from hardly to almost fully "
         "predictable"),
        (0.50, 0.71, "there are too few pictures to tell: anything from hardly to largely "
         "predictable"),
        (math.nan, math.nan, "there are too few pictures to tell: anything from hardly to almost "
         "fully predictable"),
    ],
)  # fmt: skip
def test_degrees_of_both_bounds_are_named(low: float, high: float, words: str) -> None:
    assert describe(Estimate((low + high) / 2, low, high)) == words


@given(BOUNDS)
def test_a_wide_interval_gets_no_verdict(auc: Estimate) -> None:
    words = describe(auc)
    if auc.high - auc.low > 0.35:  # wider than any two neighbouring degrees between .55 and 1
        assert words.startswith("there are too few pictures to tell") or auc.high <= 0.7
    if words == "the label is hardly predictable":
        assert auc.high <= LEVELS["hardly"]


@given(BOUNDS, st.floats(0, 1))
def test_a_lower_bound_never_raises_the_words(auc: Estimate, low: float) -> None:
    """Knowing less at the lower end names a degree at most as high first."""
    names = list(LEVELS)

    def first(words: str) -> int:
        return min(names.index(name) for name in names if name in words)

    wider = Estimate(auc.value, min(low, auc.low), auc.high)
    assert first(describe(wider)) <= first(describe(auc))


def test_a_baseline_is_named_with_its_interval() -> None:
    row = pd.Series(
        {"scope": "colour", "name": "mean colour", "auc": 0.86, "auc_low": 0.54, "auc_high": 0.97}
    )
    words = describe_baseline(row)
    assert words.startswith("there are too few pictures to tell")
    assert words.endswith("mean colour (colour), AUC 0.860 [0.540, 0.970]")
