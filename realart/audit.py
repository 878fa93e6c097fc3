"""What a label can be guessed from without looking at the art.

Each question is a set of features and where they come from; the answer is what simple classifiers
make of it on the folds of the models.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd

from realart import floors, headers, tables
from realart.errors import RealartError
from realart.evaluation import Labels
from realart.floors import CLASSIFIERS, Floor
from realart.intervals import Estimate
from realart.parallel import each
from realart.traces import SHAPES, Vector

PUBLISHED = "file as published"
STORED = "file as stored"
COLOUR = "colour"
TEXTURE = "texture"
AVAILABLE = (STORED, COLOUR)
"""Scopes that a model could go by instead of the art; texture may be the art's own."""
ALL = "whole header"

_MEASURED = {
    "mean_colour": (COLOUR, "mean colour"),
    "thumbnail": (COLOUR, "8x8 thumbnail"),
    "texture": (TEXTURE, "block DCT and grid"),
}


@dataclass(frozen=True)
class Question:
    """May the label be guessed from these features? `scope` says where they come from."""

    scope: str
    name: str
    features: pd.DataFrame
    classifiers: tuple[str, ...] = CLASSIFIERS


def questions(
    published: pd.DataFrame, stored: pd.DataFrame, measured: Mapping[str, Vector]
) -> list[Question]:
    """List everything that is tried. All tables have a row for each picture.

    Parameters
    ----------
    published, stored
        Headers of the published and of the stored files: what `headers.features` reads.
    measured
        What `traces.measure` returns, stacked over pictures.
    """
    asked = []
    for scope, table in ((PUBLISHED, published), (STORED, stored)):
        features = headers.features(table)
        varying = features.columns[features.nunique() > 1]
        asked.append(Question(scope, ALL, features))
        for name, columns in headers.FIELDS.items():
            if own := [column for column in columns if column in varying]:
                asked.append(Question(scope, name, features[own], ("boosting",)))
    for key, (scope, name) in _MEASURED.items():
        asked.append(Question(scope, name, _frame(measured[key])))
    return asked


def answer(asked: Sequence[Question], labels: Labels, folds: pd.DataFrame) -> pd.DataFrame:
    """Score each question by each of its classifiers, out of fold, the best AUC first.

    Parameters
    ----------
    labels
        1 for ai; shape (n,).
    folds
        Columns `fold` (-1: not used) and `group` of each picture.

    Returns
    -------
    DataFrame
        Columns scope, name, classifier; auc, balanced_accuracy and accuracy, each with `_low` and
        `_high`. Of equal ones the order of `asked` decides, single fields before all of a file.
    """
    jobs = [(question, classifier) for question in asked for classifier in question.classifiers]
    jobs.sort(key=lambda job: job[0].name == ALL)
    found = each(partial(_score, labels, folds), jobs, "audit", "classifier")
    rows = [
        {"scope": question.scope, "name": question.name, "classifier": classifier, **figures(floor)}
        for (question, classifier), floor in zip(jobs, found, strict=True)
    ]
    table = pd.DataFrame(rows).sort_values("auc", ascending=False, kind="stable")
    return table.reset_index(drop=True)


def best(table: pd.DataFrame, scopes: Sequence[str]) -> pd.Series:
    """Return the row of the highest AUC among `scopes`, which are not all empty."""
    return table[table["scope"].isin(scopes)].iloc[0]


def on_test(
    row: pd.Series, asked: Sequence[Question], labels: Labels, folds: pd.DataFrame
) -> Floor:
    """Return what the classifier of a row of `answer`'s table reaches on the test part."""
    return floors.test_floor(row["classifier"], _features(row, asked), labels, folds)


def scored(
    row: pd.Series, asked: Sequence[Question], labels: Labels, folds: pd.DataFrame
) -> pd.DataFrame:
    """Return the scores out of fold of the classifier of a row of `answer`'s table.

    Columns `tables.JUDGED`; `folds` has `row` and `label` of each picture, too.
    """
    scores, _ = floors.out_of_fold(row["classifier"], _features(row, asked), labels, folds)
    return folds.assign(part="oof", score=scores)[folds["fold"] >= 0][list(tables.JUDGED)]


def probe(rows: pd.DataFrame, measured: Mapping[str, Vector]) -> dict[str, Estimate]:
    """Return for each class the AUC by which copies can be told from originals of that class.

    Parameters
    ----------
    rows
        Columns `tables.ROWS`, those that models are fitted on.
    measured
        What `traces.measure` returns, stacked over the same rows.
    """
    features, found = _frame(measured["texture"]), {}
    for label, own in rows.groupby("label"):
        copied = (own["operation"] != "").to_numpy().astype(np.int64)
        if own.assign(copied=copied).groupby("fold")["copied"].nunique().eq(2).all():
            of_class = features.loc[own.index]
            found[str(label)] = floors.floor("boosting", of_class, copied, own).auc
    return found


def recovered(
    stored: pd.DataFrame, measured: Mapping[str, Vector], folds: pd.DataFrame
) -> dict[str, Estimate]:
    """Return for each way to a square how well a picture's own aspect can be read back from it.

    That is the rank correlation, over pictures with a fold, of the logarithm of width by height
    with what a boosting of trees says out of fold.
    """
    aspect = np.log2((stored["width"] / stored["height"]).to_numpy(np.float64))
    return {
        shape: floors.recovery(_frame(measured[f"square_{shape}"]), aspect, folds)
        for shape in SHAPES
    }


def kinds(related: pd.DataFrame, duplicate: float) -> dict[str, pd.DataFrame]:
    """Sort pairs (columns `tables.RELATED`) by what they do to a set, the worst kinds first."""
    equal, same = related["correlation"] >= 1, related["correlation"] >= duplicate
    return {
        "across labels": related[related["label_a"] != related["label_b"]],
        "across the published split": related[related["part_a"] != related["part_b"]],
        "equal pixels": related[equal],
        "nearly the same": related[same & ~equal],
        "related": related[~same],
    }


def check(floor: pd.Series, limit: float) -> None:
    """Raise RealartError if the AUC of a row of `answer`'s table is above `limit` for certain."""
    if floor["auc_low"] > limit:
        raise RealartError(
            f"the label can be guessed from {floor['name']} ({floor['scope']}) at AUC "
            f"{floor['auc']:.3f}, at least {floor['auc_low']:.3f}, above audit.stop_above "
            f"({limit}): see metrics/audit/findings.md, mend the set or raise the param"
        )


def figures(floor: Floor) -> dict[str, float]:
    """Flatten the figures of a floor, each with the ends of its interval."""
    row: dict[str, float] = {}
    for name in ("auc", "balanced_accuracy", "accuracy"):
        estimate: Estimate = getattr(floor, name)
        row |= {name: estimate.value, f"{name}_low": estimate.low, f"{name}_high": estimate.high}
    return row


def _features(row: pd.Series, asked: Sequence[Question]) -> pd.DataFrame:
    (question,) = (one for one in asked if (one.scope, one.name) == (row["scope"], row["name"]))
    return question.features


def _score(labels: Labels, folds: pd.DataFrame, job: tuple[Question, str]) -> Floor:
    question, classifier = job
    return floors.floor(classifier, question.features, labels, folds)


def _frame(values: Vector) -> pd.DataFrame:
    return pd.DataFrame(values).add_prefix("x")
