"""All figures of a run, as metrics/metrics.json holds them, and the tables and plots beside it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from realart.core import paths, tables
from realart.core.outputs import write_json
from realart.data import contact_sheets
from realart.evaluation import model_card, reencoding
from realart.evaluation.final_model import labels_and_scores
from realart.metrics import by_set, classification, goals, label_issues, matching, plots, subgroups
from realart.metrics.thresholds import DecisionRule, evaluate_decisions, one_sided
from realart.models.trained_model import TrainedModel
from realart.params import CLASSES, Params
from realart.training.folds import FoldResult

ISSUES_SHOWN = 10


@dataclass(frozen=True)
class RunScores:
    """The scores of a run.

    Attributes
    ----------
    test, oof
        Columns `tables.SCORES`: by the final model on the test part, and out of fold.
    judged
        Columns `tables.JUDGED`: these, and those of held-out sets, with set and group.
    pictures
        Columns `tables.PICTURES`, by their ids.
    """

    test: pd.DataFrame
    oof: pd.DataFrame
    judged: pd.DataFrame
    pictures: pd.DataFrame


def join(
    pictures: pd.DataFrame, test: pd.DataFrame, oof: pd.DataFrame, unseen: pd.DataFrame | None
) -> RunScores:
    """Put the scores of a run together; `unseen` are those of held-out sets, if there are some."""
    parts = {"test": test, "oof": oof} | ({} if unseen is None else {"unseen": unseen})
    judged = pd.concat([scores.assign(part=part) for part, scores in parts.items()])
    judged = judged.join(pictures[["set", "group"]], on="row")
    return RunScores(test, oof, judged, pictures)


def compute(
    params: Params,
    scores: RunScores,
    results: Sequence[FoldResult],
    rule: DecisionRule,
    model: TrainedModel,
    archives: Mapping[str, Path],
) -> dict[str, Any]:
    """Return what metrics.json holds.

    Parameters
    ----------
    results
        Of the folds of `split.folds`.
    archives
        The published zip archive of each set: test pictures are saved again and scored.
    """
    decisions = {
        name: evaluate_decisions(
            *labels_and_scores(table), scores.pictures.loc[table["row"], "group"], rule
        )
        for name, table in (("test", scores.test), ("oof", scores.oof))
    }
    baseline_scores = tables.read(paths.BASELINE_SCORES, tables.JUDGED)
    oof = scores.judged[scores.judged["part"] == "oof"]
    figures: dict[str, Any] = {
        **decisions,
        **_of_sets(scores.judged),
        "cv": classification.over_folds([result.figures for result in results]),
        "verdicts": dict(rule.points.items(), sure=rule.sure),
        "matched": {
            name: matching.figures(table, scores.pictures.loc[table["row"]])
            for name, table in (("test", scores.test), ("oof", scores.oof))
        },
        "floor": json.loads(paths.AUDIT_FIGURES.read_text("utf-8"))["floor"],
        "gain": goals.gain(oof, baseline_scores),
        "intervention": reencoding.evaluate(
            archives,
            scores.pictures.loc[scores.test["row"]],
            scores.test,
            model,
            params.evaluate.reencode,
        ),
    }
    misses = goals.misses(figures, params.goals)
    return {**figures, "goals": {name: not missed for name, missed in misses.items()}}


def _of_sets(judged: pd.DataFrame) -> dict[str, Any]:
    """Return the figures of several sets and their mean: in-set, and where a set is held out."""
    parts = {"in_set": "oof", "unseen": "unseen"} if judged["set"].nunique() > 1 else {}
    of_parts = {name: judged[judged["part"] == part] for name, part in parts.items()}
    return {name: by_set.by_set(own) for name, own in of_parts.items() if len(own)}


def write_tables(scores: RunScores, figures: Mapping[str, Any], folder: Path, images: Path) -> None:
    """Write figures of subgroups, and pictures whose label is probably wrong.

    Tables go into `folder`, a contact sheet of the pictures into `images`.
    """
    published = scores.pictures.loc[scores.oof["row"]]
    probabilities = scores.oof["score"].to_numpy()
    table = subgroups.table(published, probabilities)
    tables.write(table, folder / paths.SUBGROUPS.name, subgroups.COLUMNS)
    issues = label_issues.label_issues(published, probabilities)
    tables.write(issues, folder / "doubts.csv", label_issues.COLUMNS)
    sheet = {}
    for label in CLASSES:
        shown = issues[issues["label"] == label]
        files = [paths.DATA / published.loc[row, "file"] for row in shown["id"][:ISSUES_SHOWN]]
        sheet[f"labelled {label}, probably not ({len(shown)} pictures)"] = files
    contact_sheets.draw_sheet(sheet, images / "label_issues.jpg")
    # DVC pushes no metrics that git tracks, but restores a run by the bytes of all its outputs.
    write_json(figures, folder / paths.FIGURES.name)


def write_plots(
    params: Params,
    scores: RunScores,
    figures: Mapping[str, Any],
    results: Sequence[FoldResult],
    folder: Path,
    images: Path,
) -> None:
    """Write every curve: as data for `dvc plots` into `folder`, as a picture into `images`."""
    history = pd.concat(
        [result.history.assign(fold=fold) for fold, result in enumerate(results)],
        ignore_index=True,
    )
    history.to_csv(folder / "history.csv", index=False)
    plots.draw_history(history, images / "history.png")
    named = {
        "test": labels_and_scores(scores.test),
        "out of fold": labels_and_scores(scores.oof),
    }
    decisions = {"test": figures["test"], "out of fold": figures["oof"]}
    plots.write_scored(named, decisions, params.evaluate.sure, folder, images)


def summary(params: Params, figures: Mapping[str, Any]) -> str:
    """Return in some lines how good the final model and the baseline are."""
    test, oof, floor, again = (figures[key] for key in ("test", "oof", "floor", "intervention"))
    matched = ", ".join(
        f"{name} ({part['pictures']}) {part['accuracy']:.3f}"
        if part["pictures"]
        else f"{name} none"
        for name, part in figures["matched"].items()
    )
    judgement = "; ".join([goals.sentence(figures, params.goals), *one_sided(figures)])
    return (
        f"evaluate: {params.model} on {params.dataset}, test ({sum(test['confusion'].values())}): "
        f"accuracy {test['accuracy']:.3f}, recall {test['recall']:.3f}, auc {test['auc']:.3f}; "
        f"out of fold: accuracy {oof['accuracy']:.3f}, auc {oof['auc']:.3f}\n"
        f"{_set_lines(figures)}{judgement}\n"
        f"baseline without image content ({floor['by']}): test accuracy "
        f"{floor['test']['accuracy']:.3f}, out of fold {floor['oof']['accuracy']:.3f}, "
        f"auc {floor['oof']['auc']:.3f}; pictures matched by format and size: {matched}\n"
        f"saved again as JPEG {params.evaluate.reencode}: human scores move by "
        f"{again['shift']['human']:+.3f}, ai by {again['shift']['ai']:+.3f}; test auc "
        f"{again['published']['auc']:.3f}, both again {again['both_again']['auc']:.3f}, only human "
        f"{again['only_human_again']['auc']:.3f}, only ai {again['only_ai_again']['auc']:.3f}"
    )


def _set_lines(figures: Mapping[str, Any]) -> str:
    """Return the AUC on each of several sets, a line each; nothing for one set alone."""
    kinds = model_card.kinds(figures)
    return "".join(
        f"{name} ({count}): auc {', '.join(map(' '.join, zip(kinds, own, strict=False)))}\n"
        for name, count, own in model_card.on_sets(figures)
    )
