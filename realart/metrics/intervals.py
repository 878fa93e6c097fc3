"""95 % intervals by the bootstrap over groups.

Pictures of a group are nearly the same, so groups, not pictures, are what could have been others.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.stats import binomtest, norm

Weights = NDArray[np.float64]
"""How often each picture was drawn: shape (resamples, pictures)."""

LEVEL = 0.95
RESAMPLES = 2000
_VALUES_AT_ONCE = 4_000_000


@dataclass(frozen=True)
class Estimate:
    """A figure and its 95 % interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


def bootstrap(
    statistic: Callable[[Weights], NDArray[np.float64]],
    groups: Sequence[str] | pd.Series,
    seed: int = 0,
) -> Estimate:
    """Return a figure of all pictures and the percentile interval over resampled groups.

    Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13.

    Parameters
    ----------
    statistic
        Of weights, shape (b, n), the figure under each row of them, shape (b,); NaN where a
        resample lacks a class. `auc` and `balanced_accuracy` with their data bound are such.
    groups
        The group of each of the n pictures.
    """
    group_of, names = pd.factorize(np.asarray(groups))
    generator = np.random.default_rng(seed)
    at_once = max(1, _VALUES_AT_ONCE // len(group_of))
    drawn = []
    for start in range(0, RESAMPLES, at_once):
        count = min(at_once, RESAMPLES - start)
        chosen = generator.integers(0, len(names), (count, len(names)))
        offset = chosen + len(names) * np.arange(count)[:, None]
        times = np.bincount(offset.ravel(), minlength=count * len(names)).reshape(count, -1)
        drawn.append(statistic(times[:, group_of].astype(np.float64)))
    values = np.concatenate(drawn)
    values = values[~np.isnan(values)]
    bounds = [(1 - LEVEL) / 2, (1 + LEVEL) / 2]
    low, high = np.quantile(values, bounds) if len(values) else (np.nan, np.nan)
    value = statistic(np.ones((1, len(group_of))))[0]
    return Estimate(float(value), float(low), float(high))


def auc(labels: NDArray[np.int64], scores: NDArray[np.float64], weights: Weights) -> Weights:
    """Return the area under the ROC curve under each row of `weights`; ties count half."""
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
    """Return the area under the ROC curve with its interval, by a bootstrap over groups.

    Of scores in perfect order every resample is perfect, too; there the lower bound is Newcombe's,
    with groups counted ("Confidence intervals for an effect size measure based on the Mann-Whitney
    statistic, part 2", 2006, method 5). Of one class alone nothing is known.
    """
    if labels.min() == labels.max():
        return Estimate(0.5, 0.0, 1.0)
    found = bootstrap(partial(auc, labels, scores), groups)
    if found.value < 1:
        return found
    names = np.asarray(groups)
    m, n = (len(np.unique(names[labels == label])) for label in (0, 1))
    more = (m + n) / 2 - 1

    def apart(area: float) -> float:
        spread = area * (1 + more * ((1 - area) / (2 - area) + area / (1 + area))) / (m * n)
        return (1 - area) - norm.isf((1 - LEVEL) / 2) ** 2 * spread

    return Estimate(1.0, float(brentq(apart, 0, 1)), 1.0)


def of_gain(
    labels: NDArray[np.int64],
    before: NDArray[np.float64],
    after: NDArray[np.float64],
    groups: Sequence[str] | pd.Series,
) -> Estimate:
    """Return the AUC of the scores `after` less that of `before`, of the same pictures."""
    return bootstrap(
        lambda weights: auc(labels, after, weights) - auc(labels, before, weights), groups
    )


def average_precision(
    labels: NDArray[np.int64], scores: NDArray[np.float64], weights: Weights
) -> Weights:
    """Return the mean precision over recalls under each row of `weights`; ties come together."""
    order = np.argsort(-scores, kind="stable")
    starts = np.flatnonzero(np.diff(scores[order], prepend=np.inf))
    positive = np.add.reduceat(weights[:, order] * labels[order], starts, axis=1)
    everything = np.add.reduceat(weights[:, order], starts, axis=1)
    called = np.cumsum(everything, axis=1)
    with np.errstate(invalid="ignore"):
        precision = np.cumsum(positive, axis=1) / np.maximum(called, 1)
        return (positive * precision).sum(1) / positive.sum(1)


def of_average_precision(
    labels: NDArray[np.int64], scores: NDArray[np.float64], groups: Sequence[str] | pd.Series
) -> Estimate:
    """Return the average precision with its interval, by a bootstrap over groups.

    As with `of_auc`, every resample of a perfect order is perfect; there the interval is that of a
    share of the positive groups (Boyd, Eng and Page, "Area under the precision-recall curve: point
    estimates and confidence intervals", 2013, section 3.2).
    """
    if not labels.any():
        return wilson(0, 0)
    found = bootstrap(partial(average_precision, labels, scores), groups)
    if found.value < 1:
        return found
    positive = len(np.unique(np.asarray(groups)[labels == 1]))
    return wilson(positive, positive)


def wilson(successes: int, trials: int) -> Estimate:
    """Return a share and its interval (Wilson, "Probable Inference", 1927); of none, all of it."""
    if not trials:
        return Estimate(0.0, 0.0, 1.0)
    interval = binomtest(successes, trials).proportion_ci(LEVEL, "wilson")
    return Estimate(successes / trials, float(interval.low), float(interval.high))


def correlation(a: NDArray[np.float64], b: NDArray[np.float64], weights: Weights) -> Weights:
    """Return the correlation of `a` and `b` under each row of `weights`."""
    total = weights.sum(1)
    mean_a, mean_b, mean_ab = (weights @ values / total for values in (a, b, a * b))
    mean_aa, mean_bb = weights @ (a * a) / total, weights @ (b * b) / total
    spread = (mean_aa - mean_a**2) * (mean_bb - mean_b**2)
    with np.errstate(invalid="ignore"):
        return (mean_ab - mean_a * mean_b) / np.sqrt(np.maximum(spread, 0))


def balanced_accuracy(
    labels: NDArray[np.int64], called: NDArray[np.bool_], weights: Weights
) -> Weights:
    """Return the mean share of each class that is called by its name, under each row."""
    shares = []
    for label in (0, 1):
        of_class = weights * (labels == label)
        with np.errstate(invalid="ignore"):
            shares.append((of_class * (called == label)).sum(1) / of_class.sum(1))
    return (shares[0] + shares[1]) / 2


def accuracy(labels: NDArray[np.int64], called: NDArray[np.bool_], weights: Weights) -> Weights:
    """Return the share that is called by its name, under each row of `weights`."""
    return (weights * (called == labels)).sum(1) / weights.sum(1)
