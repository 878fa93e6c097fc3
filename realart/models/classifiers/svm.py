"""Support vector machine with a radial basis function kernel."""

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist
from sklearn.svm import SVC

from realart.core.errors import RealartError
from realart.core.tables import Positions
from realart.features.vectors import FeatureVectors
from realart.metrics.classification import Labels, Scores
from realart.models.classifiers import (
    Arrays,
    Classifier,
    Hyperparameters,
    Weights,
    register,
)

MAX_ROWS = 20_000
"""Most rows: squared distances of all their pairs take 3.2 GB, and a kernel matrix as much."""


@register("svm")
class SupportVectorMachine(Classifier):
    """Support vector machine; squared distances of all pairs of rows are computed once."""

    hyperparameters = ("C", "gamma")

    def __init__(
        self, vectors: FeatureVectors, labels: Labels, weights: Weights, seed: int
    ) -> None:
        if len(labels) > MAX_ROWS:
            raise RealartError(
                f"an svm compares all pairs of {len(labels)} rows, which takes too much memory "
                f"above {MAX_ROWS} rows: set the recipe's head.name to logistic or boosting"
            )
        self.vectors, self.labels, self.weights = vectors, labels, weights
        self.squares = cdist(vectors, vectors, "sqeuclidean")

    def fit_predict(
        self, values: Hyperparameters, fitted: Positions, held_out: Positions
    ) -> Scores:
        model = self._fitted(values, fitted)
        return model.decision_function(self._kernel(values, held_out, fitted))

    def fit(self, values: Hyperparameters) -> Arrays:
        model = self._fitted(values, np.arange(len(self.labels)))
        return {
            "support": self.vectors[model.support_],
            "weights": model.dual_coef_[0],
            "offset": model.intercept_,
            "gamma": np.array(_gamma(values)),
        }

    @staticmethod
    def decision_values(vectors: FeatureVectors, arrays: Arrays) -> Scores:
        squares = cdist(vectors, arrays["support"], "sqeuclidean")
        return np.exp(-arrays["gamma"] * squares) @ arrays["weights"] + arrays["offset"]

    def _fitted(self, values: Hyperparameters, rows: Positions) -> SVC:
        model = SVC(C=values.get("C", 1.0), kernel="precomputed")
        kernel = self._kernel(values, rows, rows)
        return model.fit(kernel, self.labels[rows], self.weights[rows])

    def _kernel(
        self, values: Hyperparameters, rows: Positions, columns: Positions
    ) -> NDArray[np.float64]:
        kernel = self.squares[np.ix_(rows, columns)]
        kernel *= -_gamma(values)
        return np.exp(kernel, out=kernel)


def _gamma(values: Hyperparameters) -> float:
    """Return gamma, 1 by default: scikit-learn's `scale` for a mean squared length of 1."""
    return values.get("gamma", 1.0)
