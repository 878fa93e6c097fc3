"""Thresholds with a proof: error rates that hold for the next pictures, at a stated confidence.

A threshold that just reaches a rate on the scores it was chosen on exceeds it on other pictures
about as often as not. Here an exact binomial bound holds the rate instead, valid although the
threshold is chosen on the same scores. It is assumed that pictures to come are drawn as these were:
from the same sources, the classes as frequent, and near-duplicates counted once.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import betaincinv
from scipy.stats import binom

from realart.metrics import classification
from realart.metrics.classification import Labels, Scores

STARTS = (0.98, 0.95, 0.9)
"""Confidences from which `confidence_threshold` tests downwards; fixed before any score is seen."""
STEPS = 100
"""Confidences tested for each 1 of probability."""


def required_pictures(rate: float, confidence: float) -> int:
    """Return how many pictures, none of them an error, prove an error rate of at most `rate`.

    The smallest n with (1 - rate)^n <= 1 - confidence.

    >>> required_pictures(0.01, 0.95)
    299
    """
    return math.ceil(math.log(1 - confidence) / math.log1p(-rate) - 1e-9)


def split_confidence(confidence: float, tests: int) -> float:
    """Return the confidence of each of several tests of which none is to fail (Bonferroni).

    >>> split_confidence(0.95, 5)
    0.99
    """
    return 1 - (1 - confidence) / tests


def required_decisions(precision: float, confidence: float) -> int:
    """Return how many decisions `confidence_threshold` needs if none of them is wrong.

    >>> required_decisions(0.95, 0.95)
    80
    """
    return required_pictures(1 - precision, split_confidence(confidence, len(STARTS)))


def attainable_rate(pictures: int, confidence: float) -> float:
    """Return the lowest error rate that `pictures` can prove: if none of them is an error.

    >>> round(attainable_rate(140, 0.95), 3)
    0.021
    """
    return float(upper_bound(0, pictures, confidence))


def upper_bound(errors: Any, pictures: Any, confidence: float) -> Any:
    """Return the exact one-sided upper confidence bound of an error rate, also for arrays.

    Clopper and Pearson, "The use of confidence or fiducial limits illustrated in the case of the
    binomial", Biometrika 26, 1934. 1 where all pictures are errors, or there are none.
    """
    others = np.maximum(pictures - errors, 1)  # 0 has no beta distribution
    bound = betaincinv(errors + 1, others, confidence)
    return np.where(errors < pictures, bound, 1.0)[()]


def allowed_errors(pictures: int, rate: float, confidence: float) -> int:
    """Return the most errors whose `upper_bound` is at most `rate`; -1 where none is.

    >>> [allowed_errors(n, 0.01, 0.95) for n in (298, 299, 473)]
    [-1, 0, 1]
    """
    errors = int(binom.ppf(1 - confidence, pictures, rate))
    return errors if binom.cdf(errors, pictures, rate) <= 1 - confidence else errors - 1


def false_positive_threshold(
    probabilities: Scores, groups: "pd.Series[str]", rate: float, confidence: float
) -> float | None:
    """Return the lowest threshold whose false positive rate is at most `rate`, at a confidence.

    Before any score is seen, the number of pictures k that may reach the threshold is fixed by
    `allowed_errors`; the threshold lies above all others. The rate at an order statistic has a beta
    distribution whatever that of the scores is, so no correction for the choice is needed (Wilks,
    "Determination of sample sizes for setting tolerance limits", 1941; Tong, Feng and Li,
    "Neyman-Pearson classification algorithms and NP receiver operating characteristics", 2018).

    Parameters
    ----------
    probabilities, groups
        Probability of ai of each picture of human art, and its group of near-duplicates, which
        counts once, with its highest probability; shape (n,).
    rate, confidence
        Between 0 and 1.

    Returns
    -------
    float or None
        A picture is classified as ai from this probability on. None where there are too few groups.
    """
    highest = np.sort(_by_group(probabilities, groups))[::-1]
    errors = allowed_errors(len(highest), rate, confidence)
    return float(np.nextafter(highest[errors], np.inf)) if errors >= 0 else None


def confidence_threshold(
    labels: Labels,
    probabilities: Scores,
    groups: "pd.Series[str]",
    precision: float,
    confidence: float,
) -> float | None:
    """Return the least confidence from which decisions are right at a rate of at least `precision`.

    Fixed-sequence testing from several starts (Angelopoulos et al., "Learn then Test", 2021): each
    of `STARTS` has an equal share of the error probability 1 - `confidence`, and tests lower and
    lower confidences until the upper bound of the error rate exceeds 1 - `precision`. Candidates do
    not depend on the scores, and given how many decisions reach one, its errors are binomial.

    Parameters
    ----------
    labels, probabilities
        1 for ai and 0 for human, and calibrated probabilities of ai; shape (n,).
    groups
        The group of near-duplicates of each picture; it counts once, as an error if any decision on
        one of its pictures is wrong. Length n.
    precision, confidence
        Between 0 and 1.

    Returns
    -------
    float or None
        0.5 to 0.98, the probability of the likelier class; None where no candidate passes.
    """
    decisions = Decisions(labels, probabilities, groups)
    passed = []
    for start in STARTS:
        candidates = np.arange(round(start * STEPS), STEPS // 2 - 1, -1) / STEPS
        proved = decisions.error_bounds(candidates, confidence) <= 1 - precision
        passed += candidates[np.logical_and.accumulate(proved)].tolist()
    return min(passed, default=None)


def highest_precision(
    labels: Labels,
    probabilities: Scores,
    groups: "pd.Series[str]",
    precisions: Sequence[float],
    confidence: float,
) -> tuple[float, float] | None:
    """Return the highest of `precisions` that can be proved, and its `confidence_threshold`.

    Which of them that is depends on the scores, so each is proved at the `split_confidence`.

    Parameters
    ----------
    labels, probabilities, groups
        As for `confidence_threshold`.
    precisions
        Between 0 and 1, in descending order, fixed before any score is seen.
    confidence
        Of the one that is returned, between 0 and 1.
    """
    confidence = split_confidence(confidence, len(precisions))
    for precision in precisions:
        threshold = confidence_threshold(labels, probabilities, groups, precision, confidence)
        if threshold is not None:
            return precision, threshold
    return None


def attainable_error_rate(
    labels: Labels, probabilities: Scores, groups: "pd.Series[str]", confidence: float
) -> float:
    """Return 1 - the highest precision that `confidence_threshold` can prove.

    The parameters are those of `confidence_threshold`.
    """
    decisions = Decisions(labels, probabilities, groups)
    return float(decisions.error_bounds(np.array(STARTS), confidence).min())


class Decisions:
    """The decisions on labelled pictures, by their confidence; a group of near-duplicates is one.

    The constructor's parameters are those of `confidence_threshold`.
    """

    def __init__(self, labels: Labels, probabilities: Scores, groups: "pd.Series[str]") -> None:
        confidence = np.maximum(probabilities, 1 - probabilities)
        wrong = (probabilities >= classification.THRESHOLD) != labels
        self._confidence = np.sort(_by_group(confidence, groups))
        self._confidence_of_wrong = np.sort(_by_group(confidence[wrong], groups[wrong]))

    def count(self, thresholds: Scores) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Count the decisions of at least each confidence, and the wrong ones among them."""
        decided = len(self._confidence) - np.searchsorted(self._confidence, thresholds)
        wrong = len(self._confidence_of_wrong)
        return decided, wrong - np.searchsorted(self._confidence_of_wrong, thresholds)

    def error_bounds(self, thresholds: Scores, confidence: float) -> Scores:
        """Return the upper bound of the error rate from each threshold on, as a start tests it."""
        decided, wrong = self.count(thresholds)
        return upper_bound(wrong, decided, split_confidence(confidence, len(STARTS)))


def _by_group(values: Scores, groups: "pd.Series[str]") -> Scores:
    """Return the highest value of each group."""
    numbers, names = pd.factorize(groups)
    highest = np.full(len(names), -np.inf)
    np.maximum.at(highest, numbers, values)
    return highest
