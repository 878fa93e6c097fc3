"""Check a run against the goals of params.yaml, against chance and the shortcut baseline.

Goals are checked on the test part. AUCs are compared out of fold, on some ten times as many
pictures: where a small test part has few pictures of a class, the bootstrap knows too little.
"""

import math
from collections.abc import Mapping
from typing import Any

from realart.metrics.classification import Figures
from realart.metrics.intervals import Estimate
from realart.metrics.text import format_figure
from realart.params import Goals

CHANCE = 0.5
"""AUC of a random ranking."""
AT_MOST = ("false_positive_rate", "brier", "ece", "loss")
"""Metrics that are better the lower they are; a goal is their upper bound."""


def unmet(report: Mapping[str, Any], goals: Goals) -> dict[str, str]:
    """Return for each goal by how much it is missed, in words; an empty string where it is met.

    Parameters
    ----------
    report
        What evaluation.json holds.
    goals
        Bounds of metrics of the test part.

    Returns
    -------
    dict
        By the names of goals that are set, `cases` only where there are some, then `above_chance`
        and `above_floor`: whether the out-of-fold AUC is above `CHANCE` and above that of the
        shortcut baseline, each with the lower bound of its 95 % interval.
    """
    reasons = {}
    for name, goal in goals.model_dump(exclude_none=True, exclude={"cases"}).items():
        value = report["test"].get(name, math.nan)
        met, beyond = (value <= goal, "above") if name in AT_MOST else (value >= goal, "below")
        reason = f"{name} {value:.3f} is {beyond} {goal:g}{_doubt(report['test'], name, goal)}"
        if math.isnan(value):  # reports of older releases lack newer metrics
            reason = f"there is no {name}"
        reasons[name] = "" if met else reason
    if goals.cases and report.get("cases"):
        wrong = [
            f"{path} ({case['score']:.3f})"
            for path, case in report["cases"].items()
            if not case["right"]
        ]
        of_all = f"{len(wrong)} of {len(report['cases'])} cases"
        reasons["cases"] = f"{of_all} are misclassified: {', '.join(wrong)}" if wrong else ""
    above_chance = report["oof"]["intervals"]["auc"]["low"] > CHANCE
    reason = f"AUC {format_figure('auc', report['oof'])} out of fold is not above {CHANCE:g}"
    reasons["above_chance"] = "" if above_chance else reason
    more = report.get("gain") or _unpaired_gain(report)
    difference = Estimate(more["auc"], more["low"], more["high"])
    reason = f"AUC gain over the shortcut baseline, {difference:+.3f}, is not above 0"
    reasons["above_floor"] = "" if more["low"] > 0 else reason
    return reasons


def summary(report: Mapping[str, Any], goals: Goals) -> str:
    """Return `goals met`, or `goals missed: ` and how; the parameters are what `unmet` takes."""
    missed = ", ".join(filter(None, unmet(report, goals).values()))
    return f"goals missed: {missed}" if missed else "goals met"


def _doubt(test: Mapping[str, Any], name: str, goal: float) -> str:
    """Return the remark that the 95 % interval of a metric contains its goal; "" if it does not."""
    bounds = test["intervals"].get(name)
    if not bounds or not bounds["low"] <= goal <= bounds["high"]:
        return ""
    return f", which may be chance (its interval: {bounds['low']:.3f} to {bounds['high']:.3f})"


def _unpaired_gain(report: Mapping[str, Any]) -> Figures:
    """Compute the AUC gain from a report of an older release, which has no baseline scores."""
    baseline, bounds = report["floor"]["oof"]["auc"], report["oof"]["intervals"]["auc"]
    values = {"auc": report["oof"]["auc"], **bounds}
    return {name: value - baseline for name, value in values.items()}
