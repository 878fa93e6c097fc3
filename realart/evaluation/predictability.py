"""Words for how well the label can be predicted, by both bounds of an interval."""

import math

import pandas as pd

from realart.metrics import text
from realart.metrics.intervals import Estimate

LEVELS = {"hardly": 0.55, "weakly": 0.7, "largely": 0.9, "almost fully": math.inf}
"""Degrees to which the label is predictable, and the AUC up to which each reaches."""


def describe(auc: Estimate) -> str:
    """Describe how predictable the label is, as a clause.

    The degree of either bound is named. Where these are neither the same nor neighbours, the
    interval is too wide for a judgement, whatever the AUC is.

    Examples
    --------
    >>> describe(Estimate(0.98, 0.96, 0.99))
    'the label is almost fully predictable'
    >>> describe(Estimate(0.67, 0.63, 0.71))
    'the label is weakly to largely predictable'
    >>> describe(Estimate(0.86, 0.54, 0.97))
    'there are too few pictures to tell: anything from hardly to almost fully predictable'
    """
    known = not math.isnan(auc.low + auc.high)
    low, high = (_level(bound) for bound in ((auc.low, auc.high) if known else (0.0, 1.0)))
    names = list(LEVELS)
    if high - low > 1:
        return (
            f"there are too few pictures to tell: anything from {names[low]} to {names[high]} "
            "predictable"
        )
    degree = names[low] if low == high else f"{names[low]} to {names[high]}"
    return f"the label is {degree} predictable"


def describe_baseline(row: pd.Series) -> str:
    """Describe a row of the table that `shortcuts.evaluate_candidates` returns, as a clause."""
    auc = text.estimate("auc", row)
    return (
        f"{describe(auc)} from shortcuts; the best shortcut baseline is {row['name']} "
        f"({row['scope']}), AUC {auc}"
    )


def _level(auc: float) -> int:
    """Return the number of the degree of an AUC."""
    return next(i for i, most in enumerate(LEVELS.values()) if auc <= most)
