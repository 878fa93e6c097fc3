"""Classification metrics of labels and scores. The positive class is `ai`."""

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
"""Probability of ai, from 0 to 1; shape (n,)."""
Figures = dict[str, float]
"""Metrics by name."""

THRESHOLD = 0.5
"""Score from which a picture is classified as ai."""
BINS = 10
"""Bins of a reliability diagram."""


def figures(labels: Labels, scores: Scores) -> Figures:
    """Compute all metrics of scores.

    None is NaN: a share of no pictures is 0, the AUC of a single class 0.5.

    Parameters
    ----------
    labels, scores
        1 for ai and 0 for human, and the probability of ai; shape (n,).

    Returns
    -------
    dict
        At `THRESHOLD`: accuracy, balanced_accuracy, precision, recall (true positive rate), f1,
        false_positive_rate (0 to 1), and mcc, Matthews' correlation coefficient (-1 to 1).
        Of the ranking: auc (area under the ROC curve), average_precision, and the highest recall at
        a false positive rate of at most 1 % and 5 %, tpr_at_1_fpr and tpr_at_5_fpr (0 to 1).
        Of scores as probabilities: brier (mean squared error, 0 to 1), ece (expected calibration
        error over the bins of `reliability`, 0 to 1) and loss (mean cross-entropy in nats).

    Examples
    --------
    >>> metrics = figures(np.array([0, 0, 1, 1]), np.array([0.1, 0.6, 0.4, 0.9]))
    >>> metrics["accuracy"], metrics["false_positive_rate"], metrics["auc"]
    (0.5, 0.5, 0.75)
    """
    return {
        **decision_figures(labels, scores),
        **ranking_figures(labels, scores),
        **probability_figures(labels, scores),
    }


def decision_figures(labels: Labels, scores: Scores, threshold: float = THRESHOLD) -> Figures:
    """Compute the metrics of `figures` that depend on a threshold, for scores of any scale.

    Parameters
    ----------
    labels, scores
        1 for ai and 0 for human, and scores, the higher for ai; shape (n,).
    threshold
        Score from which a picture is classified as ai.
    """
    predicted = (scores >= threshold).astype(np.int64)
    count = confusion(labels, scores, threshold)
    humans = max(count["tn"] + count["fp"], 1)
    precision, recall, f1, _ = metrics.precision_recall_fscore_support(
        labels, predicted, average="binary", zero_division=0
    )
    return {
        "accuracy": float(metrics.accuracy_score(labels, predicted)),
        "balanced_accuracy": float(recall + count["tn"] / humans) / 2,
        "precision": float(precision),
        "recall": float(recall),
        "f1": float(f1),
        "mcc": float(metrics.matthews_corrcoef(labels, predicted)),
        "false_positive_rate": count["fp"] / humans,
    }


def ranking_figures(labels: Labels, scores: Scores) -> Figures:
    """Compute the metrics of `figures` that depend on the ranking alone, for scores of any scale.

    The parameters are those of `decision_figures`.
    """
    if labels.min() == labels.max():  # there are no pairs to rank
        share = float(labels.mean())
        return {"auc": 0.5, "average_precision": share, "tpr_at_1_fpr": 0.0, "tpr_at_5_fpr": 0.0}
    fpr, tpr, _ = metrics.roc_curve(labels, scores, drop_intermediate=False)
    return {
        "auc": float(metrics.roc_auc_score(labels, scores)),
        "average_precision": float(metrics.average_precision_score(labels, scores)),
        "tpr_at_1_fpr": float(tpr[fpr <= 0.01].max()),
        "tpr_at_5_fpr": float(tpr[fpr <= 0.05].max()),
    }


def probability_figures(labels: Labels, scores: Scores) -> Figures:
    """Compute the metrics of `figures` of scores as probabilities.

    The parameters are those of `figures`.
    """
    bins = reliability(labels, scores)
    return {
        "brier": float(np.mean((scores - labels) ** 2)),
        "ece": float(
            np.average(np.abs(bins["probability"] - bins["share"]), weights=bins["pictures"])
        ),
        "loss": float(metrics.log_loss(labels, scores, labels=[0, 1])),
    }


def at(labels: Labels, scores: Scores, threshold: float) -> Figures:
    """Compute accuracy, precision, recall and false_positive_rate at a threshold.

    Parameters
    ----------
    labels, scores
        1 for ai and 0 for human, and the probability of ai; shape (n,).
    threshold
        Score from which a picture is classified as ai.
    """
    count = confusion(labels, scores, threshold)
    tn, fp, fn, tp = (count[name] for name in ("tn", "fp", "fn", "tp"))
    return {
        "accuracy": (tp + tn) / len(labels),
        "precision": tp / max(tp + fp, 1),
        "recall": tp / max(tp + fn, 1),
        "false_positive_rate": fp / max(fp + tn, 1),
    }


def reliability(labels: Labels, scores: Scores) -> pd.DataFrame:
    """Bin pictures by score for a reliability diagram, as many pictures in each bin.

    Bins of equal width would be mostly empty where scores are confident (Nguyen and O'Connor,
    "Posterior Calibration and Exploratory Analysis for Natural Language Processing Models", 2015).
    Equal scores may lie in two bins.

    Parameters
    ----------
    labels, scores
        1 for ai and 0 for human, and the probability of ai; shape (n,).

    Returns
    -------
    DataFrame
        A row for each of at most `BINS` bins, by ascending score. Columns probability (mean score),
        share (of ai), low and high (Wilson's 95 % interval of the share), pictures (count).
    """
    order = np.argsort(scores, kind="stable")
    rows = []
    for part in np.array_split(order, min(BINS, len(order))):
        share = intervals.wilson(int(labels[part].sum()), len(part))
        rows.append([scores[part].mean(), share.value, share.low, share.high, len(part)])
    return pd.DataFrame(rows, columns=["probability", "share", "low", "high", "pictures"])


def with_intervals(
    labels: Labels, scores: Scores, groups: pd.Series, threshold: float | None = THRESHOLD
) -> dict[str, Estimate]:
    """Compute the headline metrics with 95 % intervals.

    accuracy, precision, recall and false_positive_rate have Wilson's interval; auc and
    average_precision that of a bootstrap over groups.

    Parameters
    ----------
    labels, scores
        1 for ai and 0 for human, and scores, the higher for ai; shape (n,).
    groups
        The group of near-duplicates of each picture; length n.
    threshold
        Score from which a picture is classified as ai; None leaves out what depends on it.
    """
    estimates = {} if threshold is None else _decision_estimates(labels, scores, threshold)
    return {
        **estimates,
        "auc": intervals.of_auc(labels, scores, groups),
        "average_precision": intervals.of_average_precision(labels, scores, groups),
    }


def _decision_estimates(labels: Labels, scores: Scores, threshold: float) -> dict[str, Estimate]:
    count = confusion(labels, scores, threshold)
    tn, fp, fn, tp = (count[name] for name in ("tn", "fp", "fn", "tp"))
    return {
        "accuracy": intervals.wilson(tp + tn, len(labels)),
        "precision": intervals.wilson(tp, tp + fp),
        "recall": intervals.wilson(tp, tp + fn),
        "false_positive_rate": intervals.wilson(fp, fp + tn),
    }


def of_outputs(outputs: NDArray[np.float32]) -> Scores:
    """Return the probability of ai, shape (n,), from a network's outputs, shape (n, 1) or (n, 2).

    The last output is the probability of ai, be there one sigmoid or a softmax of two.
    """
    return outputs[:, -1].astype(np.float64)


def confusion(labels: Labels, scores: Scores, threshold: float = THRESHOLD) -> dict[str, int]:
    """Count true and false negatives and positives: keys tn, fp, fn, tp."""
    tn, fp, fn, tp = metrics.confusion_matrix(labels, scores >= threshold, labels=[0, 1]).ravel()
    return {"tn": int(tn), "fp": int(fp), "fn": int(fn), "tp": int(tp)}


def over_folds(folds: Sequence[Figures]) -> dict[str, Figures]:
    """Compute mean and sample standard deviation of each metric over two or more folds."""
    return {
        name: {
            "mean": float(np.mean([fold[name] for fold in folds])),
            "std": float(np.std([fold[name] for fold in folds], ddof=1)),
        }
        for name in folds[0]
    }


def best_fold(folds: Sequence[Figures]) -> int:
    """Return the index of the fold with the highest held-out accuracy, then the lowest loss."""
    return max(range(len(folds)), key=lambda k: (folds[k]["accuracy"], -folds[k]["loss"]))
