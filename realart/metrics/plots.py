"""Plots of metrics, drawn as PNG files."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from realart.core.outputs import fresh_file
from realart.metrics import classification, curves, text
from realart.metrics.classification import THRESHOLD, Labels, Scores
from realart.metrics.thresholds import coverage
from realart.params import CLASSES

matplotlib.use("Agg")

AI, HUMAN, GREY = "#c2410c", "#1d4ed8", "#9ca3af"
FOLDS = ("#0f766e", "#b45309", "#7c3aed", "#be123c", "#4d7c0f", "#0369a1", "#a21caf", "#57534e")


def draw_history(history: pd.DataFrame, path: Path) -> None:
    """Draw loss and accuracy by epoch, a colour a fold: training dashed, validation solid."""
    figure, axes = _figure(2)
    for axis, name in zip(axes, ("loss", "accuracy"), strict=True):
        for fold, records in history.groupby("fold"):
            colour = FOLDS[int(str(fold)) % len(FOLDS)]
            axis.plot(records["epoch"] + 1, records[name], "--", color=colour, alpha=0.5, lw=1)
            axis.plot(records["epoch"] + 1, records[f"val_{name}"], color=colour, label=f"{fold}")
        axis.set(title=f"{name.capitalize()} by epoch", xlabel="epoch", ylabel=name)
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes[1].plot([], [], "--", color=GREY, label="training")
    axes[1].legend(title="fold, validation", frameon=False, bbox_to_anchor=(1, 1), loc="upper left")
    save(figure, path)


def draw_curves(
    named: dict[str, tuple[Labels, Scores]], figures: dict[str, Any], path: Path
) -> None:
    """Draw ROC and precision-recall curves of named parts, with their areas and 95 % intervals.

    Parameters
    ----------
    named
        Labels and scores, shape (n,), of each part by its name.
    figures
        What `thresholds.evaluate_decisions` returns for each part.
    path
        Of the PNG file.
    """
    figure, axes = _figure(2)
    for (name, (labels, scores)), colour in zip(named.items(), (AI, HUMAN), strict=False):
        curve = curves.roc(labels, scores)
        area = text.format_figure("auc", figures[name])
        axes[0].plot(curve["fpr"], curve["tpr"], color=colour, label=f"{name}: AUC {area}")
        curve = curves.precision_recall(labels, scores)
        area = text.format_figure("average_precision", figures[name])
        axes[1].plot(curve["recall"], curve["precision"], color=colour, label=f"{name}: AP {area}")
    axes[0].plot([0, 1], [0, 1], ":", color=GREY)
    axes[0].set(
        title="ROC curve",
        xlabel="false positive rate (human art called ai)",
        ylabel="recall (true positive rate)",
    )
    axes[1].set(title="Precision-recall curve", xlabel="recall", ylabel="precision")
    for axis in axes:
        axis.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
        axis.legend(frameon=False, loc="lower center")
    save(figure, path)


def draw_calibration(
    named: dict[str, tuple[Labels, Scores]], precision: float | None, path: Path
) -> None:
    """Draw a reliability diagram and accuracy against coverage of named parts.

    Parameters
    ----------
    named
        Labels and scores, shape (n,), of each part by its name.
    precision
        The promised precision of decisions, drawn as a line; None draws none.
    path
        Of the PNG file.
    """
    figure, axes = _figure(2)
    for (name, (labels, scores)), colour in zip(named.items(), (AI, HUMAN), strict=False):
        table = classification.reliability(labels, scores)
        error = [table["share"] - table["low"], table["high"] - table["share"]]
        axes[0].errorbar(
            table["probability"], table["share"], error, fmt="o", ms=4, lw=1, color=colour,
            label=f"{name}: calibration error {classification.figures(labels, scores)['ece']:.3f}",
        )  # fmt: skip
        curve = coverage(labels, scores)
        axes[1].plot(curve["share"], curve["accuracy"], color=colour, label=name)
    axes[0].plot([0, 1], [0, 1], ":", color=GREY)
    axes[0].set(
        title="Reliability diagram",
        xlabel="predicted probability of ai",
        ylabel="share of ai, 95 % interval",
    )
    axes[0].set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
    if precision is not None:
        axes[1].axhline(precision, ls=":", color=GREY)
    axes[1].set(title="Accuracy against coverage", xlabel="coverage", ylabel="accuracy")
    axes[0].legend(frameon=False, loc="upper left")
    axes[1].legend(frameon=False, loc="lower left")
    save(figure, path)


def draw_confusion(
    labels: Labels, scores: Scores, title: str, path: Path, threshold: float = THRESHOLD
) -> None:
    """Draw the confusion matrix at a threshold: counts, and shares of the actual class."""
    table = curves.confusion(labels, scores, threshold)
    matrix, share = (table[name].to_numpy().reshape(2, 2) for name in ("pictures", "share"))
    figure, (axis,) = _figure(1)
    axis.imshow(share, cmap="Oranges", vmin=0, vmax=1)
    for (i, j), number in np.ndenumerate(matrix):
        axis.text(
            j, i, f"{number}\n{share[i, j]:.0%}", ha="center", va="center",
            color="white" if share[i, j] > 0.6 else "black", fontsize=13,
        )  # fmt: skip
    axis.set(title=title, xlabel="predicted", ylabel="actual", xticks=[0, 1], yticks=[0, 1])
    axis.set_xticklabels(CLASSES)
    axis.set_yticklabels(CLASSES)
    axis.spines[:].set_visible(False)
    save(figure, path)


def draw_baselines(table: pd.DataFrame, path: Path) -> None:
    """Draw the AUC of each candidate shortcut, that of its best classifier, by scope.

    `table` is what `shortcuts.evaluate_candidates` returns; `path` is that of the PNG file.
    """
    best = table.drop_duplicates(["scope", "name"])[::-1]
    figure = Figure(figsize=(8, 1.1 + 0.23 * len(best)), layout="constrained")
    axis = figure.add_subplot()
    position = np.arange(len(best))
    for scope, colour in zip(sorted(set(best["scope"])), FOLDS, strict=False):
        own = (best["scope"] == scope).to_numpy()
        rows = best[own]
        axis.hlines(position[own], rows["auc_low"], rows["auc_high"], color=colour, lw=2, alpha=0.5)
        axis.plot(rows["auc"], position[own], "o", color=colour, label=scope, ms=5)
    axis.axvline(0.5, color=GREY, ls=":")
    axis.set(
        title="Shortcut baselines", xlabel="AUC out of fold, 95 % interval",
        xlim=(0.38, 1.01), yticks=position,
    )  # fmt: skip
    axis.set_yticklabels(best["name"] + ", " + best["scope"], fontsize=8)
    axis.spines[["top", "right"]].set_visible(False)
    axis.legend(frameon=False, loc="lower right")
    save(figure, path)


def _figure(count: int) -> tuple[Figure, Sequence[Axes]]:
    figure = Figure(figsize=(4.6 * count, 3.9), layout="constrained")
    axes = [figure.add_subplot(1, count, i + 1) for i in range(count)]
    for axis in axes:
        axis.spines[["top", "right"]].set_visible(False)
    return figure, axes


def save(figure: Figure, path: Path) -> None:
    """Write a figure as PNG, the same bytes each time."""
    with fresh_file(path) as beside:
        # Matplotlib would write its version into the file; the data are what should change it.
        figure.savefig(beside, format="png", dpi=110, metadata={"Software": None})
