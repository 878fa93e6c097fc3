"""Whether a run is good enough: the goals of params.yaml, and an order better than two others.

Goals are of the test part. AUCs are judged out of fold, on some ten times as many pictures: of a
small class in a small test part the bootstrap knows too little.
"""

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from realart.core import tables
from realart.metrics import intervals
from realart.metrics.classification import Figures
from realart.metrics.thresholds import figure
from realart.params import Goals

CHANCE = 0.5
"""The AUC of an order by chance."""
AT_MOST = ("false_positive_rate", "brier", "ece", "loss")
"""Figures that are the better the lower they are."""


def gain(scores: pd.DataFrame, floor: pd.DataFrame) -> Figures:
    """Return by how much the AUC out of fold is above that of the floor, with its 95 % interval.

    Both on the pictures that the floor has scored, in the same resamples of groups.

    Parameters
    ----------
    scores, floor
        Columns `tables.JUDGED`, of part `oof`; `floor` is metrics/audit/floor.csv.
    """
    both = scores.merge(floor[["row", "score"]], on="row", suffixes=("", "_floor"))
    found = intervals.of_gain(
        tables.is_ai(both["label"]),
        both["score_floor"].to_numpy(),
        both["score"].to_numpy(),
        both["group"],
    )
    return {"pictures": len(both), "auc": found.value, "low": found.low, "high": found.high}


def misses(report: Mapping[str, Any], goals: Goals) -> dict[str, str]:
    """Say of each goal how it is missed, in words: nothing where it is met.

    Those of params.yaml, by name, then `above_chance` and `above_floor`: whether the AUC out of
    fold is certainly (95 %) above `CHANCE`, and above the AUC without looking at the art.

    Parameters
    ----------
    report
        What metrics.json holds.
    """
    found = {}
    for name, goal in goals.model_dump(exclude_none=True).items():
        value = report["test"].get(name, math.nan)
        met, beyond = (value <= goal, "above") if name in AT_MOST else (value >= goal, "below")
        words = f"{name} {value:.3f} is {beyond} {goal:g}"
        if math.isnan(value):  # an older release did not know it
            words = f"there is no {name}"
        found[name] = "" if met else words
    above = report["oof"]["intervals"]["auc"]["low"] > CHANCE
    words = f"AUC {figure('auc', report['oof'])} out of fold is not above {CHANCE:g}"
    found["above_chance"] = "" if above else words
    more = report.get("gain") or _unpaired(report)
    difference = f"{more['auc']:+.3f} [{more['low']:+.3f}, {more['high']:+.3f}]"
    words = f"AUC less that without looking at the art, {difference}, is not above 0"
    found["above_floor"] = "" if more["low"] > 0 else words
    return found


def sentence(report: Mapping[str, Any], goals: Goals) -> str:
    """Say whether all goals are met, and which not."""
    missed = ", ".join(filter(None, misses(report, goals).values()))
    return f"goals missed: {missed}" if missed else "goals met"


def _unpaired(report: Mapping[str, Any]) -> Figures:
    """Return the gain that a report of an older release shows: its floor has no scores."""
    floor, bounds = report["floor"]["oof"]["auc"], report["oof"]["intervals"]["auc"]
    values = {"auc": report["oof"]["auc"], **bounds}
    return {name: value - floor for name, value in values.items()}
