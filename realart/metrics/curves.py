"""Curves and the confusion matrix as tables, which `dvc plots` draws."""

from pathlib import Path

import numpy as np
import pandas as pd
from sklearn import metrics

from realart.metrics import classification
from realart.metrics.classification import THRESHOLD, Labels, Scores
from realart.metrics.thresholds import coverage
from realart.params import CLASSES


def roc(labels: Labels, scores: Scores) -> pd.DataFrame:
    """Compute the ROC curve: columns fpr, tpr and threshold, by rising fpr.

    The first threshold, which no score reaches, is written as 1, or as the highest score above 1.
    """
    fpr, tpr, threshold = metrics.roc_curve(labels, scores)
    threshold[0] = max(1.0, scores.max())
    return pd.DataFrame({"fpr": fpr, "tpr": tpr, "threshold": threshold})


def precision_recall(labels: Labels, scores: Scores) -> pd.DataFrame:
    """Compute the precision-recall curve: columns recall, falling from 1 to 0, and precision."""
    precision, recall, _ = metrics.precision_recall_curve(labels, scores)
    return pd.DataFrame({"recall": recall, "precision": precision})


def confusion(labels: Labels, scores: Scores, threshold: float = THRESHOLD) -> pd.DataFrame:
    """Compute the confusion matrix, a row for each of its four cells.

    Columns actual and predicted (`human` or `ai`), pictures (how many), and share (of the pictures
    that are actually of the class; 0 where there are none).
    """
    count = classification.confusion(labels, scores, threshold)
    matrix = np.array([[count["tn"], count["fp"]], [count["fn"], count["tp"]]])
    share = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    return pd.DataFrame(
        {
            "actual": np.repeat(CLASSES, 2),
            "predicted": np.tile(CLASSES, 2),
            "pictures": matrix.ravel(),
            "share": share.ravel(),
        }
    )


def write_confusion(labels: Labels, scores: Scores, threshold: float, folder: Path) -> None:
    """Write the decisions at a threshold as confusion.csv into an existing folder."""
    confusion(labels, scores, threshold).to_csv(folder / "confusion.csv", index=False)


def write_ranking(labels: Labels, scores: Scores, folder: Path) -> None:
    """Write roc.csv and precision_recall.csv into an existing folder."""
    roc(labels, scores).to_csv(folder / "roc.csv", index=False)
    precision_recall(labels, scores).to_csv(folder / "precision_recall.csv", index=False)


def write_calibration(labels: Labels, probabilities: Scores, folder: Path) -> None:
    """Write reliability.csv and coverage.csv into an existing folder."""
    reliability = classification.reliability(labels, probabilities)
    reliability.to_csv(folder / "reliability.csv", index=False)
    coverage(labels, probabilities).to_csv(folder / "coverage.csv", index=False)
