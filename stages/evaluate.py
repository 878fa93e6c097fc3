"""All folds and the test part -> metrics/, plots, models/final. The test part is scored once."""

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from realart import (
    calibration,
    card,
    contact,
    devices,
    doubts,
    errors,
    evaluation,
    folds,
    goals,
    inputs,
    matching,
    models,
    params,
    plots,
    raw,
    set_figures,
    subgroups,
    tables,
    vectors,
)
from realart.evaluation import Figures, Labels, Scores
from realart.heads import Fitted
from realart.inputs import Input
from realart.intervention import intervene
from realart.outputs import fresh_directory, write_json
from realart.params import CLASSES, Network, Params
from realart.raw import RAW
from realart.verdicts import Verdicts, choose_points, judge, one_sided, surely

PICTURES = Path("data/clean/pictures.csv")
ROWS = Path("data/balanced/rows.csv")
FEATURES = Path("data/features")
FOLDS = Path("models/folds")
FINAL = Path("models/final")
AUDIT = Path("metrics/audit.json")
FINDINGS = Path("metrics/audit/findings.md")
FLOOR = Path("metrics/audit/floor.csv")
METRICS = Path("metrics/metrics.json")
SCORES = Path("metrics/scores.csv")
PLOTS = Path("metrics/plots")
TABLES = Path("metrics/tables")
DATA = Path("data")
DOUBTS_SHOWN = 10


def main() -> None:
    knobs = params.load()
    folders = [FOLDS / f"{fold}" for fold in range(knobs.split.folds)]
    learnt = [folds.read(folder) for folder in folders]
    by_fold = [one.figures for one in learnt]
    held_out = [one.scores for one in learnt]
    oof, verdicts = read_scores(held_out, knobs.evaluate.sure)
    save_final(knobs, folders, by_fold, verdicts)
    model = models.Final(FINAL)
    pictures = tables.read(PICTURES, tables.PICTURES).set_index("id", drop=False)
    pictures.index.name = None
    test = score_test(model, pictures)
    known = pictures[["set", "group"]]
    parts = {"test": test, "oof": oof}
    if knobs.held_out_sets:
        parts["unseen"] = score_unseen(knobs, pd.concat(held_out), known["set"])
    judged = pd.concat([scores.assign(part=part) for part, scores in parts.items()])
    judged = judged.join(known, on="row")
    tables.write(judged, SCORES, tables.JUDGED)
    on_test, on_oof = (
        judge(*arrays(scores), known.loc[scores["row"], "group"], verdicts)
        for scores in (test, oof)
    )
    report = {
        "test": on_test,
        "oof": on_oof,
        **of_sets(judged),
        "cv": evaluation.over_folds(by_fold),
        "verdicts": dict(verdicts.points.items(), sure=verdicts.sure),
        "matched": {
            name: matching.figures(scores, pictures.loc[scores["row"]])
            for name, scores in (("test", test), ("oof", oof))
        },
        "floor": json.loads(AUDIT.read_text("utf-8"))["floor"],
        "gain": goals.gain(judged[judged["part"] == "oof"], tables.read(FLOOR, tables.JUDGED)),
        "intervention": intervene(
            raw.archives(RAW), pictures.loc[test["row"]], test, model, knobs.evaluate.reencode
        ),
    }
    report["goals"] = {
        name: not missed for name, missed in goals.misses(report, knobs.goals).items()
    }
    write_json(report, METRICS)
    (FINAL / "README.md").write_text(card.card(knobs, report, FINDINGS.read_text("utf-8")), "utf-8")
    write_tables(pictures.loc[oof["row"]], oof, report)
    write_plots(
        [one.history for one in learnt],
        {"test": arrays(test), "out of fold": arrays(oof)},
        {"test": on_test, "out of fold": on_oof},
        knobs.evaluate.sure,
    )
    print(summary(knobs, report))


def arrays(scores: pd.DataFrame) -> tuple[Labels, Scores]:
    """Return labels (1 is ai) and scores of a table with the columns `tables.SCORES`."""
    return tables.is_ai(scores["label"]), scores["score"].to_numpy()


def read_scores(held_out: list[pd.DataFrame], accuracy: float) -> tuple[pd.DataFrame, Verdicts]:
    """Return the scores of all folds as probabilities, and how a model's scores are read.

    The probabilities of a fold are calibrated by the other folds; the final model by all.
    """
    oof = pd.concat(held_out, ignore_index=True)
    labels, scores = arrays(oof)
    numbers = np.repeat(np.arange(len(held_out)), [len(one) for one in held_out])
    probabilities = calibration.crossed(labels, scores, numbers)
    verdicts = Verdicts(
        calibration=calibration.fit(labels, scores),
        points=choose_points(labels, probabilities),
        sure=surely(labels, probabilities, accuracy),
    )
    return oof.assign(score=probabilities), verdicts


def score_unseen(knobs: Params, oof: pd.DataFrame, sets: "pd.Series[str]") -> pd.DataFrame:
    """Return probabilities of the pictures of each held-out set, by what learnt from the others.

    They are calibrated as those of a picture from elsewhere are: on scores out of fold, of the
    other sets alone. `oof` has all of these; `sets` says what set a picture is of, by its id.
    """
    found = []
    for fold, name in knobs.held_out_sets.items():
        scores = folds.read(FOLDS / f"{fold}").scores
        calibrated = calibration.fit(*arrays(oof[sets.loc[oof["row"]].to_numpy() != name]))
        found.append(scores.assign(score=calibrated(scores["score"].to_numpy())))
    return pd.concat(found, ignore_index=True)


def of_sets(judged: pd.DataFrame) -> dict[str, Any]:
    """Return the figures of each of several sets and their mean: in-set, and where it is held out.

    `judged` has the columns `tables.JUDGED`.
    """
    parts = {"in_set": "oof", "unseen": "unseen"} if judged["set"].nunique() > 1 else {}
    tables_of = {name: judged[judged["part"] == part] for name, part in parts.items()}
    return {name: set_figures.by_set(own) for name, own in tables_of.items() if len(own)}


def save_final(
    knobs: Params, folders: list[Path], by_fold: list[Figures], verdicts: Verdicts
) -> None:
    """Write the model that `evaluate.final` asks for; out-of-fold figures choose the fold."""
    if knobs.evaluate.final == "best_fold":
        folders = [folders[evaluation.best_fold(by_fold)]]
    seen = Input.model_validate_json((FEATURES / "input.json").read_text("utf-8"))
    members = trained(knobs, folders)
    with fresh_directory(FINAL) as beside:
        vectors.copy(seen.parts, FEATURES, beside)
        models.save(beside, knobs.recipe, seen, members, verdicts)


def trained(knobs: Params, folders: list[Path]) -> Iterator[models.Member]:
    """Yield what each fold has trained, whole."""
    recipe = knobs.recipe
    if isinstance(recipe, Network):
        from realart import backend, frozen  # Keras takes seconds to import

        with devices.held(1, "evaluate"):
            backend.prepare(knobs.train)
            for folder in folders:
                yield frozen.trained(recipe, FEATURES, folder / "best.weights.h5")
    else:
        yield from (Fitted.load(folder / "head.npz") for folder in folders)


def score_test(model: models.Final, pictures: pd.DataFrame) -> pd.DataFrame:
    """Score the test part as `realart predict` would: published files, the model as it is on disk.

    `pictures` have the columns `tables.PICTURES`, by their ids.
    """
    rows = tables.read(ROWS, tables.ROWS)
    test = rows.loc[rows["part"] == "test", ["row", "label"]]
    published = raw.members(pictures.loc[test["row"]], raw.archives(RAW))
    look = partial(inputs.of_member, model.input)
    return test.assign(score=model.scores_of(look, published, "evaluate")[:, 0])


def write_tables(published: pd.DataFrame, oof: pd.DataFrame, report: dict[str, Any]) -> None:
    """Write what models of other folds say of parts of the pictures, and which labels they doubt.

    `published` are the pictures of `oof`, in the same order.
    """
    probabilities = oof["score"].to_numpy()
    with fresh_directory(TABLES) as folder:
        table = subgroups.table(published, probabilities)
        tables.write(table, folder / "subgroups.csv", subgroups.COLUMNS)
        doubted = doubts.doubts(published, probabilities)
        tables.write(doubted, folder / "doubts.csv", doubts.COLUMNS)
        sheet = {}
        for label in CLASSES:
            shown = doubted[doubted["label"] == label]
            files = [DATA / published.loc[one, "file"] for one in shown["id"][:DOUBTS_SHOWN]]
            sheet[f"labelled {label}, probably not ({len(shown)} pictures)"] = files
        contact.sheet(sheet, folder / "doubts.jpg")
        # DVC pushes no metrics that git tracks, but restores a run by the bytes of all its outputs.
        write_json(report, folder / METRICS.name)


def write_plots(
    histories: list[pd.DataFrame],
    named: dict[str, tuple[Labels, Scores]],
    told: dict[str, Any],
    sure: float,
) -> None:
    """Write every curve as data for `dvc plots`, and as a picture."""
    history = pd.concat(
        [one.assign(fold=fold) for fold, one in enumerate(histories)], ignore_index=True
    )
    with fresh_directory(PLOTS) as folder:
        history.to_csv(folder / "history.csv", index=False)
        plots.draw_history(history, folder / "history.png")
        plots.write_scored(named, told, sure, folder)


def summary(knobs: Params, report: dict[str, Any]) -> str:
    """Say how good the final model is, beside what needs no look at the art."""
    test, oof, floor, again = (report[key] for key in ("test", "oof", "floor", "intervention"))
    matched = ", ".join(
        f"{name} ({one['pictures']}) {one['accuracy']:.3f}" if one["pictures"] else f"{name} none"
        for name, one in report["matched"].items()
    )
    judgement = "; ".join([goals.sentence(report, knobs.goals), *one_sided(report)])
    return (
        f"evaluate: {knobs.model} on {knobs.dataset}, test ({sum(test['confusion'].values())}): "
        f"accuracy {test['accuracy']:.3f}, recall {test['recall']:.3f}, auc {test['auc']:.3f}; "
        f"out of fold: accuracy {oof['accuracy']:.3f}, auc {oof['auc']:.3f}\n"
        f"{on_sets(report)}{judgement}\n"
        f"without looking at the art ({floor['by']}): test accuracy "
        f"{floor['test']['accuracy']:.3f}, out of fold {floor['oof']['accuracy']:.3f}, "
        f"auc {floor['oof']['auc']:.3f}; pictures matched by format and size: {matched}\n"
        f"saved again as JPEG {knobs.evaluate.reencode}: human scores move by "
        f"{again['shift']['human']:+.3f}, ai by {again['shift']['ai']:+.3f}; test auc "
        f"{again['published']['auc']:.3f}, both again {again['both_again']['auc']:.3f}, only human "
        f"{again['only_human_again']['auc']:.3f}, only ai {again['only_ai_again']['auc']:.3f}"
    )


def on_sets(report: dict[str, Any]) -> str:
    """Say what the recipe is worth on each of several sets, a line each; nothing of one alone."""
    kinds = card.kinds(report)
    return "".join(
        f"{name} ({count}): auc {', '.join(map(' '.join, zip(kinds, figures, strict=False)))}\n"
        for name, count, figures in card.on_sets(report)
    )


if __name__ == "__main__":
    errors.run(main)
