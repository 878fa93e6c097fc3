"""Runs evaluated on data sets, as a matrix: matrix.csv and matrix.png."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from realart.core.outputs import fresh_file
from realart.metrics import plots, text
from realart.metrics.intervals import Estimate
from realart.metrics.scored_set import CLASS_RATES

COLUMNS = (
    "run", "data", "pictures", "accuracy", "auc", "low", "high",
    "recall", "recall_low", "recall_high",
    "false_positive_rate", "false_positive_rate_low", "false_positive_rate_high",
)  # fmt: skip
"""Columns of matrix.csv; `low` and `high` are the 95 % interval of `auc`."""


def write(reports: Sequence[Mapping[str, Any]], folder: Path) -> None:
    """Write a matrix of what `cross_dataset.evaluate` returns; metrics that a set lacks are empty.

    Parameters
    ----------
    reports
        Of each run on each set.
    folder
        Of matrix.csv and matrix.png.
    """
    table = pd.DataFrame([_row(report) for report in reports], columns=list(COLUMNS))
    with fresh_file(folder / "matrix.csv") as beside:
        table.to_csv(beside, index=False)
    draw(table, folder / "matrix.png")


def _row(report: Mapping[str, Any]) -> dict[str, Any]:
    row = {name: report[name] for name in COLUMNS if name in report}
    row |= report["intervals"].get("auc", {})
    for rate in CLASS_RATES.values():
        interval = report["intervals"].get(rate, {})
        row |= {f"{rate}_{side}": value for side, value in interval.items()}
    return row


def draw(table: pd.DataFrame, path: Path) -> None:
    """Draw AUC and accuracy, a row a run and a column a data set.

    A cell of a set of one class has no colour, and shows how many of its pictures are classified as
    ai.

    Parameters
    ----------
    table
        Columns `COLUMNS`, a row for each cell.
    path
        Of the PNG file.
    """
    runs, sets = list(table["run"].unique()), list(table["data"].unique())
    figure = Figure(figsize=(2.4 + 2.0 * len(sets), 1.3 + 0.9 * len(runs)), layout="constrained")
    axis = figure.add_subplot()
    auc = table.pivot(index="run", columns="data", values="auc").loc[runs, sets]
    axis.imshow(auc.astype(float), cmap="RdYlGn", vmin=0, vmax=1, alpha=0.75, aspect="auto")
    for cell in table.to_dict("records"):
        axis.text(
            sets.index(cell["data"]), runs.index(cell["run"]), _cell_text(cell),
            ha="center", va="center", fontsize=9,
        )  # fmt: skip
    axis.set(xlabel="evaluated on", ylabel="run", xticks=range(len(sets)), yticks=range(len(runs)))
    axis.set_xticklabels(sets)
    axis.set_yticklabels(runs)
    axis.spines[:].set_visible(False)
    plots.save(figure, path)


def _cell_text(cell: Mapping[Any, Any]) -> str:
    if not np.isnan(cell["auc"]):
        auc = _below_each_other(Estimate(cell["auc"], cell["low"], cell["high"]))
        return f"AUC {auc}\naccuracy {cell['accuracy']:.3f}"
    rate = next(rate for rate in CLASS_RATES.values() if not np.isnan(cell[rate]))
    return f"{rate.replace('_', ' ')}\n{_below_each_other(text.estimate(rate, cell))}"


def _below_each_other(estimate: Estimate) -> str:
    """Return a metric above its interval."""
    return str(estimate).replace(" ", "\n", 1)
