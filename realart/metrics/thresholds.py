"""From a probability to a verdict: thresholds that are chosen on out-of-fold scores alone."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from realart.metrics import classification
from realart.metrics.calibration import Calibration
from realart.metrics.classification import Labels, Scores
from realart.params import Point, Strict

ACCUSED = 0.01
"""Share of human art that may be called ai at the point `low_fpr`."""
RARELY = 0.1
"""Of a class that no more pictures are called, as a share of those that are of it."""


class DecisionRule(Strict):
    """How a model's scores are read.

    Attributes
    ----------
    calibration
        What makes probabilities of its scores.
    points
        Thresholds: a picture is called ai from there on.
    sure
        The probability of either class from which a verdict is given at all, where no point is
        asked for.
    """

    calibration: Calibration
    points: dict[Point, float]
    sure: float

    def name(self, probability: float, at: Point | None = None) -> str:
        """Return `ai` or `human`; without a point also `unsure`."""
        if at:
            return "ai" if probability >= self.points[at] else "human"
        if max(probability, 1 - probability) < self.sure:
            return "unsure"
        return "ai" if probability >= classification.THRESHOLD else "human"


def choose_points(labels: Labels, probabilities: Scores) -> dict[Point, float]:
    """Choose thresholds, each half-way between two probabilities that were seen.

    `balanced` has the highest balanced accuracy, `best_f1` the highest F1; of equally good ones the
    closest to 1/2 is taken. `low_fpr` is the lowest that calls at most `ACCUSED` of human art ai.
    """
    thresholds = _between(probabilities)
    tp, fp = (_from(probabilities[labels == label], thresholds) for label in (1, 0))
    ais, humans = labels.sum(), (1 - labels).sum()
    balanced = tp / ais - fp / humans
    f1 = 2 * tp / (tp + fp + ais)
    allowed = np.flatnonzero(fp <= ACCUSED * humans)
    return {
        "balanced": _best(thresholds, balanced),
        "low_fpr": float(thresholds[allowed[0]]),
        "best_f1": _best(thresholds, f1),
    }


def confidence_threshold(labels: Labels, probabilities: Scores, accuracy: float) -> float:
    """Return the least probability of a verdict whose verdicts, all together, are so accurate.

    1/2 where all are, above 1 where none are: no verdict is then ever given. Selective
    classification (Geifman and El-Yaniv, "Selective Classification for Deep Neural Networks",
    2017).
    """
    curve = coverage(labels, probabilities)
    accurate = curve[curve["accuracy"] >= accuracy]
    if accurate.empty:
        return 2.0
    last = accurate.iloc[-1]
    return 0.5 if last["share"] == 1 else float(last["sureness"])


def coverage(labels: Labels, probabilities: Scores) -> pd.DataFrame:
    """Return how accurate the surest verdicts are, a row for each distinct sureness, surest first.

    Columns share (of pictures), accuracy, sureness (of the last of them).
    """
    sureness = np.maximum(probabilities, 1 - probabilities)
    right = (probabilities >= classification.THRESHOLD) == labels
    order = np.argsort(-sureness, kind="stable")
    last = np.flatnonzero(np.diff(sureness[order], append=-1))
    return pd.DataFrame(
        {
            "share": (last + 1) / len(labels),
            "accuracy": np.cumsum(right[order])[last] / (last + 1),
            "sureness": sureness[order][last],
        }
    )


def evaluate_decisions(
    labels: Labels, probabilities: Scores, groups: pd.Series, verdicts: DecisionRule
) -> dict[str, Any]:
    """Return all figures of some labelled pictures, as metrics.json has them.

    Those of `classification.figures`, the confusion matrix, 95 % intervals, figures at each
    operating point, and how many verdicts are given where it may be unsure, and how accurate they
    are.
    """
    found = classification.with_intervals(labels, probabilities, groups)
    sure = np.maximum(probabilities, 1 - probabilities) >= verdicts.sure
    right = (probabilities >= classification.THRESHOLD) == labels
    return {
        **classification.figures(labels, probabilities),
        "confusion": classification.confusion(labels, probabilities),
        "intervals": {name: {"low": one.low, "high": one.high} for name, one in found.items()},
        "points": {
            point: classification.at(labels, probabilities, threshold)
            for point, threshold in verdicts.points.items()
        },
        "sure": {"share": float(sure.mean())}
        | ({"accuracy": float(right[sure].mean())} if sure.any() else {}),
    }


def figure(name: str, judged: Mapping[str, Any]) -> str:
    """Return a figure of `evaluate_decisions` and its interval, to be read."""
    interval = judged["intervals"][name]
    return f"{judged[name]:.3f} [{interval['low']:.3f}, {interval['high']:.3f}]"


def one_class(judged: Mapping[str, Any]) -> str:
    """Say so if (nearly) everything is called one class although not everything is of it.

    Nearly: the other class is called at most `RARELY` as often as it is there, so that this holds
    whatever the share of the classes. Nothing is said otherwise.
    """
    tn, fp, fn, tp = (judged["confusion"][name] for name in ("tn", "fp", "fn", "tp"))
    pictures = tn + fp + fn + tp
    for name, others, called in (("ai", tn + fp, tn + fn), ("human", tp + fn, tp + fp)):
        if others and called <= RARELY * others:
            everything = "nearly everything" if called else "everything"
            counts = f"{pictures - called} of {pictures} pictures, {pictures - others} are"
            return f"{everything} is called {name} ({counts})"
    return ""


def one_sided(report: Mapping[str, Any]) -> list[str]:
    """Return what `one_class` says of the test part and out of fold, as metrics.json has them."""
    parts = {"on the test part": "test", "out of fold": "oof"}
    return [f"{name} {found}" for name, part in parts.items() if (found := one_class(report[part]))]


def _between(probabilities: Scores) -> NDArray[np.float64]:
    distinct = np.unique(probabilities)
    above = np.nextafter(distinct, np.inf)  # half of neighbours may be rounded to the lower one
    between = np.maximum((distinct[1:] + distinct[:-1]) / 2, above[:-1])
    return np.concatenate([[0.0], between, above[-1:]])  # from the last on nothing is called ai


def _from(probabilities: Scores, thresholds: NDArray[np.float64]) -> NDArray[np.int64]:
    return len(probabilities) - np.searchsorted(np.sort(probabilities), thresholds)


def _best(thresholds: NDArray[np.float64], worth: NDArray[np.float64]) -> float:
    good = thresholds[worth >= worth.max() - 1e-12]
    return float(good[np.argmin(np.abs(good - 0.5))])
