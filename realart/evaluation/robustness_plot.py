"""Plot of what each change of the pictures does to a model: robustness/curves.png."""

import math
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from realart.evaluation.robustness import POINT, UNCHANGED
from realart.metrics import plots
from realart.metrics.plots import AI, GREY, HUMAN

PANELS = 4
"""Panels beside each other."""
AXES = {
    "jpeg": "quality", "webp": "quality", "resize": "factor", "blur": "pixels", "noise": "levels",
    "crop": "share kept of each side", "corner": "share cut off each side",
    "letterbox": "share of bars", "collage": "share of the width", "brightness": "factor",
    "grey": "share of colour removed", "screenshot": "times",
}  # fmt: skip
"""What the strength of each change is, as the label of its axis."""
NEUTRAL = {"brightness": 1.0}
"""Strength at which a change that goes both ways changes nothing."""


def draw(table: pd.DataFrame, path: Path) -> None:
    """Draw AUC, recall and false positive rate after each change, at the point `POINT`.

    Parameters
    ----------
    table
        Columns `robustness.COLUMNS`.
    path
        Of the PNG file.
    """
    table = table[table["point"] == POINT]
    changes = [name for name in table["change"].unique() if name != UNCHANGED]
    lines = math.ceil(len(changes) / PANELS)
    figure = Figure(figsize=(12, 2.7 * lines), layout="constrained")
    axes = figure.subplots(lines, PANELS, sharey=True, squeeze=False)
    for axis, name in zip(axes.flat, changes, strict=False):
        rows = by_strength(table, name)
        position = range(len(rows))
        axis.fill_between(position, rows["auc_low"], rows["auc_high"], color=GREY, alpha=0.25, lw=0)
        for metric, colour, label in (
            ("auc", "black", "AUC, 95 % interval"),
            ("recall", AI, "recall"),
            ("false_positive_rate", HUMAN, "false positive rate"),
        ):
            axis.plot(position, rows[metric], "o-", color=colour, ms=3, lw=1.2, label=label)
        axis.set(title=name, xticks=position, xlabel=AXES[name], ylim=(-0.03, 1.03))
        axis.set_xticklabels(rows["label"])
        axis.spines[["top", "right"]].set_visible(False)
    for axis in axes[:, 0]:
        axis.set_ylabel("share, or AUC")
    for axis in list(axes.flat)[len(changes) :]:
        axis.axis("off")
    handles, names = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, names, frameon=False, loc="outside upper center", ncols=len(names))
    plots.save(figure, path)


def by_strength(table: pd.DataFrame, change: str) -> pd.DataFrame:
    """Return the rows of a change and of unchanged pictures, in the order in which they are drawn.

    Unchanged pictures come first, or where a change goes both ways between the two.

    Parameters
    ----------
    table
        Columns `robustness.COLUMNS`, of one point.
    change
        A name in the column `change`.

    Returns
    -------
    DataFrame
        The columns of `table`, and `label`, what the axis says of the row.
    """
    rows = pd.concat([table[table["change"] == name] for name in (UNCHANGED, change)])
    is_unchanged = rows["change"] == UNCHANGED
    labels = rows["strength"].map("{:g}".format).mask(is_unchanged, UNCHANGED)
    rows = rows.assign(label=labels)
    if change not in NEUTRAL:
        return rows
    return rows.assign(strength=rows["strength"].mask(is_unchanged, NEUTRAL[change])).sort_values(
        "strength"
    )
