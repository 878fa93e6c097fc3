"""Write and summarise the evaluation of a detector on a labelled set."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from realart.core import tables
from realart.core.outputs import fresh_directory, write_json
from realart.metrics import curves, matching, plots, scored_set, subgroups
from realart.metrics.classification import THRESHOLD
from realart.metrics.scored_set import CLASS_RATES, Scale
from realart.metrics.text import format_figure, one_class_warning

SCORES, FIGURES = "scores.csv", "metrics.json"


def comparisons(scored: pd.DataFrame, scale: Scale, baselines: Mapping[str, Any]) -> dict[str, Any]:
    """Return what metrics on a set are compared with, where it has both classes.

    Parameters
    ----------
    scored
        Columns `tables.PICTURES` and `tables.PREDICTIONS`.
    scale
        What the scores are.
    baselines
        What `set_baselines.evaluate` returns.

    Returns
    -------
    dict
        `matched`, metrics on pictures matched by format and size, and `baselines`.
    """
    if scored["label"].nunique() < 2:
        return {}
    matched = matching.figures(scored, scored, scale.threshold)
    return {"matched": matched, "baselines": dict(baselines)}


def write(report: Mapping[str, Any], scored: pd.DataFrame, scale: Scale, folder: Path) -> None:
    """Write the evaluation of a detector on a set; `folder` is replaced.

    Parameters
    ----------
    report
        The content of metrics.json; `data` in it is the name of the set.
    scored
        Columns `tables.PICTURES` and `tables.PREDICTIONS`.
    scale
        What the scores are.
    folder
        Of metrics.json, scores.csv, subgroups.csv, and of the plots that `scale` and the classes of
        the set allow.
    """
    with fresh_directory(folder) as beside:
        write_json(report, beside / FIGURES)
        tables.write(scored, beside / SCORES, tables.PREDICTIONS)
        by_subgroup = subgroups.table(scored, scored["score"].to_numpy(), scale.threshold)
        tables.write(by_subgroup, beside / "subgroups.csv", subgroups.COLUMNS)
        _write_plots(report, scored, scale, beside)


def _write_plots(
    report: Mapping[str, Any], scored: pd.DataFrame, scale: Scale, folder: Path
) -> None:
    labels, scores = tables.is_ai(scored["label"]), scored["score"].to_numpy()
    name = str(report["data"])
    named = {name: (labels, scores)}
    if scale.threshold is not None:
        curves.write_confusion(labels, scores, scale.threshold, folder)
        plots.draw_confusion(labels, scores, name, folder / "confusion.png", scale.threshold)
    if not scored_set.only_class(labels):
        curves.write_ranking(labels, scores, folder)
        plots.draw_curves(named, {name: report}, folder / "curves.png")
        if scale.probabilities:
            curves.write_calibration(labels, scores, folder)
            plots.draw_calibration(named, None, folder / "calibration.png")


COUNTS = {
    "own": "are the run's own, each with the score of a model that was not trained on it",
    "novel": "unlike those that the model was trained on",
    "left_out": "near-duplicates of its own pictures left out",
    "unscored": "left out without a score",
    "unknown_rows": "rows of no picture in the set",
    "rejected": "files rejected",
    "unlabelled": "of these without a label",
}
"""Counts in metrics.json that the summary names if they are not 0, in words."""


def summary(report: Mapping[str, Any]) -> str:
    """Summarise metrics.json in a sentence: what was measured on which pictures, and beside what.

    `report` is what `cross_dataset.evaluate` or `external_scores.evaluate` returns.
    """
    figures = _rate(report) if report["classes"] != "both" else _figures_of_both(report)
    counts = [f"{report[name]} {words}" for name, words in COUNTS.items() if report.get(name)]
    warning = one_class_warning(report) if "confusion" in report else ""
    parts = "; ".join(filter(None, [figures, ", ".join(counts), warning]))
    detector = report.get("run", report.get("detector"))
    return f"{detector} on {report['data']} ({_pictures(report)}): {parts}"


def _pictures(report: Mapping[str, Any]) -> str:
    if report["classes"] == "both":
        return f"{report['pictures']} pictures"
    return f"{report['pictures']} pictures, all {report['classes']}"


def _figures_of_both(report: Mapping[str, Any]) -> str:
    figures = f"AUC {format_figure('auc', report)}"
    if "accuracy" in report:
        at = "" if report["threshold"] == THRESHOLD else f" at {report['threshold']:g}"
        figures = f"accuracy{at} {format_figure('accuracy', report)}, {figures}"
    if baseline := report["baselines"].get("published"):
        figures += f" (shortcut baseline: {format_figure('auc', baseline)})"
    return figures


def _rate(report: Mapping[str, Any]) -> str:
    """Return the share of a class that is classified as ai, at each point, in words."""
    rate = CLASS_RATES[report["classes"]]
    predicted = report["confusion"]["fp"] + report["confusion"]["tp"]
    words = (
        f"{rate.replace('_', ' ')} {format_figure(rate, report)} ({predicted} of "
        f"{report['pictures']} classified as ai)"
    )
    points = [
        f"{format_figure(rate, figures)} at {point}"
        for point, figures in report.get("points", {}).items()
    ]
    if "decisions" in report:
        counts = ", ".join(f"{count} {name}" for name, count in report["decisions"].items())
        points.append(f"without an operating point {counts}")
    return ", ".join([words, *points])
