"""Decision thresholds, chosen on out-of-fold probabilities alone, and metrics of the decisions.

Thresholds of promised error rates are chosen by `realart.metrics.promises`.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from realart.core.errors import RealartError
from realart.metrics import classification, promises, proofs
from realart.metrics.calibration import Calibration
from realart.metrics.classification import Labels, Scores
from realart.metrics.proofs import Proofs
from realart.params import Point, Promise, Strict

PROMISED: Point = "low_fpr"
"""The operating point whose false positive rate (share of human art called ai) is promised."""
NEVER = 2.0
"""A confidence threshold that no probability reaches."""


class DecisionRule(Strict):
    """How scores of a model become decisions.

    Attributes
    ----------
    calibration
        Maps scores to probabilities of ai.
    points
        The threshold of each operating point: probability from which a picture is classified as ai.
        `low_fpr` is absent where its false positive rate can't be promised.
    sure
        The least probability of the likelier class for a decision without an operating point;
        below it the decision is `unsure`. `NEVER` where no precision can be promised.
    proofs
        Of the promises that `low_fpr` and `sure` keep; None in models of older releases, whose
        thresholds have none.
    """

    calibration: Calibration
    points: dict[Point, float]
    sure: float
    proofs: Proofs | None = None

    def decide(self, probability: float, at: Point | None = None) -> str:
        """Return `ai`, `human` or `unsure` for a calibrated probability of ai.

        At an operating point the decision is `unsure` only where the point has no threshold.

        Raises
        ------
        ValueError
            The probability is not from 0 to 1.
        """
        if not 0 <= probability <= 1:
            raise ValueError(f"{probability} is no probability")
        if at:
            threshold = self.points.get(at)
            return "unsure" if threshold is None else "ai" if probability >= threshold else "human"
        if max(probability, 1 - probability) < self.sure:
            return "unsure"
        return "ai" if probability >= classification.THRESHOLD else "human"

    def require_point(self, at: Point | None) -> None:
        """Raise `RealartError` if an operating point has no threshold, with the reason."""
        if at and at not in self.points:
            raise RealartError(f"{self.promise(at)}; give another point, or none")

    def promise(self, at: Point | None = None) -> str:
        """Return what is promised of decisions at a point, or without one, or why nothing can be.

        A sentence; empty for a point that promises nothing.
        """
        if at and at != PROMISED:
            return ""
        if self.proofs is None:
            return proofs.NONE
        return self.proofs.of_low_fpr if at else self.proofs.of_decisions

    def bounds(self, at: Point | None = None) -> str:
        """Return for which probabilities of ai a decision is `ai` or `unsure`, as a clause.

        Empty where the point has no threshold, or everything is `unsure`.
        """
        if not at:
            return unsure_band(self.sure)
        return f"ai from {self.points[at]:.3f} on" if at in self.points else ""

    def describe(self, at: Point | None = None) -> str:
        """Return what is promised of decisions and which `bounds` they have, as a sentence."""
        bounds = self.bounds(at)
        return "; ".join(filter(None, [self.promise(at), bounds and f"by p(ai): {bounds}"]))


def unsure_band(sure: float) -> str:
    """Return for which probabilities of ai a decision without a point is `unsure`, as a clause.

    `sure` is that of a `DecisionRule`. Empty where everything is `unsure`.
    """
    if sure > 1:
        return ""
    if sure > classification.THRESHOLD:
        return f"unsure between {1 - sure:.3f} and {sure:.3f}"
    return f"ai from {classification.THRESHOLD:.3f} on"


def why_below_balanced(points: Mapping[Any, float]) -> str:
    """Explain as a clause why `low_fpr` is below `balanced`; an empty string where it is not.

    `points` has the threshold of each operating point.
    """
    if points.get(PROMISED, NEVER) >= points["balanced"]:
        return ""
    return (
        f"{PROMISED} ({points[PROMISED]:.3f}) is below balanced ({points['balanced']:.3f}) because "
        "it is the lowest threshold that keeps the promised false positive rate; balanced, which "
        "has the best balanced accuracy, keeps it, too, and finds less"
    )


def choose_rule(
    labels: Labels,
    probabilities: Scores,
    groups: "pd.Series[str]",
    promise: Promise,
    calibration: Calibration,
    data: str,
) -> DecisionRule:
    """Choose the thresholds of all operating points and of decisions without one.

    Parameters
    ----------
    labels, probabilities
        1 for ai and 0 for human, both present, and calibrated probabilities of ai; shape (n,).
    groups
        The group of near-duplicates of each picture, which counts once in a promise; length n.
    promise
        Error rates that thresholds are to keep.
    calibration
        Of the rule; the given probabilities are calibrated.
    data
        The name of the set that the pictures are of.
    """
    human = labels == 0
    low_fpr = low_fpr_threshold(probabilities[human], groups[human], promise)
    proved = promises.highest_precision(
        labels, probabilities, groups, promise.precision, promise.confidence
    )
    return DecisionRule(
        calibration=calibration,
        points=choose_points(labels, probabilities) | low_fpr,
        sure=proved[1] if proved else NEVER,
        proofs=Proofs(
            false_positive_rate=proofs.prove_false_positive_rate(groups[human], promise, data),
            error_rate=proofs.prove_error_rate(labels, probabilities, groups, promise, data),
        ),
    )


def low_fpr_threshold(
    probabilities: Scores, groups: "pd.Series[str]", promise: Promise
) -> dict[Point, float]:
    """Return the threshold of the point `PROMISED` by its name, or nothing if it has none.

    The parameters are those of `promises.false_positive_threshold`.
    """
    threshold = promises.false_positive_threshold(
        probabilities, groups, promise.false_positive_rate, promise.confidence
    )
    return {} if threshold is None else {PROMISED: threshold}


def choose_points(labels: Labels, probabilities: Scores) -> dict[Point, float]:
    """Choose the thresholds of best accuracy, half-way between two given probabilities.

    Parameters
    ----------
    labels, probabilities
        1 for ai and 0 for human, both present, and calibrated probabilities of ai; shape (n,).

    Returns
    -------
    dict
        `balanced` has the highest balanced accuracy and `best_f1` the highest F1; of equally good
        thresholds the closest to 0.5 is taken.

    Examples
    --------
    >>> points = choose_points(np.array([0, 0, 1, 1]), np.array([0.1, 0.4, 0.3, 0.9]))
    >>> {name: round(threshold, 3) for name, threshold in points.items()}
    {'balanced': 0.65, 'best_f1': 0.2}
    """
    candidates = _candidates(probabilities)
    tp = _count_from(probabilities[labels == 1], candidates)
    fp = _count_from(probabilities[labels == 0], candidates)
    ais, humans = labels.sum(), (1 - labels).sum()
    balanced = tp * humans - fp * ais  # as balanced accuracy, but whole: equal ones are equal
    f1 = 2 * tp / (tp + fp + ais)
    return {
        "balanced": _closest_to_half(candidates[balanced == balanced.max()]),
        "best_f1": _closest_to_half(candidates[f1 == f1.max()]),
    }


def _candidates(probabilities: Scores) -> NDArray[np.float64]:
    """Return a threshold for each way to divide pictures by probability, in ascending order."""
    distinct = np.unique(probabilities)
    lower, upper = distinct[:-1], distinct[1:]
    middle = (lower + upper) / 2
    middle = np.where(middle > lower, middle, upper)  # between neighbouring floats it is rounded
    return np.concatenate([[0.0], middle, [np.nextafter(distinct[-1], np.inf)]])


def _count_from(probabilities: Scores, thresholds: NDArray[np.float64]) -> NDArray[np.int64]:
    """Count the probabilities that are at least each threshold."""
    return len(probabilities) - np.searchsorted(np.sort(probabilities), thresholds)


def _closest_to_half(thresholds: NDArray[np.float64]) -> float:
    return float(thresholds[np.argmin(np.abs(thresholds - 0.5))])


def coverage(labels: Labels, probabilities: Scores) -> pd.DataFrame:
    """Compute accuracy against coverage: that of the most confident decisions, for each share.

    Parameters
    ----------
    labels, probabilities
        1 for ai and 0 for human, and calibrated probabilities of ai; shape (n,).

    Returns
    -------
    DataFrame
        A row for each distinct confidence, the highest first. Columns share (of pictures with at
        least that confidence), accuracy (of the decisions on these), sureness (the confidence: the
        probability of the likelier class, 0.5 to 1).
    """
    confidence = np.maximum(probabilities, 1 - probabilities)
    correct = (probabilities >= classification.THRESHOLD) == labels
    order = np.argsort(-confidence, kind="stable")
    last = np.flatnonzero(np.diff(confidence[order], append=-1))
    return pd.DataFrame(
        {
            "share": (last + 1) / len(labels),
            "accuracy": np.cumsum(correct[order])[last] / (last + 1),
            "sureness": confidence[order][last],
        }
    )


def evaluate_decisions(
    labels: Labels, probabilities: Scores, groups: pd.Series, rule: DecisionRule
) -> dict[str, Any]:
    """Compute the metrics of labelled pictures as evaluation.json holds them for each part.

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
        The metrics of `classification.figures`; `confusion`; `intervals` (95 %, `low` and `high` of
        each headline metric); `points` (metrics at each operating point); `sure`: the `share` of
        pictures decided without an operating point, and the `accuracy` of these decisions where
        there are some.
    """
    estimates = classification.with_intervals(labels, probabilities, groups)
    sure = np.maximum(probabilities, 1 - probabilities) >= rule.sure
    correct = (probabilities >= classification.THRESHOLD) == labels
    return {
        **classification.figures(labels, probabilities),
        "confusion": classification.confusion(labels, probabilities),
        "intervals": {
            name: {"low": estimate.low, "high": estimate.high}
            for name, estimate in estimates.items()
        },
        "points": {
            point: classification.at(labels, probabilities, threshold)
            for point, threshold in rule.points.items()
        },
        "sure": {"share": float(sure.mean())}
        | ({"accuracy": float(correct[sure].mean())} if sure.any() else {}),
    }
