"""Compute all metrics of a run for metrics/evaluation.json, and write its tables and plots."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from realart.core import paths, tables
from realart.core.outputs import write_json
from realart.data import contact_sheets
from realart.evaluation import headline, model_card, reencoding, verdict
from realart.evaluation.final_model import labels_and_scores
from realart.features.vectors import FeatureVectors
from realart.metrics import (
    by_set,
    classification,
    curves,
    goals,
    label_issues,
    matching,
    plots,
    promises_by_source,
    subgroups,
)
from realart.metrics.classification import THRESHOLD
from realart.metrics.proofs import Proofs
from realart.metrics.text import one_class_warnings
from realart.metrics.thresholds import DecisionRule, evaluate_decisions
from realart.models import novelty
from realart.models.trained_model import TrainedModel
from realart.params import Params
from realart.training.folds import FoldResult

ISSUES_SHOWN = 10
"""Probable label issues of each class that are drawn."""


@dataclass(frozen=True)
class RunScores:
    """The scores of a run.

    Attributes
    ----------
    test, oof
        Columns `tables.SCORES`: by the final model on the test part, and out of fold.
    combined
        Columns `tables.PREDICTIONS`: all of these, and those of held-out sets, by part.
    pictures
        Columns `tables.PICTURES`, by their ids.
    """

    test: pd.DataFrame
    oof: pd.DataFrame
    combined: pd.DataFrame
    pictures: pd.DataFrame


def join_scores(
    pictures: pd.DataFrame, test: pd.DataFrame, oof: pd.DataFrame, unseen: pd.DataFrame | None
) -> RunScores:
    """Join the scores of a run.

    Parameters
    ----------
    pictures
        Columns `tables.PICTURES`, by their ids.
    test, oof, unseen
        Columns `tables.SCORES`: of the test part, out of fold, and of held-out sets, if there are.
    """
    parts = {"test": test, "oof": oof} | ({} if unseen is None else {"unseen": unseen})
    combined = pd.concat([scores.assign(part=part) for part, scores in parts.items()])
    combined = combined.join(pictures[["set", "group"]], on="row")
    return RunScores(test, oof, combined, pictures)


def compute_figures(
    params: Params,
    scores: RunScores,
    results: Sequence[FoldResult],
    rule: DecisionRule,
    model: TrainedModel,
    archives: Mapping[str, Path],
    decided_cases: Mapping[str, Any],
    gain: Mapping[str, float],
) -> dict[str, Any]:
    """Compute the content of evaluation.json.

    Parameters
    ----------
    scores
        What `join_scores` returns.
    results
        Of the folds 0 to `split.folds` - 1.
    rule, model
        Operating points, and the final model that holds them.
    archives
        The published zip archive of each set, whose test pictures are re-encoded and scored.
    decided_cases, gain
        What `cases.evaluate` and `verdict.gain` return.
    """
    assert model.novelty
    decisions = {
        name: evaluate_decisions(
            *labels_and_scores(table), scores.pictures.loc[table["row"], "group"], rule
        )
        for name, table in (("test", scores.test), ("oof", scores.oof))
    }
    figures: dict[str, Any] = {
        **decisions,
        **_figures_by_set(scores.combined),
        "cv": classification.over_folds([result.figures for result in results]),
        "verdicts": dict(rule.points.items(), sure=rule.sure),
        "promises": rule.model_dump()["proofs"],
        "matched": {
            name: matching.figures(table, scores.pictures.loc[table["row"]])
            for name, table in (("test", scores.test), ("oof", scores.oof))
        },
        "floor": json.loads(paths.AUDIT_FIGURES.read_text("utf-8"))["floor"],
        "cases": decided_cases,
        "novelty": {"test": float(model.novelty.novel(_measure(scores.test, scores)).mean())},
        "gain": gain,
        "intervention": reencoding.evaluate(
            archives,
            scores.pictures.loc[scores.test["row"]],
            scores.test,
            model,
            params.evaluate.reencode,
        ),
    }
    unmet = goals.unmet(figures, params.goals)
    return {**figures, "goals": {name: not reason for name, reason in unmet.items()}}


def _measure(table: pd.DataFrame, scores: RunScores) -> FeatureVectors:
    """Measure the stored pictures of a table of scores for `NoveltyDetector.novel`."""
    files = scores.pictures.loc[table["row"], "file"]
    return novelty.measure_files([paths.DATA / file for file in files])


def _figures_by_set(combined: pd.DataFrame) -> dict[str, Any]:
    """Return metrics by set, in-set and of held-out sets, where there are several sets."""
    parts = {"in_set": "oof", "unseen": "unseen"} if combined["set"].nunique() > 1 else {}
    of_parts = {name: combined[combined["part"] == part] for name, part in parts.items()}
    return {name: by_set.evaluate_by_set(own) for name, own in of_parts.items() if len(own)}


def write_tables(
    params: Params, scores: RunScores, figures: Mapping[str, Any], folder: Path, images: Path
) -> None:
    """Write tables of subgroups, of promises by source and of probable label issues.

    subgroups.csv, promises.csv and doubts.csv go into `folder`, label_issues.jpg into `images`
    if there are label issues, and scores that can tell.
    """
    published = scores.pictures.loc[scores.oof["row"]]
    probabilities = scores.oof["score"].to_numpy()
    table = subgroups.table(published, probabilities)
    tables.write(table, folder / paths.SUBGROUPS.name, subgroups.COLUMNS)
    promised = _promises_by_source(params, scores)
    tables.write(promised, folder / paths.PROMISES.name, promises_by_source.COLUMNS)
    issues = label_issues.label_issues(published, probabilities)
    if label_issues.unreliable(figures["oof"]):
        issues = issues.head(0)
    tables.write(issues, folder / paths.LABEL_ISSUES.name, label_issues.COLUMNS)
    _draw_label_issues(issues, published["file"], images / "label_issues.jpg")
    # DVC pushes no metrics that git tracks, but restores a run by the bytes of all its outputs.
    write_json(headline.headline(figures), folder / paths.HEADLINE.name)


def _draw_label_issues(issues: pd.DataFrame, files: pd.Series, path: Path) -> None:
    """Draw the pictures of the least likely labels of each class, if there are some."""
    sheet = {}
    for label, shown in issues.groupby("label"):
        drawn = [paths.DATA / files[row] for row in shown["id"][:ISSUES_SHOWN]]
        sheet[f"labelled {label}, probably wrongly ({len(shown)} pictures)"] = drawn
    if sheet:
        contact_sheets.draw_sheet(sheet, path)


def _promises_by_source(params: Params, scores: RunScores) -> pd.DataFrame:
    """Return the table of promises on each source, or on each set where these are held out."""
    scored = scores.combined
    oof, unseen = (scored[scored["part"] == part] for part in ("oof", "unseen"))
    if len(unseen):
        return promises_by_source.table(
            oof.assign(source=oof["set"]), unseen.assign(source=unseen["set"]), params.promise
        )
    several = scored["set"].nunique() > 1
    sources = scores.pictures["set"] + "/" if several else ""
    oof = oof.join(sources + scores.pictures["source"], on="row")
    return promises_by_source.table(oof, oof, params.promise)


def write_plots(
    params: Params,
    scores: RunScores,
    figures: Mapping[str, Any],
    results: Sequence[FoldResult],
    folder: Path,
    images: Path,
) -> None:
    """Write all curves: CSV files for `dvc plots` into `folder`, PNG files into `images`."""
    _write_history(params, results, folder, images)
    named = {
        "test": labels_and_scores(scores.test),
        "out of fold": labels_and_scores(scores.oof),
    }
    for part, arrays in zip(("test", "oof"), named.values(), strict=True):
        (folder / part).mkdir()
        curves.write_confusion(*arrays, THRESHOLD, folder / part)
        curves.write_ranking(*arrays, folder / part)
        curves.write_calibration(*arrays, folder / part)
    decisions = {"test": figures["test"], "out of fold": figures["oof"]}
    plots.draw_confusion(*named["test"], "test", images / "confusion.png")
    plots.draw_curves(named, decisions, images / "curves.png")
    precision = Proofs.model_validate(figures["promises"]).precision
    plots.draw_calibration(named, precision, images / "calibration.png")


def _write_history(
    params: Params, results: Sequence[FoldResult], folder: Path, images: Path
) -> None:
    """Write the epochs of all folds; history.csv has no row if no fold has two: no line to draw."""
    history = pd.concat(
        [result.history.assign(fold=fold) for fold, result in enumerate(results)],
        ignore_index=True,
    )
    drawn = history if history["epoch"].any() else history.head(0)
    drawn.to_csv(folder / "history.csv", index=False)
    if params.recipe.uses_keras:
        plots.draw_history(history, images / "history.png")


def summary(params: Params, figures: Mapping[str, Any]) -> str:
    """Summarise the metrics of the final model and of the baseline, the verdict first."""
    test, oof, baseline = (figures[key] for key in ("test", "oof", "floor"))
    goals_line = "; ".join([goals.summary(figures, params.goals), *one_class_warnings(figures)])
    return (
        f"evaluate: {params.model} on {params.dataset}. {' '.join(verdict.sentences(figures))}\n"
        f"test part ({sum(test['confusion'].values())} pictures, by the final model): "
        f"accuracy {test['accuracy']:.3f}, recall {test['recall']:.3f}, auc {test['auc']:.3f}; "
        f"out of fold ({sum(oof['confusion'].values())}, calibrated, all folds together): "
        f"accuracy {oof['accuracy']:.3f}, auc {oof['auc']:.3f}\n"
        f"{_set_lines(figures)}{goals_line}\n"
        f"shortcut baseline ({baseline['by']}): test accuracy "
        f"{baseline['test']['accuracy']:.3f}, out of fold {baseline['oof']['accuracy']:.3f}, "
        f"auc {baseline['oof']['auc']:.3f}\n"
        f"{matching.describe(figures)}\n"
        f"{reencoding.describe(figures['intervention'], params.evaluate.reencode)}"
    )


def _set_lines(figures: Mapping[str, Any]) -> str:
    """Return the AUC on each of several sets, a line each; an empty string for a single set."""
    names = model_card.set_evaluations(figures)
    return "".join(
        f"{name} ({count}): auc {', '.join(map(' '.join, zip(names, cells, strict=False)))}\n"
        for name, count, cells in model_card.set_rows(figures)
    )
