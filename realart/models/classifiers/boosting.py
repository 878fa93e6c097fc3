"""Gradient-boosted decision trees."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier

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


@register("boosting")
class Boosting(Classifier):
    """Gradient-boosted decision trees on binned features, as scikit-learn fits them.

    Ke et al., "LightGBM: A Highly Efficient Gradient Boosting Decision Tree", 2017.
    """

    hyperparameters = (
        "learning_rate",
        "max_iter",
        "max_leaf_nodes",
        "min_samples_leaf",
        "l2_regularization",
        "max_features",
    )

    def __init__(
        self, vectors: FeatureVectors, labels: Labels, weights: Weights, seed: int
    ) -> None:
        self.vectors, self.labels, self.weights, self.seed = vectors, labels, weights, seed

    def fit_predict(
        self, values: Hyperparameters, fitted: Positions, held_out: Positions
    ) -> Scores:
        return self._fitted(values, fitted).decision_function(self.vectors[held_out])

    def fit(self, values: Hyperparameters) -> Arrays:
        trees, baseline = _trees(self._fitted(values, np.arange(len(self.labels))))
        sizes = [len(tree) for tree in trees]
        starts = np.cumsum([0, *sizes])[:-1]
        nodes = np.concatenate(trees)
        offsets = np.repeat(starts, sizes)
        return {
            "starts": starts,
            "left": nodes["left"] + offsets,
            "right": nodes["right"] + offsets,
            "number": nodes["feature_idx"].astype(np.int64),
            "threshold": nodes["num_threshold"],
            "leaf": nodes["is_leaf"].astype(bool),
            "value": nodes["value"],
            "offset": baseline,
        }

    @staticmethod
    def decision_values(vectors: FeatureVectors, arrays: Arrays) -> Scores:
        """Compute decision values: the sum of the leaves that a vector reaches, over all trees.

        All trees are descended at once, a level a step, until every node is a leaf.
        """
        node = np.tile(arrays["starts"], (len(vectors), 1))
        row = np.arange(len(vectors))[:, None]
        while not (leaf := arrays["leaf"][node]).all():
            is_left = vectors[row, arrays["number"][node]] <= arrays["threshold"][node]
            child = np.where(is_left, arrays["left"][node], arrays["right"][node])
            node = np.where(leaf, node, child)
        return arrays["value"][node].sum(1) + arrays["offset"]

    def _fitted(self, values: Hyperparameters, rows: Positions) -> HistGradientBoostingClassifier:
        model = HistGradientBoostingClassifier(
            **values, early_stopping=False, random_state=self.seed
        )
        return model.fit(self.vectors[rows], self.labels[rows], self.weights[rows])


def _trees(model: HistGradientBoostingClassifier) -> tuple[list[NDArray[Any]], NDArray[np.float64]]:
    """Return the nodes of each tree, a structured array, and the value that the leaves add to.

    These are private attributes of scikit-learn, which has no public ones for them. A test compares
    the decision values with those of `decision_function`, and fails if the attributes change.
    """
    trees = [tree.nodes for (tree,) in model._predictors]
    return trees, model._baseline_prediction.ravel()
