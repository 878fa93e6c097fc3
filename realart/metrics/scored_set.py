"""Metrics of a detector on any labelled set: those that its scores and the set's classes define.

Of pictures of one class there is neither an AUC nor an accuracy that could be compared with others:
only the share that is classified as ai. Of scores that are no probabilities there is no calibration
error, and without a threshold there are no decisions.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from realart.metrics import classification, intervals, thresholds
from realart.metrics.classification import THRESHOLD, Labels, Scores
from realart.metrics.intervals import Estimate
from realart.metrics.thresholds import DecisionRule
from realart.params import CLASSES

CLASS_RATES = {"human": "false_positive_rate", "ai": "recall"}
"""The share of a class that is classified as ai, by class."""


@dataclass(frozen=True)
class Scale:
    """What the scores of a detector are; the higher, the likelier ai.

    Attributes
    ----------
    threshold
        Score from which a picture is classified as ai; None if it is unknown.
    probabilities
        Whether scores are probabilities of ai, from 0 to 1.
    """

    threshold: float | None = THRESHOLD
    probabilities: bool = True


def only_class(labels: Labels) -> str | None:
    """Return the class of all pictures, `ai` or `human`, or None if there are both.

    >>> import numpy as np
    >>> only_class(np.array([0, 0])), only_class(np.array([0, 1]))
    ('human', None)
    """
    return CLASSES[labels[0]] if labels.min() == labels.max() else None


def evaluate_scores(
    labels: Labels, scores: Scores, groups: "pd.Series[str]", scale: Scale
) -> dict[str, Any]:
    """Compute the metrics of scores on labelled pictures, with their 95 % intervals.

    Parameters
    ----------
    labels, scores
        1 for ai and 0 for human, and scores; shape (n,).
    groups
        The group of near-duplicates of each picture; length n.
    scale
        What the scores are.

    Returns
    -------
    dict
        Of both classes: the metrics of `classification.figures` that `scale` allows; `confusion` if
        there is a threshold; `intervals`. Of one class: what `class_rate` returns, and nothing but
        empty `intervals` without a threshold.
    """
    if only_class(labels):
        if scale.threshold is None:
            return {"intervals": {}}
        return class_rate(labels, scores, scale.threshold)
    decisions: dict[str, Any] = {}
    if scale.threshold is not None:
        decisions = {
            **classification.decision_figures(labels, scores, scale.threshold),
            "confusion": classification.confusion(labels, scores, scale.threshold),
        }
    return {
        **decisions,
        **classification.ranking_figures(labels, scores),
        **(classification.probability_figures(labels, scores) if scale.probabilities else {}),
        "intervals": _ends(classification.with_intervals(labels, scores, groups, scale.threshold)),
    }


def evaluate_rule(
    labels: Labels, probabilities: Scores, groups: "pd.Series[str]", rule: DecisionRule
) -> dict[str, Any]:
    """Compute the metrics of a decision rule on labelled pictures of both classes, or of one.

    Parameters
    ----------
    labels, probabilities
        1 for ai and 0 for human, and calibrated probabilities of ai; shape (n,).
    groups
        The group of near-duplicates of each picture; length n.
    rule
        Operating points and confidence threshold.

    Returns
    -------
    dict
        Of both classes: what `thresholds.evaluate_decisions` returns. Of one class: what
        `class_rate` returns; its rate and interval at each of `points`; `decisions`: how many
        pictures are `ai`, `human` and `unsure` without an operating point.
    """
    if not only_class(labels):
        return thresholds.evaluate_decisions(labels, probabilities, groups, rule)
    decisions = Counter(rule.decide(probability) for probability in probabilities.tolist())
    points = {
        point: class_rate(labels, probabilities, threshold)
        for point, threshold in rule.points.items()
    }
    return {
        **class_rate(labels, probabilities, THRESHOLD),
        "points": points,
        "decisions": {decision: decisions[decision] for decision in (*CLASSES, "unsure")},
    }


def class_rate(labels: Labels, scores: Scores, threshold: float) -> dict[str, Any]:
    """Compute the share of pictures of one class that is classified as ai, with its interval.

    Parameters
    ----------
    labels, scores
        All 1 for ai, or all 0 for human, and scores; shape (n,).
    threshold
        Score from which a picture is classified as ai.

    Returns
    -------
    dict
        `false_positive_rate` of human art, or `recall` of ai art; its `intervals` (95 %, Wilson's);
        `confusion`.

    Examples
    --------
    >>> import numpy as np
    >>> rate = class_rate(np.zeros(4, int), np.array([0.1, 0.2, 0.3, 0.9]), 0.5)
    >>> rate["false_positive_rate"], rate["confusion"]
    (0.25, {'tn': 3, 'fp': 1, 'fn': 0, 'tp': 0})
    """
    name = CLASS_RATES[str(only_class(labels))]
    estimate = intervals.wilson(int((scores >= threshold).sum()), len(scores))
    return {
        name: estimate.value,
        "confusion": classification.confusion(labels, scores, threshold),
        "intervals": _ends({name: estimate}),
    }


def _ends(estimates: Mapping[str, Estimate]) -> dict[str, dict[str, float]]:
    return {
        name: {"low": estimate.low, "high": estimate.high} for name, estimate in estimates.items()
    }
