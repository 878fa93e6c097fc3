"""Classifiers on feature vectors, tuned and calibrated on inner folds of their training rows.

Each kind of classifier is a class in a module of this package, registered under its name. A fitted
classifier is a set of arrays, stored as .npz without pickle; scoring needs NumPy alone.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit
from sklearn.metrics import log_loss
from sklearn.model_selection import StratifiedGroupKFold
from tqdm import tqdm

from realart.core.errors import RealartError
from realart.core.outputs import fresh_file
from realart.core.registry import Registry, import_modules
from realart.core.tables import Positions
from realart.features.vectors import FeatureVectors
from realart.metrics.calibration import platt
from realart.metrics.classification import Labels, Scores, figures
from realart.models import standardisation
from realart.params import ClassifierParams

INNER_FOLDS = 5
"""Grouped folds of the rows, on which hyperparameters are chosen and scores are calibrated."""

Weights = NDArray[np.float32]
Arrays = dict[str, Any]
"""The arrays of a fitted classifier, by name."""
Hyperparameters = dict[str, float]
"""Values of hyperparameters, by name."""


class Classifier(ABC):
    """A kind of classifier, constructed with the rows that it is fitted on.

    Parameters
    ----------
    vectors
        Standardised feature vectors, float32, shape (n, d).
    labels
        1 for ai and 0 for human, shape (n,).
    weights
        Sample weights in the loss, float32, shape (n,).
    seed
        Of all that is random.
    """

    hyperparameters: ClassVar[tuple[str, ...]]
    """scikit-learn's names of the hyperparameters that a grid may contain, as a literal tuple."""

    @abstractmethod
    def __init__(
        self, vectors: FeatureVectors, labels: Labels, weights: Weights, seed: int
    ) -> None:
        """Store the rows, and compute what all fits have in common."""

    @abstractmethod
    def fit_predict(
        self, values: Hyperparameters, fitted: Positions, held_out: Positions
    ) -> Scores:
        """Fit on some rows, and compute the decision values of others.

        Parameters
        ----------
        values
            Of hyperparameters.
        fitted, held_out
            Positions of the rows that are fitted on, and of m rows that are scored.

        Returns
        -------
        ndarray
            float64, shape (m,); above 0 for ai.

        Raises
        ------
        ValueError
            A hyperparameter is out of range.
        """

    @abstractmethod
    def fit(self, values: Hyperparameters) -> Arrays:
        """Fit on all rows, with these hyperparameters; return the arrays for `decision_values`."""

    @staticmethod
    @abstractmethod
    def decision_values(vectors: FeatureVectors, arrays: Arrays) -> Scores:
        """Compute decision values, float64 (n,), above 0 for ai, of standardised vectors (n, d)."""


CLASSIFIERS = Registry[type[Classifier]]("classifier")
"""All kinds of classifiers, by name."""

register = CLASSIFIERS.register


@dataclass(frozen=True)
class TrainingRows:
    """The rows that a classifier is fitted on, aligned by position.

    Attributes
    ----------
    vectors
        Feature vectors, float32, shape (n, d).
    labels
        1 for ai and 0 for human, shape (n,).
    weights
        Sample weights in the loss, float32, shape (n,).
    groups
        The group of near-duplicates of each row, shape (n,). Inner folds keep groups together.
    published
        Boolean, shape (n,). False for augmented copies: they are fitted on, but the scores that
        choose hyperparameters and calibrate are of published rows alone.
    """

    vectors: FeatureVectors
    labels: Labels
    weights: Weights
    groups: NDArray[Any]
    published: NDArray[np.bool_]


@dataclass(frozen=True)
class FittedClassifier:
    """A fitted classifier.

    Attributes
    ----------
    name
        Of its kind, in `CLASSIFIERS`.
    arrays
        Scaling of features, calibration, and the arrays of its kind.
    """

    name: str
    arrays: Arrays

    def scores(self, vectors: FeatureVectors) -> Scores:
        """Return the calibrated probabilities of ai, float64 (n,), of feature vectors (n, d)."""
        standard = standardisation.apply(vectors, self.arrays)
        values = CLASSIFIERS[self.name].decision_values(standard, self.arrays)
        slope, offset = self.arrays["calibration"]
        return expit(slope * values + offset)

    def save(self, path: Path) -> None:
        """Write the classifier to an .npz file; equal classifiers give equal bytes."""
        with fresh_file(path) as beside, beside.open("wb") as file:
            np.savez(file, name=np.array(self.name), **self.arrays)

    @staticmethod
    def load(path: Path) -> "FittedClassifier":
        """Load a classifier from an .npz file that `save` wrote.

        Raises
        ------
        ValueError
            It has a number that is not finite.
        """
        with np.load(path) as stored:
            arrays = dict(stored)
        name = str(arrays.pop("name"))
        if not all(np.isfinite(array).all() for array in arrays.values()):
            raise ValueError("it has numbers that are not finite")
        return FittedClassifier(name, arrays)


def fit(
    classifier: ClassifierParams, rows: TrainingRows, widths: Sequence[int], seed: int
) -> tuple[FittedClassifier, Hyperparameters]:
    """Choose hyperparameters by grid search on inner folds, calibrate, and fit on all rows.

    Features are standardised, those without spread set to 0, and scaled so that the squared length
    of a vector is 1 on average and each descriptor contributes equally to it. Each combination of
    hyperparameters is scored on grouped inner folds, and calibrated on these scores (Platt,
    "Probabilistic Outputs for Support Vector Machines", 1999). The combination with the lowest
    cross-entropy is fitted on all rows.

    Parameters
    ----------
    classifier
        Its name and grid.
    rows
        That are fitted on.
    widths
        The number of features of each descriptor, in the order of the vectors; they add up to d.
    seed
        Of the inner folds and of the classifier.

    Returns
    -------
    fitted, record
        The classifier; and its metrics in the form of an epoch's: `loss` and `accuracy` on its own
        rows, `val_loss` and `val_accuracy` of the inner scores, and the chosen hyperparameters.

    Raises
    ------
    RealartError
        There are too few groups, too many rows, or a hyperparameter's value is refused or makes a
        classifier diverge.
    """
    folds = _inner_folds(rows, seed)
    scaling = standardisation.fit(rows.vectors, widths)
    standard = standardisation.apply(rows.vectors, scaling)
    model = CLASSIFIERS[classifier.name](standard, rows.labels, rows.weights, seed)
    labels, weights = rows.labels[rows.published], _published_weights(rows)
    candidates = []
    combinations = list(_combinations(classifier.grid))
    for values in tqdm(combinations, "choose", unit=" settings", disable=None, leave=False):
        decisions = np.empty(len(rows.labels))
        for fitted, held_out in folds:
            decisions[held_out] = _fit_predict(model, values, fitted, held_out)
        decisions = decisions[rows.published]
        calibration = np.array(platt(labels, decisions, weights))
        scores = expit(calibration[0] * decisions + calibration[1])
        loss = log_loss(labels, scores, sample_weight=weights)
        candidates.append((loss, values, calibration, scores))
    _, values, calibration, scores = min(candidates, key=lambda candidate: candidate[0])
    arrays = {**scaling, **model.fit(values), "calibration": calibration}
    best = FittedClassifier(classifier.name, arrays)
    train_metrics = figures(rows.labels, best.scores(rows.vectors))
    inner_metrics = figures(labels, scores)
    return best, {
        "epoch": 0,
        "phase": 0,
        "loss": train_metrics["loss"],
        "accuracy": train_metrics["accuracy"],
        "val_loss": inner_metrics["loss"],
        "val_accuracy": inner_metrics["accuracy"],
        **values,
    }


def _inner_folds(rows: TrainingRows, seed: int) -> list[tuple[Positions, Positions]]:
    groups = min(len(np.unique(rows.groups[rows.labels == label])) for label in (0, 1))
    if groups < INNER_FOLDS:
        raise RealartError(
            f"a classifier is chosen on {INNER_FOLDS} inner folds, but a class has only {groups} "
            "unrelated groups of training pictures: add pictures, or lower split.folds"
        )
    splitter = StratifiedGroupKFold(INNER_FOLDS, shuffle=True, random_state=seed)
    return list(splitter.split(rows.vectors, rows.labels, rows.groups))


def _published_weights(rows: TrainingRows) -> NDArray[np.float64]:
    """Return the weight of each published row in validation: an equal share of its class's weight.

    In validation, classes thereby have the weights that `balance.method` gives them in fitting.
    """
    fitted = np.bincount(rows.labels, rows.weights, minlength=2)
    published = np.bincount(rows.labels[rows.published], minlength=2)
    return (fitted / np.maximum(published, 1))[rows.labels[rows.published]]


def _fit_predict(
    model: Classifier, values: Hyperparameters, fitted: Positions, held_out: Positions
) -> Scores:
    try:
        decisions = model.fit_predict(values, fitted, held_out)
    except ValueError as error:
        reason = str(error).splitlines()[0]
        raise RealartError(f"scikit-learn refuses {values}: {reason}") from error
    if not np.isfinite(decisions).all():
        raise RealartError(
            f"decision values of a classifier with {values} are not finite: take smaller values "
            "from the recipe's head.grid"
        )
    return decisions


def _combinations(grid: Mapping[str, Sequence[float]]) -> Iterator[Hyperparameters]:
    for values in product(*grid.values()):
        yield dict(zip(grid, values, strict=True))


import_modules(__name__, __path__)
