"""Logistic regression."""

import numpy as np
from sklearn.linear_model import LogisticRegression

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


@register("logistic")
class Logistic(Classifier):
    """Logistic regression with an L2 penalty.

    It is fitted in the space that the rows span, by a singular value decomposition: the solution
    lies in it, and has no more coordinates than there are rows.
    """

    hyperparameters = ("C",)

    def __init__(
        self, vectors: FeatureVectors, labels: Labels, weights: Weights, seed: int
    ) -> None:
        self.labels, self.weights = labels, weights
        left, sizes, self.axes = np.linalg.svd(vectors, full_matrices=False)
        self.rotated = left * sizes

    def fit_predict(
        self, values: Hyperparameters, fitted: Positions, held_out: Positions
    ) -> Scores:
        return self._fitted(values, fitted).decision_function(self.rotated[held_out])

    def fit(self, values: Hyperparameters) -> Arrays:
        model = self._fitted(values, np.arange(len(self.labels)))
        return {"weights": model.coef_[0] @ self.axes, "offset": model.intercept_}

    @staticmethod
    def decision_values(vectors: FeatureVectors, arrays: Arrays) -> Scores:
        return vectors @ arrays["weights"] + arrays["offset"]

    def _fitted(self, values: Hyperparameters, rows: Positions) -> LogisticRegression:
        model = LogisticRegression(**values, max_iter=10_000)
        return model.fit(self.rotated[rows], self.labels[rows], self.weights[rows])
