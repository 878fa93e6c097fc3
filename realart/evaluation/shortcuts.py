"""What a label can be guessed from without looking at the art.

Each question is a set of features and where they come from; the answer is what simple classifiers
make of it on the folds of the models.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd

from realart.core import tables
from realart.core.errors import RealartError
from realart.core.parallel import each
from realart.data import headers
from realart.features.pixel_statistics import SHAPES, Vector
from realart.metrics import baselines
from realart.metrics.baselines import CLASSIFIERS, Baseline
from realart.metrics.classification import Labels
from realart.metrics.intervals import Estimate

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
class Shortcut:
    """May the label be guessed from these features? `scope` says where they come from."""

    scope: str
    name: str
    features: pd.DataFrame
    classifiers: tuple[str, ...] = CLASSIFIERS


def questions(
    published: pd.DataFrame, stored: pd.DataFrame, measured: Mapping[str, Vector]
) -> list[Shortcut]:
    """List everything that is tried. All tables have a row for each picture.

    Parameters
    ----------
    published, stored
        Headers of the published and of the stored files: what `headers.features` reads.
    measured
        What `pixel_statistics.measure` returns, stacked over pictures.
    """
    asked = []
    for scope, table in ((PUBLISHED, published), (STORED, stored)):
        features = headers.features(table)
        varying = features.columns[features.nunique() > 1]
        asked.append(Shortcut(scope, ALL, features))
        for name, columns in headers.FIELDS.items():
            if own := [column for column in columns if column in varying]:
                asked.append(Shortcut(scope, name, features[own], ("boosting",)))
    for key, (scope, name) in _MEASURED.items():
        asked.append(Shortcut(scope, name, _frame(measured[key])))
    return asked


def answer(asked: Sequence[Shortcut], labels: Labels, folds: pd.DataFrame) -> pd.DataFrame:
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
    row: pd.Series, asked: Sequence[Shortcut], labels: Labels, folds: pd.DataFrame
) -> Baseline:
    """Return what the classifier of a row of `answer`'s table reaches on the test part."""
    return baselines.evaluate_on_test(row["classifier"], _features(row, asked), labels, folds)


def scored(
    row: pd.Series, asked: Sequence[Shortcut], labels: Labels, folds: pd.DataFrame
) -> pd.DataFrame:
    """Return the scores out of fold of the classifier of a row of `answer`'s table.

    Columns `tables.JUDGED`; `folds` has `row` and `label` of each picture, too.
    """
    scores, _ = baselines.out_of_fold(row["classifier"], _features(row, asked), labels, folds)
    return folds.assign(part="oof", score=scores)[folds["fold"] >= 0][list(tables.JUDGED)]


def probe(rows: pd.DataFrame, measured: Mapping[str, Vector]) -> dict[str, Estimate]:
    """Return for each class the AUC by which copies can be told from originals of that class.

    Parameters
    ----------
    rows
        Columns `tables.ROWS`, those that models are fitted on.
    measured
        What `pixel_statistics.measure` returns, stacked over the same rows.
    """
    features, found = _frame(measured["texture"]), {}
    for label, own in rows.groupby("label"):
        copied = (own["operation"] != "").to_numpy().astype(np.int64)
        if own.assign(copied=copied).groupby("fold")["copied"].nunique().eq(2).all():
            of_class = features.loc[own.index]
            found[str(label)] = baselines.evaluate("boosting", of_class, copied, own).auc
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
        shape: baselines.recovery(_frame(measured[f"square_{shape}"]), aspect, folds)
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


def figures(floor: Baseline) -> dict[str, float]:
    """Flatten the figures of a floor, each with the ends of its interval."""
    row: dict[str, float] = {}
    for name in ("auc", "balanced_accuracy", "accuracy"):
        estimate: Estimate = getattr(floor, name)
        row |= {name: estimate.value, f"{name}_low": estimate.low, f"{name}_high": estimate.high}
    return row


def sentences(
    table: pd.DataFrame,
    aspects: Mapping[str, Estimate],
    pairs: Mapping[str, pd.DataFrame],
    copies: Mapping[str, Estimate],
) -> list[str]:
    """Say which shortcuts the set as published offers, what the stored form leaves, and the rest.

    Parameters
    ----------
    table
        What `answer` returns.
    aspects, pairs, copies
        What `recovered`, `kinds` and `probe` return.
    """
    left = ", ".join(f"{shape} {how_well.value:.2f}" for shape, how_well in aspects.items())
    texture = best(table, [TEXTURE])["auc"]
    found = [
        f"In the files as published, {_strength(best(table, [PUBLISHED]))}",
        f"In what models are given, {_strength(best(table, AVAILABLE))}",
        f"A picture's aspect can be read back from its square (rank correlation): {left}.",
        f"Texture alone tells the classes at AUC {texture:.2f}: the generator's own trace, or what "
        "is left of the published compression; re-encoding tells which.",
        f"Pairs: {', '.join(f'{len(found)} {kind}' for kind, found in pairs.items())}.",
    ]
    for label, auc in copies.items():
        found.append(f"Augmented copies of {label} art can be told from originals at AUC {auc}.")
    return found


def _features(row: pd.Series, asked: Sequence[Shortcut]) -> pd.DataFrame:
    (question,) = (one for one in asked if (one.scope, one.name) == (row["scope"], row["name"]))
    return question.features


def _score(labels: Labels, folds: pd.DataFrame, job: tuple[Shortcut, str]) -> Baseline:
    question, classifier = job
    return baselines.evaluate(classifier, question.features, labels, folds)


def _frame(values: Vector) -> pd.DataFrame:
    return pd.DataFrame(values).add_prefix("x")


def _strength(row: pd.Series) -> str:
    if row["auc_low"] <= 0.55:
        what = "next to nothing names the label"
    elif row["auc"] < 0.7:
        what = "the label can be guessed a little without looking at the art"
    elif row["auc"] < 0.9:
        what = "much of the label can be guessed without looking at the art"
    else:
        what = "the label can be read off without looking at the art"
    interval = f"{row['auc']:.3f} [{row['auc_low']:.3f}, {row['auc_high']:.3f}]"
    return f"{what}: best by {row['name']} ({row['scope']}), AUC {interval}."
