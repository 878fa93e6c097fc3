"""What scores are worth on each of several sets, and in the mean over sets."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from realart.core import tables
from realart.metrics import classification
from realart.metrics.classification import Figures


def by_set(scored: pd.DataFrame) -> dict[str, Any]:
    """Return the figures of each set, below `sets`, and their mean over sets, with 95 % intervals.

    Every set counts the same in the mean, and scores of different sets are never put in one order:
    what a set is called on the whole does not matter for its AUC.

    Parameters
    ----------
    scored
        Columns `tables.JUDGED`.
    """
    sets = {str(name): _figures(own) for name, own in scored.groupby("set")}
    return {**mean(sets), "sets": sets}


def mean(sets: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return the mean of figures of different sets, and its intervals.

    How far a bound of the mean is away follows from the bounds of the figures by the method of
    variance estimates recovery (Zou and Donner, "Construction of confidence limits about effect
    measures: a general approach", 2008). That is how well these sets are known: what another set
    would give, so few of them do not tell.
    """
    every = list(sets.values())
    figures: Figures = {
        name: float(np.mean([one[name] for one in every]))
        for name in every[0]
        if name not in ("intervals", "pictures", "ai")
    }
    return {
        **figures,
        "pictures": sum(one["pictures"] for one in every),
        "intervals": {
            name: {
                side: figures[name] + sign * _distance(every, name, side) / len(every)
                for side, sign in (("low", -1), ("high", 1))
            }
            for name in every[0]["intervals"]
        },
    }


def _distance(every: list[Mapping[str, Any]], name: str, side: str) -> float:
    return float(np.linalg.norm([one[name] - one["intervals"][name][side] for one in every]))


def _figures(own: pd.DataFrame) -> dict[str, Any]:
    labels, scores = tables.is_ai(own["label"]), own["score"].to_numpy()
    found = classification.with_intervals(labels, scores, own["group"])
    return {
        **classification.figures(labels, scores),
        "intervals": {name: {"low": one.low, "high": one.high} for name, one in found.items()},
        "pictures": len(own),
        "ai": int(labels.sum()),
    }
