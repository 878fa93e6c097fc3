"""The verdict on a run: is it better than the shortcut baseline, is the test part large enough?"""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from realart.evaluation import compare
from realart.metrics import text
from realart.metrics.intervals import Estimate

WIDEST = 0.2
"""Width of the interval of an accuracy from which there are too few pictures to judge by.

Recipes differ by less: an accuracy of .75 that may as well be .85 meets no goal and misses none.
"""


def gain(scores: pd.DataFrame, baseline: pd.DataFrame) -> dict[str, float]:
    """Compare the out-of-fold scores of a run with those of the shortcut baseline, paired.

    Parameters
    ----------
    scores, baseline
        Columns `tables.PREDICTIONS`, of part `oof`; `baseline` is metrics/audit/floor.csv, which
        may lack pictures.

    Returns
    -------
    dict
        pictures (how many both have scored); auc, low, high: the AUC of the run less that of the
        baseline, with its 95 % interval; accuracy and baseline_accuracy, at a threshold of 0.5, and
        p, that of McNemar's test of their difference.
    """
    (both,) = compare.compare(baseline, scores)
    assert both.decisions
    assert both.ranking
    baseline_accuracy, accuracy = both.decisions.values
    difference = both.ranking.gain
    return {
        "pictures": both.pictures,
        "auc": difference.value,
        "low": difference.low,
        "high": difference.high,
        "accuracy": accuracy,
        "baseline_accuracy": baseline_accuracy,
        "p": both.decisions.p,
    }


def caution(found: Mapping[str, float]) -> str:
    """Return what to know of a model that is not shown to be better than the shortcut baseline.

    A clause, to be shown before any of its predictions; "" if it is better. `found` is what `gain`
    returns.
    """
    if found["low"] > 0:
        return ""
    return (
        f"this model is {_conclusion(found)} the shortcut baseline (AUC gain out of fold "
        f"{_difference(found):+.3f}): what it answers may follow from how the pictures of its "
        "training were collected, not from who made them"
    )


def sentences(report: Mapping[str, Any]) -> list[str]:
    """Return the verdict as two sentences: those of `against_baseline` and `on_test_part`.

    `report` is what evaluation.json holds.
    """
    return [against_baseline(report), on_test_part(report)]


def against_baseline(report: Mapping[str, Any]) -> str:
    """Say whether the model is better than the shortcut baseline out of fold, by paired tests.

    The interval of the AUC gain decides, which no threshold moves; that of decisions is beside it.
    """
    found = report["gain"]
    doubt = "" if found["p"] < compare.SIGNIFICANCE else ", no significant difference"
    return (
        f"The model is {_conclusion(found)} the shortcut baseline: AUC out of fold "
        f"{report['oof']['auc']:.3f} against {report['floor']['oof']['auc']:.3f}, gain "
        f"{_difference(found):+.3f}; accuracy {found['accuracy']:.3f} against "
        f"{found['baseline_accuracy']:.3f} (McNemar's p = {found['p']:.2g}{doubt})."
    )


def on_test_part(report: Mapping[str, Any]) -> str:
    """Say whether the test part, or else the pictures out of fold, are enough to judge by."""
    tested, accuracy = _pictures(report["test"]), text.estimate("accuracy", report["test"])
    known = f"The test part has {tested} pictures, accuracy {accuracy}"
    if accuracy.high - accuracy.low <= WIDEST:
        return f"{known}."
    out_of_fold = text.estimate("accuracy", report["oof"])
    if out_of_fold.high - out_of_fold.low <= WIDEST:
        return f"{known}: too few to judge by, so judge by the figures out of fold."
    return (
        f"{known}, and out of fold there are {_pictures(report['oof'])}, accuracy {out_of_fold}: "
        "too few to judge by."
    )


def _conclusion(found: Mapping[str, float]) -> str:
    """Say how the model does beside the baseline, by the interval of what `gain` returns."""
    if found["low"] > 0:
        return "better than"
    return "worse than" if found["high"] < 0 else "not shown to be better than"


def _difference(found: Mapping[str, float]) -> Estimate:
    return Estimate(found["auc"], found["low"], found["high"])


def _pictures(figures: Mapping[str, Any]) -> int:
    return sum(figures["confusion"].values())
