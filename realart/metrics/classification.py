"""What scores are worth: the figures of metrics.json. The positive class is `ai`."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn import metrics

from realart.metrics import intervals
from realart.metrics.intervals import Estimate

Labels = NDArray[np.int64]
"""1 for ai, 0 for human; shape (n,)."""
Scores = NDArray[np.float64]
"""Probability of ai; shape (n,)."""
Figures = dict[str, float]

THRESHOLD = 0.5
"""Score from which a picture is called ai."""
BINS = 10


def figures(labels: Labels, scores: Scores) -> Figures:
    """Return what scores are worth, all of it between 0 and 1 but `mcc` and `loss`.

    Nothing is NaN: a share of no pictures is 0, and of one class alone the AUC is 1/2.

    accuracy, balanced_accuracy, precision, recall, f1, mcc, false_positive_rate
        Of verdicts at `THRESHOLD`. Precision of a model that calls nothing ai is 0. `mcc` is
        Matthews' correlation coefficient, from -1 to 1.
    auc, average_precision, tpr_at_1_fpr, tpr_at_5_fpr
        Of the order of scores. The last two are the most ai art that can be found while at most 1 %
        or 5 % of human art is accused.
    brier, ece, loss
        Of scores as probabilities: mean squared error, expected calibration error (the distance of
        `reliability` from the diagonal) and mean cross-entropy in nats.
    """
    called = (scores >= THRESHOLD).astype(np.int64)
    count = confusion(labels, scores)
    humans = max(count["tn"] + count["fp"], 1)
    told = reliability(labels, scores)
    precision, recall, f1, _ = metrics.precision_recall_fscore_support(
        labels, called, average="binary", zero_division=0
    )
    return {
        "accuracy": float(metrics.accuracy_score(labels, called)),
        "balanced_accuracy": float(recall + count["tn"] / humans) / 2,
        "precision": float(precision),
        "recall": float(recall),
        "f1": float(f1),
        "mcc": float(metrics.matthews_corrcoef(labels, called)),
        "false_positive_rate": count["fp"] / humans,
        **_of_order(labels, scores),
        "brier": float(np.mean((scores - labels) ** 2)),
        "ece": float(
            np.average(np.abs(told["probability"] - told["share"]), weights=told["pictures"])
        ),
        "loss": float(metrics.log_loss(labels, scores, labels=[0, 1])),
    }


def _of_order(labels: Labels, scores: Scores) -> Figures:
    if labels.min() == labels.max():  # there is nothing to put in order
        share = float(labels.mean())
        return {"auc": 0.5, "average_precision": share, "tpr_at_1_fpr": 0.0, "tpr_at_5_fpr": 0.0}
    fpr, tpr, _ = metrics.roc_curve(labels, scores, drop_intermediate=False)
    return {
        "auc": float(metrics.roc_auc_score(labels, scores)),
        "average_precision": float(metrics.average_precision_score(labels, scores)),
        "tpr_at_1_fpr": float(tpr[fpr <= 0.01].max()),
        "tpr_at_5_fpr": float(tpr[fpr <= 0.05].max()),
    }


def at(labels: Labels, scores: Scores, threshold: float) -> Figures:
    """Return accuracy, precision, recall and false-positive rate of verdicts at a threshold."""
    count = confusion(labels, scores, threshold)
    tn, fp, fn, tp = (count[name] for name in ("tn", "fp", "fn", "tp"))
    return {
        "accuracy": (tp + tn) / len(labels),
        "precision": tp / max(tp + fp, 1),
        "recall": tp / max(tp + fn, 1),
        "false_positive_rate": fp / max(fp + tn, 1),
    }


def reliability(labels: Labels, scores: Scores) -> pd.DataFrame:
    """Divide pictures by score into bins of equally many, and say how many of them are ai.

    Columns probability (mean score), share (of ai), low, high (95 % of the share), pictures. Bins
    of equal width would be mostly empty where scores are sure (Nguyen and O'Connor, "Posterior
    Calibration and Exploratory Analysis for Natural Language Processing Models", 2015). Equal
    scores may lie in two bins.
    """
    order = np.argsort(scores, kind="stable")
    rows = []
    for part in np.array_split(order, min(BINS, len(order))):
        share = intervals.wilson(int(labels[part].sum()), len(part))
        rows.append([scores[part].mean(), share.value, share.low, share.high, len(part)])
    return pd.DataFrame(rows, columns=["probability", "share", "low", "high", "pictures"])


def with_intervals(labels: Labels, scores: Scores, groups: pd.Series) -> dict[str, Estimate]:
    """Return headline figures with 95 % intervals.

    Shares of pictures have Wilson's; AUC and average precision those of a bootstrap over groups of
    near-duplicates.
    """
    count = confusion(labels, scores)
    tn, fp, fn, tp = (count[name] for name in ("tn", "fp", "fn", "tp"))
    return {
        "accuracy": intervals.wilson(tp + tn, len(labels)),
        "precision": intervals.wilson(tp, tp + fp),
        "recall": intervals.wilson(tp, tp + fn),
        "false_positive_rate": intervals.wilson(fp, fp + tn),
        "auc": intervals.of_auc(labels, scores, groups),
        "average_precision": intervals.of_average_precision(labels, scores, groups),
    }


def of_outputs(outputs: NDArray[np.float32]) -> Scores:
    """Return the probability of `ai` from a network's outputs (n, 1 or 2): float64, shape (n,)."""
    return outputs[:, -1].astype(np.float64)


def confusion(labels: Labels, scores: Scores, threshold: float = THRESHOLD) -> dict[str, int]:
    """Count true and false negatives and positives."""
    tn, fp, fn, tp = metrics.confusion_matrix(labels, scores >= threshold, labels=[0, 1]).ravel()
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


def best_fold(folds: Sequence[Figures]) -> int:
    """Choose the fold whose model has the highest held-out accuracy, then the lowest loss."""
    return max(range(len(folds)), key=lambda k: (folds[k]["accuracy"], -folds[k]["loss"]))
