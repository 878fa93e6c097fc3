"""Classifiers on feature vectors: chosen and calibrated inside the rows that they are fitted on.

Each kind is a class in a module of this package that registers itself under its name. A fitted
classifier is arrays, stored as .npz without pickle, and scores by NumPy alone.
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
from realart.core.registry import Registry, hint, import_modules
from realart.core.tables import Positions
from realart.features.vectors import FeatureVectors
from realart.metrics.calibration import platt
from realart.metrics.classification import Labels, Scores, figures
from realart.params import ClassifierParams

INNER_FOLDS = 5
MAX_DEVIATION = 10.0
"""Standard deviations at which a standardised feature is clipped: no outlier decides alone."""

Weights = NDArray[np.float32]
Arrays = dict[str, Any]
"""Arrays of float or int, by their names."""
Hyperparameters = dict[str, float]
"""Values of hyperparameters, by their names."""


class Classifier(ABC):
    """A kind of classifier, given the rows that it is fitted on."""

    hyperparameters: ClassVar[tuple[str, ...]]
    """Names of the hyperparameters that a grid may have, as scikit-learn has them."""

    @abstractmethod
    def __init__(
        self, vectors: FeatureVectors, labels: Labels, weights: Weights, seed: int
    ) -> None:
        """Take n rows: standardised vectors (n, d), labels (n,), 1 for ai, and weights (n,)."""

    @abstractmethod
    def fit_predict(
        self, values: Hyperparameters, fitted: Positions, held_out: Positions
    ) -> Scores:
        """Fit on some of the rows, and return the decision values of others: above 0 is ai.

        Raises
        ------
        ValueError
            A hyperparameter is out of range.
        """

    @abstractmethod
    def fit(self, values: Hyperparameters) -> Arrays:
        """Fit on all rows, and return the arrays that `decision_values` needs."""

    @staticmethod
    @abstractmethod
    def decision_values(vectors: FeatureVectors, arrays: Arrays) -> Scores:
        """Return the decision values of standardised vectors: (n, d) in, float64 (n,) out."""


CLASSIFIERS = Registry[type[Classifier]]("classifier")
"""All kinds of classifier by name."""

register = CLASSIFIERS.register


def check(classifier: ClassifierParams, param: str) -> None:
    """Check that there is such a classifier, with the hyperparameters of its grid.

    Parameters
    ----------
    param
        Where `classifier` stands in params.yaml.

    Raises
    ------
    RealartError
        There is none, or it lacks a hyperparameter.
    """
    known = CLASSIFIERS.choose(classifier.name, f"{param}.name").hyperparameters
    for name in classifier.grid:
        if name not in known:
            raise RealartError(
                f"{param}.grid: {classifier.name} has no hyperparameter '{name}'"
                f"{hint(name, known)}; known: {', '.join(known)}"
            )


@dataclass(frozen=True)
class TrainingRows:
    """The rows that a classifier is fitted on, aligned by position.

    Attributes
    ----------
    vectors
        Shape (n, d).
    labels, weights
        1 for ai, and the weight of each row in the loss: shape (n,).
    groups
        Near-duplicate group of each row, shape (n,): never divided between inner folds.
    published
        False for copies, which are fitted on but not scored to choose hyperparameters; shape (n,).
    """

    vectors: FeatureVectors
    labels: Labels
    weights: Weights
    groups: NDArray[Any]
    published: NDArray[np.bool_]


@dataclass(frozen=True)
class FittedClassifier:
    """A fitted classifier: the name of its kind, and its arrays."""

    name: str
    arrays: Arrays

    def scores(self, vectors: FeatureVectors) -> Scores:
        """Return the calibrated probability of ai: (n, d) in, float64 (n,) out."""
        standard = _standardise(vectors, self.arrays)
        values = CLASSIFIERS[self.name].decision_values(standard, self.arrays)
        slope, offset = self.arrays["calibration"]
        return expit(slope * values + offset)

    def save(self, path: Path) -> None:
        """Write an .npz file; equal classifiers give equal bytes."""
        with fresh_file(path) as beside, beside.open("wb") as file:
            np.savez(file, name=np.array(self.name), **self.arrays)

    @staticmethod
    def load(path: Path) -> "FittedClassifier":
        """Load the file that `save` wrote."""
        with np.load(path) as stored:
            arrays = dict(stored)
        return FittedClassifier(str(arrays.pop("name")), arrays)


def fit(
    classifier: ClassifierParams, rows: TrainingRows, widths: Sequence[int], seed: int
) -> tuple[FittedClassifier, Hyperparameters]:
    """Choose hyperparameters, calibrate, and fit on all rows.

    Features are standardised, and divided so that each descriptor, `widths` wide, adds as much to
    the squared length of a vector: 1 in all; features without spread are left out. Each
    combination of hyperparameters is scored on grouped inner folds and calibrated on those scores
    (Platt, "Probabilistic Outputs for Support Vector Machines", 1999). The one of the lowest
    cross-entropy is fitted on all rows.

    Returns
    -------
    fitted, record
        The classifier, and figures as of an epoch: loss and accuracy on its rows, those of the
        inner scores as `val_...`, and the chosen hyperparameters.

    Raises
    ------
    RealartError
        Too few groups, too many rows, or a hyperparameter's value that scikit-learn refuses.
    """
    folds = _inner_folds(rows, seed)
    scaling = _scaling(rows.vectors, widths)
    standard = _standardise(rows.vectors, scaling)
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
    chosen = FittedClassifier(classifier.name, arrays)
    of_rows = figures(rows.labels, chosen.scores(rows.vectors))
    inner = figures(labels, scores)
    return chosen, {
        "epoch": 0,
        "phase": 0,
        "loss": of_rows["loss"],
        "accuracy": of_rows["accuracy"],
        "val_loss": inner["loss"],
        "val_accuracy": inner["accuracy"],
        **values,
    }


def _inner_folds(rows: TrainingRows, seed: int) -> list[tuple[Positions, Positions]]:
    groups = min(len(np.unique(rows.groups[rows.labels == label])) for label in (0, 1))
    if groups < INNER_FOLDS:
        raise RealartError(
            f"a head is chosen on {INNER_FOLDS} inner folds, but of a class there are only "
            f"{groups} groups of pictures to learn from: bring more, or lower split.folds"
        )
    splitter = StratifiedGroupKFold(INNER_FOLDS, shuffle=True, random_state=seed)
    return list(splitter.split(rows.vectors, rows.labels, rows.groups))


def _published_weights(rows: TrainingRows) -> NDArray[np.float64]:
    """Return the weight of each published row in validation: an equal share of its class's weight.

    So classes weigh as much in validation as `balance.method` makes them weigh in fitting.
    """
    fitted = np.bincount(rows.labels, rows.weights, minlength=2)
    published = np.bincount(rows.labels[rows.published], minlength=2)
    return (fitted / np.maximum(published, 1))[rows.labels[rows.published]]


def _fit_predict(
    model: Classifier, values: Hyperparameters, fitted: Positions, held_out: Positions
) -> Scores:
    try:
        return model.fit_predict(values, fitted, held_out)
    except ValueError as error:
        reason = str(error).splitlines()[0]
        raise RealartError(f"scikit-learn refuses the head with {values}: {reason}") from error


def _scaling(vectors: FeatureVectors, widths: Sequence[int]) -> Arrays:
    """Return mean and spread of each feature, and its share of a vector's length, 0 if constant."""
    mean = vectors.mean(axis=0, dtype=np.float64)
    spread = vectors.std(axis=0, dtype=np.float64)
    constant = spread <= 1e-6 * np.maximum(1, np.abs(mean))
    share = np.where(constant, 0, 1 / np.sqrt(np.repeat(widths, widths) * len(widths)))
    return {
        "mean": mean.astype(np.float32),
        "spread": np.where(constant, 1, spread).astype(np.float32),
        "share": share.astype(np.float32),
    }


def _standardise(vectors: FeatureVectors, arrays: Arrays) -> FeatureVectors:
    standard = (vectors - arrays["mean"]) / arrays["spread"]
    return np.clip(standard, -MAX_DEVIATION, MAX_DEVIATION) * arrays["share"]


def _combinations(grid: Mapping[str, Sequence[float]]) -> Iterator[Hyperparameters]:
    for values in product(*grid.values()):
        yield dict(zip(grid, values, strict=True))


import_modules(__name__, __path__)
