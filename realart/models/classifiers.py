"""Heads of scikit-learn on feature vectors: chosen and calibrated inside the rows they learn from.

A fitted head is arrays, kept as .npz without pickle, and scores by NumPy alone.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist
from scipy.special import expit
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.svm import SVC
from tqdm import tqdm

from realart.core.errors import RealartError
from realart.core.outputs import fresh_file
from realart.core.tables import Positions
from realart.features.vectors import FeatureVectors
from realart.metrics.calibration import platt
from realart.metrics.classification import Labels, Scores, figures
from realart.params import ClassifierParams

INNER_FOLDS = 5
MOST_ROWS = 20_000
"""Of a support vector machine: distances of all pairs take 3.2 GB, a kernel of them as much."""
FARTHEST = 10.0
"""Standard deviations at which a number is cut: one that is off must not decide."""

Arrays = dict[str, Any]
"""Arrays of float or int, by their names."""
Hyperparameters = dict[str, float]
"""Of hyperparameters, by their names."""


@dataclass(frozen=True)
class TrainingRows:
    """What a head learns from, aligned by position.

    Attributes
    ----------
    vectors
        Shape (n, d).
    labels, weights
        1 for ai, shape (n,); what each row counts.
    groups
        Near-duplicate group of each row, shape (n,): never divided between inner folds.
    published
        False for copies, which are learnt from but say nothing of how good a head is; shape (n,).
    """

    vectors: FeatureVectors
    labels: Labels
    weights: NDArray[np.float32]
    groups: NDArray[Any]
    published: NDArray[np.bool_]


@dataclass(frozen=True)
class FittedClassifier:
    """A trained head: its kind and its arrays."""

    name: str
    arrays: Arrays

    def scores(self, vectors: FeatureVectors) -> Scores:
        """Return the calibrated probability of ai: (n, d) in, float64 (n,) out."""
        values = _DECISIONS[self.name](_standard(vectors, self.arrays), self.arrays)
        slope, offset = self.arrays["calibration"]
        return expit(slope * values + offset)

    def save(self, path: Path) -> None:
        """Write the head; same head, same bytes."""
        with fresh_file(path) as beside, beside.open("wb") as file:
            np.savez(file, name=np.array(self.name), **self.arrays)

    @staticmethod
    def load(path: Path) -> "FittedClassifier":
        """Read what `save` wrote."""
        with np.load(path) as stored:
            arrays = dict(stored)
        return FittedClassifier(str(arrays.pop("name")), arrays)


def fit(
    head: ClassifierParams, rows: TrainingRows, widths: Sequence[int], seed: int
) -> tuple[FittedClassifier, Hyperparameters]:
    """Fit a head.

    Numbers are standardised, and divided so that each descriptor, `widths` wide, adds as much to
    the squared length of a vector: 1 in all; those without spread say nothing. Each combination of
    hyperparameters is scored on grouped inner folds and calibrated on those scores; the lowest
    cross-entropy is chosen and fitted on all rows.

    Returns
    -------
    fitted, record
        The head, and what is known of it, as of an epoch: loss and accuracy on its rows, those of
        the inner scores as `val_...`, and the hyperparameters.

    Raises
    ------
    RealartError
        Too few groups, too many rows, or a hyperparameter's value that scikit-learn refuses.
    """
    folds = _inner_folds(rows, seed)
    scaling = _scaling(rows.vectors, widths)
    standard = _standard(rows.vectors, scaling)
    learner = _LEARNERS[head.name](standard, rows.labels, rows.weights, seed)
    labels, weights = rows.labels[rows.published], _standing(rows)
    tried = []
    combinations = list(_combinations(head.grid))
    for values in tqdm(combinations, "choose", unit=" settings", disable=None, leave=False):
        said = np.empty(len(rows.labels))
        for learnt, judged in folds:
            said[judged] = _decided(learner, values, learnt, judged)
        calibration = np.array(platt(labels, said[rows.published], weights))
        scores = expit(calibration[0] * said[rows.published] + calibration[1])
        tried.append((log_loss(labels, scores, sample_weight=weights), values, calibration, scores))
    _, values, calibration, scores = min(tried, key=lambda one: one[0])
    arrays = {**scaling, **learner.arrays(values), "calibration": calibration}
    fitted = FittedClassifier(head.name, arrays)
    of_rows = figures(rows.labels, fitted.scores(rows.vectors))
    inner = figures(labels, scores)
    return fitted, {
        "epoch": 0,
        "phase": 0,
        "loss": of_rows["loss"],
        "accuracy": of_rows["accuracy"],
        "val_loss": inner["loss"],
        "val_accuracy": inner["accuracy"],
        **values,
    }


class Learner(Protocol):
    """A classifier on given rows, for any hyperparameters and any choice of the rows."""

    def decide(self, values: Hyperparameters, learnt: Positions, judged: Positions) -> Scores:
        """Fit on some rows, and return decision values of others: above 0 is ai."""

    def arrays(self, values: Hyperparameters) -> Arrays:
        """Fit on all rows, and return what a decision needs."""


class _Svm:
    """A support vector machine with radial basis functions; distances are computed once."""

    def __init__(self, vectors: FeatureVectors, labels: Labels, weights: Any, seed: int) -> None:
        if len(labels) > MOST_ROWS:
            raise RealartError(
                f"an svm compares each of {len(labels)} rows with all others, which takes too much "
                f"memory above {MOST_ROWS}: set the recipe's head.name to logistic or boosting"
            )
        self.vectors, self.labels, self.weights = vectors, labels, weights
        self.squares = cdist(vectors, vectors, "sqeuclidean")

    def decide(self, values: Hyperparameters, learnt: Positions, judged: Positions) -> Scores:
        model = self._fitted(values, learnt)
        return model.decision_function(self._kernel(values, judged, learnt))

    def arrays(self, values: Hyperparameters) -> Arrays:
        model = self._fitted(values, np.arange(len(self.labels)))
        return {
            "support": self.vectors[model.support_],
            "weights": model.dual_coef_[0],
            "offset": model.intercept_,
            "gamma": np.array(_gamma(values)),
        }

    def _fitted(self, values: Hyperparameters, learnt: Positions) -> SVC:
        model = SVC(C=values.get("C", 1.0), kernel="precomputed")
        kernel = self._kernel(values, learnt, learnt)
        return model.fit(kernel, self.labels[learnt], self.weights[learnt])

    def _kernel(
        self, values: Hyperparameters, one: Positions, other: Positions
    ) -> NDArray[np.float64]:
        kernel = self.squares[np.ix_(one, other)]
        kernel *= -_gamma(values)
        return np.exp(kernel, out=kernel)


def _gamma(values: Hyperparameters) -> float:
    """Return the width of the radial basis functions; 1 is scikit-learn's `scale`."""
    return values.get("gamma", 1.0)


class _Logistic:
    """A logistic regression, fitted in the space that the rows span: there lies its solution."""

    def __init__(self, vectors: FeatureVectors, labels: Labels, weights: Any, seed: int) -> None:
        self.labels, self.weights = labels, weights
        left, sizes, self.axes = np.linalg.svd(vectors, full_matrices=False)
        self.rotated = left * sizes

    def decide(self, values: Hyperparameters, learnt: Positions, judged: Positions) -> Scores:
        return self._fitted(values, learnt).decision_function(self.rotated[judged])

    def arrays(self, values: Hyperparameters) -> Arrays:
        model = self._fitted(values, np.arange(len(self.labels)))
        return {"weights": model.coef_[0] @ self.axes, "offset": model.intercept_}

    def _fitted(self, values: Hyperparameters, learnt: Positions) -> LogisticRegression:
        model = LogisticRegression(**values, max_iter=10_000)
        return model.fit(self.rotated[learnt], self.labels[learnt], self.weights[learnt])


class _Boosting:
    """A histogram gradient boosting of trees."""

    def __init__(self, vectors: FeatureVectors, labels: Labels, weights: Any, seed: int) -> None:
        self.vectors, self.labels, self.weights, self.seed = vectors, labels, weights, seed

    def decide(self, values: Hyperparameters, learnt: Positions, judged: Positions) -> Scores:
        return self._fitted(values, learnt).decision_function(self.vectors[judged])

    def arrays(self, values: Hyperparameters) -> Arrays:
        model = self._fitted(values, np.arange(len(self.labels)))
        trees = [one.nodes for (one,) in model._predictors]  # scikit-learn has no public access
        starts = np.cumsum([0, *(len(tree) for tree in trees)])[:-1]
        nodes = np.concatenate(trees)
        offsets = np.repeat(starts, [len(tree) for tree in trees])
        return {
            "starts": starts,
            "left": nodes["left"] + offsets,
            "right": nodes["right"] + offsets,
            "number": nodes["feature_idx"].astype(np.int64),
            "threshold": nodes["num_threshold"],
            "leaf": nodes["is_leaf"].astype(bool),
            "value": nodes["value"],
            "offset": model._baseline_prediction.ravel(),
        }

    def _fitted(self, values: Hyperparameters, learnt: Positions) -> HistGradientBoostingClassifier:
        model = HistGradientBoostingClassifier(
            **values, early_stopping=False, random_state=self.seed
        )
        return model.fit(self.vectors[learnt], self.labels[learnt], self.weights[learnt])


def _svm(vectors: FeatureVectors, arrays: Arrays) -> Scores:
    squares = cdist(vectors, arrays["support"], "sqeuclidean")
    return np.exp(-arrays["gamma"] * squares) @ arrays["weights"] + arrays["offset"]


def _logistic(vectors: FeatureVectors, arrays: Arrays) -> Scores:
    return vectors @ arrays["weights"] + arrays["offset"]


def _boosting(vectors: FeatureVectors, arrays: Arrays) -> Scores:
    """Walk down all trees at once, each picture from each root."""
    at = np.tile(arrays["starts"], (len(vectors), 1))
    picture = np.arange(len(vectors))[:, None]
    while not (done := arrays["leaf"][at]).all():
        left = vectors[picture, arrays["number"][at]] <= arrays["threshold"][at]
        below = np.where(left, arrays["left"][at], arrays["right"][at])
        at = np.where(done, at, below)
    return arrays["value"][at].sum(1) + arrays["offset"]


_LEARNERS: dict[str, type[_Svm] | type[_Logistic] | type[_Boosting]] = {
    "svm": _Svm,
    "logistic": _Logistic,
    "boosting": _Boosting,
}
_DECISIONS: dict[str, Callable[[FeatureVectors, Arrays], Scores]] = {
    "svm": _svm,
    "logistic": _logistic,
    "boosting": _boosting,
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


def _standing(rows: TrainingRows) -> NDArray[np.float64]:
    """Return what each published row counts in judging: its share of what its class has learnt.

    So classes weigh as much here as `balance.method` has made them weigh there.
    """
    learnt = np.bincount(rows.labels, rows.weights, minlength=2)
    published = np.bincount(rows.labels[rows.published], minlength=2)
    return (learnt / np.maximum(published, 1))[rows.labels[rows.published]]


def _decided(
    learner: Learner, values: Hyperparameters, learnt: Positions, judged: Positions
) -> Scores:
    try:
        return learner.decide(values, learnt, judged)
    except ValueError as error:
        said = str(error).splitlines()[0]
        raise RealartError(f"scikit-learn refuses the head with {values}: {said}") from error


def _scaling(vectors: FeatureVectors, widths: Sequence[int]) -> Arrays:
    mean, spread = (one(axis=0, dtype=np.float64) for one in (vectors.mean, vectors.std))
    constant = spread <= 1e-6 * np.maximum(1, np.abs(mean))
    share = np.where(constant, 0, 1 / np.sqrt(np.repeat(widths, widths) * len(widths)))
    return {
        "mean": mean.astype(np.float32),
        "spread": np.where(constant, 1, spread).astype(np.float32),
        "share": share.astype(np.float32),
    }


def _standard(vectors: FeatureVectors, arrays: Arrays) -> FeatureVectors:
    standard = (vectors - arrays["mean"]) / arrays["spread"]
    return np.clip(standard, -FARTHEST, FARTHEST) * arrays["share"]


def _combinations(grid: Mapping[str, Sequence[float]]) -> Iterator[Hyperparameters]:
    for values in product(*grid.values()):
        yield dict(zip(grid, values, strict=True))
