"""Words for metrics: an estimate with its interval, and warnings."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from realart.metrics.intervals import Estimate

MIN_PREDICTED = 0.1
"""Predictions of a class, per picture of it, up to which the other class counts as the only one."""
INTERVALS = (
    "Intervals are 95 %: Wilson's, which counts each picture, for accuracy, recall, precision and "
    "false positive rate; a bootstrap over groups of near-duplicates for AUC and average precision"
)
"""Which interval belongs to which metric."""


def estimate(name: str, figures: Mapping[Any, Any] | pd.Series) -> Estimate:
    """Return a metric with its 95 % interval, from either form in which files hold them.

    Parameters
    ----------
    name
        Of a metric that has an interval.
    figures
        Metrics by name, and `intervals` with `low` and `high` of each; or a row of a table, with
        the columns `<name>_low` and `<name>_high`.

    Examples
    --------
    >>> print(estimate("auc", {"auc": 0.9, "intervals": {"auc": {"low": 0.85, "high": 0.94}}}))
    0.900 [0.850, 0.940]
    >>> print(estimate("auc", {"auc": 0.9, "auc_low": 0.85, "auc_high": 0.94}))
    0.900 [0.850, 0.940]
    """
    if "intervals" in figures:
        return Estimate(figures[name], **figures["intervals"][name])
    return Estimate(*(float(figures[f"{name}{end}"]) for end in ("", "_low", "_high")))


def format_figure(name: str, figures: Mapping[Any, Any] | pd.Series) -> str:
    """Format the `estimate` of a metric as `0.900 [0.850, 0.940]`."""
    return str(estimate(name, figures))


def one_class_warning(figures: Mapping[str, Any]) -> str:
    """Return a warning if (nearly) all pictures are classified as one class but are not all of it.

    Nearly all: the other class is predicted at most `MIN_PREDICTED` times as often as it occurs,
    which does not depend on how frequent the classes are. Otherwise the warning is empty.

    Parameters
    ----------
    figures
        `confusion` in it has the counts tn, fp, fn and tp.
    """
    tn, fp, fn, tp = (figures["confusion"][name] for name in ("tn", "fp", "fn", "tp"))
    pictures = tn + fp + fn + tp
    for name, others, others_predicted in (("ai", tn + fp, tn + fn), ("human", tp + fn, tp + fp)):
        if others and others_predicted <= MIN_PREDICTED * others:
            share = "nearly all" if others_predicted else "all"
            return (
                f"{share} pictures are classified as {name} ({pictures - others_predicted} of "
                f"{pictures}; {pictures - others} are {name})"
            )
    return ""


def one_class_warnings(report: Mapping[str, Any]) -> list[str]:
    """Return the warnings of `one_class_warning` for the test part and out-of-fold scores.

    `report` is what evaluation.json holds: `test` and `oof` have a `confusion` each.
    """
    parts = {"on the test part": "test", "out of fold": "oof"}
    warnings = {name: one_class_warning(report[part]) for name, part in parts.items()}
    return [f"{name} {warning}" for name, warning in warnings.items() if warning]
