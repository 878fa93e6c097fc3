"""Scores as probabilities: Platt's sigmoid, fitted on what a model has not seen."""

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression

from realart.metrics.classification import Labels, Scores
from realart.params import Strict

FLATTEST = 1e-3
"""Least slope of probabilities, per standard deviation of what they are made from."""
SUREST = 1e-6
"""A score is taken to be at least so far from 0 and 1: a network's may be equal to them."""


class Calibration(Strict):
    """A line on log-odds, by which scores become probabilities."""

    slope: float
    offset: float

    def __call__(self, scores: Scores) -> Scores:
        """Return the probability of ai for each score: shape (n,) in and out."""
        return expit(self.slope * _odds(scores) + self.offset)


def fit(labels: Labels, scores: Scores) -> Calibration:
    """Fit a calibration on pictures, each of which counts the same."""
    slope, offset = platt(labels, _odds(scores), np.ones(len(labels)))
    return Calibration(slope=slope, offset=offset)


def cross_calibrate(labels: Labels, scores: Scores, folds: NDArray[np.int64]) -> Scores:
    """Calibrate the scores of each fold by those of the others: probabilities, shape (n,)."""
    found = np.empty(len(scores))
    for fold in np.unique(folds):
        own = folds == fold
        found[own] = fit(labels[~own], scores[~own])(scores[own])
    return found


def platt(labels: Labels, values: Scores, weights: NDArray[np.float64]) -> tuple[float, float]:
    """Return slope and offset by which decision values become log-odds.

    Platt, "Probabilistic Outputs for Support Vector Machines", 1999, with his smoothed targets.
    Where chance made the slope negative it is set close to 0, and all probabilities to the share
    of ai: a classifier is not turned round.
    """
    centre, spread = values.mean(), max(float(values.std()), 1e-12)
    humans, ais = np.bincount(labels, minlength=2)
    targets = np.where(labels == 1, (ais + 1) / (ais + 2), 1 / (humans + 2))
    standard = np.tile((values - centre) / spread, 2)[:, None]
    both = np.repeat([1, 0], len(values))
    model = LogisticRegression(C=1e6)
    model.fit(standard, both, np.concatenate([weights * targets, weights * (1 - targets)]))
    slope, offset = float(model.coef_[0, 0]), float(model.intercept_[0])
    if slope < FLATTEST:
        slope, offset = FLATTEST, float(logit(np.average(targets, weights=weights)))
    return slope / spread, offset - slope * float(centre) / spread


def _odds(scores: Scores) -> Scores:
    return logit(np.clip(scores, SUREST, 1 - SUREST))
