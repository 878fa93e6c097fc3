"""Calibrated probabilities by Platt's sigmoid, fitted on out-of-fold scores."""

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression

from realart.metrics.classification import Labels, Scores
from realart.params import Strict

MIN_SLOPE = 1e-3
"""Least slope of log-odds per standard deviation of decision values."""
CLIP = 1e-6
"""Scores are clipped this far from 0 and 1, which a network's may equal: log-odds are finite."""

PRIOR_SLOPE, PRIOR_OFFSET = 0.25, 1.0
"""Standard deviations of how another set of pictures scales log-odds, and how far it moves them."""


class Calibration(Strict):
    """A linear map of log-odds, by which scores become probabilities.

    Attributes
    ----------
    slope, offset
        A score s becomes the probability expit(slope * logit(s) + offset).
    """

    slope: float
    offset: float

    def __call__(self, scores: Scores) -> Scores:
        """Return the calibrated probability of ai for scores from 0 to 1; shape (n,) in and out."""
        return expit(self.slope * _log_odds(scores) + self.offset)

    def then(self, other: "Calibration") -> "Calibration":
        """Return the calibration that maps scores by this one and the result by another."""
        return Calibration(
            slope=other.slope * self.slope, offset=other.slope * self.offset + other.offset
        )


def fit(labels: Labels, scores: Scores) -> Calibration:
    """Fit a calibration by Platt's method, all pictures weighted equally.

    Parameters
    ----------
    labels, scores
        1 for ai and 0 for human, and out-of-fold scores from 0 to 1; shape (n,).

    Examples
    --------
    Of pictures scored 0.9 only three in four are ai, of those scored 0.1 one in four:

    >>> labels = np.array([0, 1, 1, 1, 0, 0, 0, 1])
    >>> scores = np.array([0.9, 0.9, 0.9, 0.9, 0.1, 0.1, 0.1, 0.1])
    >>> fit(labels, scores)(np.array([0.1, 0.9])).round(2)
    array([0.33, 0.67])
    """
    slope, offset = platt(labels, _log_odds(scores), np.ones(len(labels)))
    return Calibration(slope=slope, offset=offset)


def refit(labels: Labels, probabilities: Scores, weights: NDArray[np.float64]) -> Calibration:
    """Fit a map of probabilities of another calibration, the closer to it the fewer pictures.

    The maximum a posteriori estimate of slope and offset under normal priors around 1 and 0, whose
    standard deviations are `PRIOR_SLOPE` and `PRIOR_OFFSET`. No picture changes nothing, and many
    make it Platt's method. The ranking stays.

    Parameters
    ----------
    labels, probabilities, weights
        1 for ai and 0 for human, calibrated probabilities of ai, and weights of the pictures, 1 for
        one that counts fully; shape (n,).

    Examples
    --------
    Of ten pictures of human art, seven have a probability of ai of 0.6:

    >>> labels, probabilities = np.repeat([0, 1], 10), np.repeat([0.6, 0.1, 0.6, 0.9], [7, 3, 2, 8])
    >>> refit(labels, probabilities, np.ones(20))(np.array([0.1, 0.6, 0.9])).round(2)
    array([0.04, 0.43, 0.85])
    """
    odds = np.stack([_log_odds(probabilities), np.ones(len(labels))], axis=1)
    precision, present = np.diag([PRIOR_SLOPE**-2, PRIOR_OFFSET**-2]), np.array([1.0, 0.0])

    def negative_log_posterior(values: Scores) -> float:
        losses = np.logaddexp(0, (1 - 2 * labels) * (odds @ values))
        return float(weights @ losses + (values - present) @ precision @ (values - present) / 2)

    def gradient(values: Scores) -> Scores:
        errors = weights * (expit(odds @ values) - labels)
        return odds.T @ errors + precision @ (values - present)

    def hessian(values: Scores) -> Scores:
        fitted = expit(odds @ values)
        return (odds.T * (weights * fitted * (1 - fitted))) @ odds + precision

    slope, offset = minimize(
        negative_log_posterior, present, method="trust-exact", jac=gradient, hess=hessian
    ).x
    return Calibration(slope=max(float(slope), MIN_SLOPE), offset=float(offset))


def cross_calibrate(labels: Labels, scores: Scores, folds: NDArray[np.int64]) -> Scores:
    """Calibrate the scores of each fold on those of all other folds.

    Parameters
    ----------
    labels, scores, folds
        1 for ai and 0 for human, out-of-fold scores from 0 to 1, fold numbers; shape (n,).

    Returns
    -------
    ndarray
        Calibrated probabilities of ai; shape (n,).
    """
    probabilities = np.empty(len(scores))
    for fold in np.unique(folds):
        held_out = folds == fold
        calibration = fit(labels[~held_out], scores[~held_out])
        probabilities[held_out] = calibration(scores[held_out])
    return probabilities


def platt(labels: Labels, values: Scores, weights: NDArray[np.float64]) -> tuple[float, float]:
    """Fit slope and offset that map decision values to log-odds.

    Platt, "Probabilistic Outputs for Support Vector Machines", 1999, with his smoothed targets.
    Where the slope would be negative, by chance, it becomes nearly 0 and all probabilities the
    share of ai: the ranking of a classifier is never inverted.

    Parameters
    ----------
    labels, values, weights
        1 for ai and 0 for human, unbounded decision values, and sample weights; shape (n,).
    """
    centre, spread = values.mean(), max(float(values.std()), 1e-12)
    humans, ais = np.bincount(labels, minlength=2)
    targets = np.where(labels == 1, (ais + 1) / (ais + 2), 1 / (humans + 2))
    standard = np.tile((values - centre) / spread, 2)[:, None]
    both = np.repeat([1, 0], len(values))
    model = LogisticRegression(C=1e6)
    model.fit(standard, both, np.concatenate([weights * targets, weights * (1 - targets)]))
    slope, offset = float(model.coef_[0, 0]), float(model.intercept_[0])
    if slope < MIN_SLOPE:
        slope, offset = MIN_SLOPE, float(logit(np.average(targets, weights=weights)))
    return slope / spread, offset - slope * float(centre) / spread


def _log_odds(scores: Scores) -> Scores:
    return logit(np.clip(scores, CLIP, 1 - CLIP))
