"""Metrics under sample weights, and their 95 % intervals by a bootstrap over groups.

Pictures of a group are near-duplicates, hence not independent: groups are resampled, not pictures.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.stats import binomtest, norm

Weights = NDArray[np.float64]
"""How often each picture was drawn, or a metric of each resample: shape (b, n), or (b,)."""

LEVEL = 0.95
"""Confidence level of all intervals."""
RESAMPLES = 2000
_VALUES_AT_ONCE = 4_000_000  # weights held in memory


@dataclass(frozen=True)
class Estimate:
    """A metric and its 95 % interval, from `low` to `high`.

    Examples
    --------
    As text, and with a format of each number:

    >>> difference = Estimate(0.15, 0.058, 0.25)
    >>> f"{difference}", f"{difference:+.2f}"
    ('0.150 [0.058, 0.250]', '+0.15 [+0.06, +0.25]')
    """

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self:.3f}"

    def __format__(self, spec: str) -> str:
        value, low, high = (
            format(number, spec or ".3f") for number in (self.value, self.low, self.high)
        )
        return f"{value} [{low}, {high}]"


def bootstrap(
    statistic: Callable[[Weights], NDArray[np.float64]],
    groups: Sequence[str] | pd.Series | NDArray[Any],
    seed: int = 0,
) -> Estimate:
    """Compute a metric of all pictures, and its percentile interval over `RESAMPLES` of groups.

    Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13.

    Parameters
    ----------
    statistic
        Takes weights, shape (b, n), and returns the metric under each row of them, shape (b,); NaN
        where a resample lacks a class. `auc` and `balanced_accuracy` with their data bound are such
        functions.
    groups
        The group of near-duplicates of each of the n pictures.
    seed
        Of the resampling.

    Examples
    --------
    Each of 40 values 0 to 1 is a group of its own; the interval is that of their mean:

    >>> values = np.linspace(0, 1, 40)
    >>> print(bootstrap(lambda weights: weights @ values / weights.sum(1), np.arange(40)))
    0.500 [0.406, 0.589]
    """
    group_of, names = pd.factorize(np.asarray(groups))
    generator = np.random.default_rng(seed)
    at_once = max(1, _VALUES_AT_ONCE // len(group_of))
    resampled = []
    for start in range(0, RESAMPLES, at_once):
        count = min(at_once, RESAMPLES - start)
        chosen = generator.integers(0, len(names), (count, len(names)))
        offset = chosen + len(names) * np.arange(count)[:, None]
        times = np.bincount(offset.ravel(), minlength=count * len(names)).reshape(count, -1)
        resampled.append(statistic(times[:, group_of].astype(np.float64)))
    values = np.concatenate(resampled)
    values = values[~np.isnan(values)]
    bounds = [(1 - LEVEL) / 2, (1 + LEVEL) / 2]
    low, high = np.quantile(values, bounds) if len(values) else (np.nan, np.nan)
    value = statistic(np.ones((1, len(group_of))))[0]
    return Estimate(float(value), float(low), float(high))


def auc(labels: NDArray[np.int64], scores: NDArray[np.float64], weights: Weights) -> Weights:
    """Compute the area under the ROC curve under each row of weights; ties count half.

    Parameters
    ----------
    labels, scores
        1 for ai and 0 for human, and scores; shape (n,).
    weights
        Shape (b, n).

    Returns
    -------
    ndarray
        Shape (b,), from 0 to 1; NaN where all weights of a class are 0.
    """
    order = np.argsort(scores, kind="stable")
    sorted_scores = scores[order]
    starts = np.flatnonzero(np.diff(sorted_scores, prepend=-np.inf))
    positive = np.add.reduceat(weights[:, order] * labels[order], starts, axis=1)
    negative = np.add.reduceat(weights[:, order] * (1 - labels[order]), starts, axis=1)
    below = np.cumsum(negative, axis=1) - negative / 2
    with np.errstate(invalid="ignore"):
        return (positive * below).sum(1) / (positive.sum(1) * negative.sum(1))


def of_auc(
    labels: NDArray[np.int64], scores: NDArray[np.float64], groups: Sequence[str] | pd.Series
) -> Estimate:
    """Compute the area under the ROC curve and its 95 % interval, by a bootstrap over groups.

    All resamples of perfectly ranked scores are perfect, too; there the lower bound is Newcombe's,
    with groups as the sample sizes ("Confidence intervals for an effect size measure based on the
    Mann-Whitney statistic, part 2", 2006, method 5). Of a single class it is 0.5 [0, 1].

    Parameters
    ----------
    labels, scores
        1 for ai and 0 for human, and scores; shape (n,).
    groups
        The group of near-duplicates of each picture; length n.
    """
    if labels.min() == labels.max():
        return Estimate(0.5, 0.0, 1.0)
    estimate = bootstrap(partial(auc, labels, scores), groups)
    if estimate.value < 1:
        return estimate
    names = np.asarray(groups)
    m, n = (len(np.unique(names[labels == label])) for label in (0, 1))
    more = (m + n) / 2 - 1

    def excess(area: float) -> float:  # its root is the lower bound
        variance = area * (1 + more * ((1 - area) / (2 - area) + area / (1 + area))) / (m * n)
        return (1 - area) - norm.isf((1 - LEVEL) / 2) ** 2 * variance

    return Estimate(1.0, float(brentq(excess, 0, 1)), 1.0)


def of_gain(
    labels: NDArray[np.int64],
    before: NDArray[np.float64],
    after: NDArray[np.float64],
    groups: Sequence[str] | pd.Series,
) -> Estimate:
    """Compute the AUC of `after` less that of `before`, and its 95 % interval.

    Both are computed on the same resamples of groups, so that what is hard for both cancels out.

    Parameters
    ----------
    labels, before, after
        1 for ai and 0 for human, and two scores of the same pictures; shape (n,).
    groups
        The group of near-duplicates of each picture; length n.
    """
    return bootstrap(
        lambda weights: auc(labels, after, weights) - auc(labels, before, weights), groups
    )


def average_precision(
    labels: NDArray[np.int64], scores: NDArray[np.float64], weights: Weights
) -> Weights:
    """Compute the average precision under each row of weights; ties share one threshold.

    Parameters
    ----------
    labels, scores
        1 for ai and 0 for human, and scores; shape (n,).
    weights
        Shape (b, n).

    Returns
    -------
    ndarray
        Shape (b,), from 0 to 1; NaN where all weights of ai are 0.
    """
    order = np.argsort(-scores, kind="stable")
    starts = np.flatnonzero(np.diff(scores[order], prepend=np.inf))
    positive = np.add.reduceat(weights[:, order] * labels[order], starts, axis=1)
    everything = np.add.reduceat(weights[:, order], starts, axis=1)
    predicted = np.cumsum(everything, axis=1)
    with np.errstate(invalid="ignore"):
        precision = np.cumsum(positive, axis=1) / np.maximum(predicted, 1)
        return (positive * precision).sum(1) / positive.sum(1)


def of_average_precision(
    labels: NDArray[np.int64], scores: NDArray[np.float64], groups: Sequence[str] | pd.Series
) -> Estimate:
    """Compute the average precision and its 95 % interval, by a bootstrap over groups.

    All resamples of perfectly ranked scores are perfect, too; there the interval is that of a share
    of the positive groups (Boyd, Eng and Page, "Area under the precision-recall curve: point
    estimates and confidence intervals", 2013, section 3.2).

    Parameters
    ----------
    labels, scores
        1 for ai and 0 for human, and scores; shape (n,).
    groups
        The group of near-duplicates of each picture; length n.
    """
    if not labels.any():
        return wilson(0, 0)
    estimate = bootstrap(partial(average_precision, labels, scores), groups)
    if estimate.value < 1:
        return estimate
    positive = len(np.unique(np.asarray(groups)[labels == 1]))
    return wilson(positive, positive)


def wilson(successes: int, trials: int) -> Estimate:
    """Compute a share and its 95 % interval; of no trials it is 0 [0, 1].

    Wilson, "Probable Inference, the Law of Succession, and Statistical Inference", 1927.

    Examples
    --------
    >>> print(wilson(8, 10))
    0.800 [0.490, 0.943]
    """
    if not trials:
        return Estimate(0.0, 0.0, 1.0)
    interval = binomtest(successes, trials).proportion_ci(LEVEL, "wilson")
    return Estimate(successes / trials, float(interval.low), float(interval.high))


def correlation(a: NDArray[np.float64], b: NDArray[np.float64], weights: Weights) -> Weights:
    """Compute Pearson's correlation of `a` and `b`, shape (n,), under each row of weights.

    `weights` has shape (b, n), the result (b,); it is NaN where `a` or `b` is constant.
    """
    total = weights.sum(1)
    mean_a, mean_b, mean_ab = (weights @ values / total for values in (a, b, a * b))
    mean_aa, mean_bb = weights @ (a * a) / total, weights @ (b * b) / total
    variances = (mean_aa - mean_a**2) * (mean_bb - mean_b**2)
    with np.errstate(invalid="ignore"):
        return (mean_ab - mean_a * mean_b) / np.sqrt(np.maximum(variances, 0))


def balanced_accuracy(
    labels: NDArray[np.int64], predicted: NDArray[np.bool_], weights: Weights
) -> Weights:
    """Compute the mean recall of both classes under each row of weights.

    `labels` and `predicted` have shape (n,), `weights` (b, n), the result (b,); it is NaN where all
    weights of a class are 0.
    """
    recalls = []
    for label in (0, 1):
        of_class = weights * (labels == label)
        with np.errstate(invalid="ignore"):
            recalls.append((of_class * (predicted == label)).sum(1) / of_class.sum(1))
    return (recalls[0] + recalls[1]) / 2


def accuracy(labels: NDArray[np.int64], predicted: NDArray[np.bool_], weights: Weights) -> Weights:
    """Compute the share of correct predictions under each row of weights.

    `labels` and `predicted` have shape (n,), `weights` (b, n), the result (b,).
    """
    return (weights * (predicted == labels)).sum(1) / weights.sum(1)
