"""What scores are worth: the figures of metrics.json. The positive class is `ai`."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn import metrics

from realart.params import Goals

Labels = NDArray[np.int64]
"""1 for ai, 0 for human; shape (n,)."""
Scores = NDArray[np.float64]
"""Probability of ai; shape (n,)."""
Figures = dict[str, float]

THRESHOLD = 0.5
"""Score from which a picture is called ai."""


def figures(labels: Labels, scores: Scores) -> Figures:
    """Return accuracy, balanced accuracy, precision, recall, F1, AUC, average precision and loss.

    Precision of a model that calls nothing ai is 0; loss is the mean cross-entropy in nats.
    """
    called = (scores >= THRESHOLD).astype(np.int64)
    precision, recall, f1, _ = metrics.precision_recall_fscore_support(
        labels, called, average="binary", zero_division=0
    )
    return {
        "accuracy": float(metrics.accuracy_score(labels, called)),
        "balanced_accuracy": float(metrics.balanced_accuracy_score(labels, called)),
        "precision": float(precision),
        "recall": float(recall),
        "f1": float(f1),
        "auc": float(metrics.roc_auc_score(labels, scores)),
        "average_precision": float(metrics.average_precision_score(labels, scores)),
        "loss": float(metrics.log_loss(labels, scores, labels=[0, 1])),
    }


def of_outputs(outputs: NDArray[np.float32]) -> Scores:
    """Return the probability of `ai` from a network's outputs (n, 1 or 2): float64, shape (n,)."""
    return outputs[:, -1].astype(np.float64)


def confusion(labels: Labels, scores: Scores) -> dict[str, int]:
    """Count true and false negatives and positives."""
    tn, fp, fn, tp = metrics.confusion_matrix(labels, scores >= THRESHOLD, labels=[0, 1]).ravel()
    return {"tn": int(tn), "fp": int(fp), "fn": int(fn), "tp": int(tp)}


def over_folds(folds: Sequence[Figures]) -> dict[str, Figures]:
    """Return mean and standard deviation (of a sample) of each figure over folds."""
    return {
        name: {
            "mean": float(np.mean([fold[name] for fold in folds])),
            "std": float(np.std([fold[name] for fold in folds], ddof=1)),
        }
        for name in folds[0]
    }


def goals_met(test: Figures, goals: Goals) -> dict[str, bool]:
    """Say of each goal whether the test part reaches it."""
    return {name: test[name] >= goal for name, goal in goals.model_dump().items()}


def best_fold(folds: Sequence[Figures]) -> int:
    """Choose the fold whose model has the highest held-out accuracy, then the lowest loss."""
    return max(range(len(folds)), key=lambda k: (folds[k]["accuracy"], -folds[k]["loss"]))
