"""Metrics of each of several sets, and their mean over sets."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from realart.core import tables
from realart.metrics import classification
from realart.metrics.classification import Figures


def evaluate_by_set(scored: pd.DataFrame) -> dict[str, Any]:
    """Compute the metrics of each set and their mean over sets, with 95 % intervals.

    Each set has the same weight in the mean, whatever its size. Scores of different sets are never
    ranked together, so a set whose scores are higher on the whole does not affect any AUC.

    Parameters
    ----------
    scored
        Columns `tables.PREDICTIONS`.

    Returns
    -------
    dict
        What `mean_over_sets` returns, and `sets`: for each set by name the metrics of
        `classification.figures`, `intervals` (`low` and `high` by metric), `pictures` and `ai`
        (counts).
    """
    sets = {str(name): _set_figures(rows) for name, rows in scored.groupby("set")}
    return {**mean_over_sets(sets), "sets": sets}


def mean_over_sets(sets: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Compute the mean of each metric over sets, and its 95 % interval.

    The interval combines those of the sets by the method of variance estimates recovery (Zou and
    Donner, "Construction of confidence limits about effect measures: a general approach", 2008). It
    covers how uncertain the metrics of these sets are, not how much another set would differ.

    Parameters
    ----------
    sets
        By name, metrics, their `intervals`, and the number of `pictures`.

    Returns
    -------
    dict
        The mean of each metric, `intervals` of the means, and the sum of `pictures`.
    """
    every = list(sets.values())
    figures: Figures = {
        name: float(np.mean([of_set[name] for of_set in every]))
        for name in every[0]
        if name not in ("intervals", "pictures", "ai")
    }
    return {
        **figures,
        "pictures": sum(of_set["pictures"] for of_set in every),
        "intervals": {
            name: {
                side: figures[name] + sign * _distance(every, name, side) / len(every)
                for side, sign in (("low", -1), ("high", 1))
            }
            for name in every[0]["intervals"]
        },
    }


def _distance(every: Sequence[Mapping[str, Any]], name: str, side: str) -> float:
    """Return the root of the sum of squared distances between a metric and its bound on a side."""
    return float(
        np.linalg.norm([of_set[name] - of_set["intervals"][name][side] for of_set in every])
    )


def _set_figures(rows: pd.DataFrame) -> dict[str, Any]:
    labels, scores = tables.is_ai(rows["label"]), rows["score"].to_numpy()
    estimates = classification.with_intervals(labels, scores, rows["group"])
    return {
        **classification.figures(labels, scores),
        "intervals": {
            name: {"low": estimate.low, "high": estimate.high}
            for name, estimate in estimates.items()
        },
        "pictures": len(rows),
        "ai": int(labels.sum()),
    }
