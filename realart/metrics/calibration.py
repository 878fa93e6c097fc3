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

PRIOR_OFFSET, PRIOR_LOG_SLOPE = 1.0, 0.5
"""Standard deviations of how far another set of pictures moves log-odds, and scales them."""


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


def refit(
    calibration: Calibration, labels: Labels, scores: Scores, weights: NDArray[np.float64]
) -> Calibration:
    """Refit a calibration on pictures of another origin, the fewer the closer to the old one.

    Log-odds u of the old calibration become exp(r) u + t, by the maximum a posteriori estimate of r
    and t under normal priors around 0, whose widths are `PRIOR_LOG_SLOPE` and `PRIOR_OFFSET`. So no
    picture changes nothing, and many make it Platt's method; the ranking stays.

    Parameters
    ----------
    calibration
        As it was fitted on out-of-fold scores.
    labels, scores, weights
        1 for ai and 0 for human, both present; uncalibrated scores from 0 to 1; and weights of the
        pictures, 1 for one that counts fully. Shape (n,).
    """
    odds = calibration.slope * _log_odds(scores) + calibration.offset
    signs = 2 * labels - 1

    def negative_log_posterior(values: NDArray[np.float64]) -> float:
        log_slope, offset = values
        losses = np.logaddexp(0, -signs * (np.exp(log_slope) * odds + offset))
        prior = (log_slope / PRIOR_LOG_SLOPE) ** 2 + (offset / PRIOR_OFFSET) ** 2
        return float(weights @ losses + prior / 2)

    log_slope, offset = minimize(negative_log_posterior, np.zeros(2), method="BFGS").x
    slope = float(np.exp(log_slope))
    return Calibration(
        slope=slope * calibration.slope, offset=slope * calibration.offset + float(offset)
    )


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
