"""Shortcuts: features without the detail of a picture from which the label can be predicted.

Each candidate is a set of features and where they come from. Simple classifiers predict the label
from it on the folds of the models; how well they do is what a model could owe to the shortcut
(Geirhos et al., "Shortcut Learning in Deep Neural Networks", 2020).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd

from realart.core import tables
from realart.core.errors import RealartError
from realart.core.parallel import map_parallel
from realart.data import headers
from realart.features.pixel_statistics import SHAPES, Vector
from realart.metrics import baselines
from realart.metrics.baselines import CLASSIFIERS, BaselineMetrics
from realart.metrics.classification import Labels
from realart.metrics.intervals import Estimate

PUBLISHED = "file as published"
STORED = "file as stored"
COLOUR = "colour"
TEXTURE = "texture"
AVAILABLE = (STORED, COLOUR)
"""Scopes of shortcuts that a model's input offers; texture may be the art's own."""
TRACES = (
    "traces of the generator, which a model is to learn, or of the published compression, which it "
    "is not: `evaluate` saves test pictures again and shows which"
)
"""What texture may predict the label by, and how to find out."""
ALL = "whole header"
SET = "set"
"""Name of the shortcut by which set a picture is from, in scope `PUBLISHED`."""

_STATISTICS = {
    "mean_colour": (COLOUR, "mean colour"),
    "thumbnail": (COLOUR, "8x8 thumbnail"),
    "texture": (TEXTURE, "block DCT and grid"),
}


@dataclass(frozen=True)
class Candidate:
    """A candidate shortcut.

    Attributes
    ----------
    scope
        Where the features come from.
    name
        Of the features in their scope.
    features
        A row for each of n pictures; text columns are categories.
    classifiers
        Those of `baselines.CLASSIFIERS` that predict the label from the features.
    """

    scope: str
    name: str
    features: pd.DataFrame
    classifiers: tuple[str, ...] = CLASSIFIERS


def list_candidates(
    published: pd.DataFrame, stored: pd.DataFrame, statistics: Mapping[str, Vector]
) -> list[Candidate]:
    """List all candidate shortcuts of n pictures.

    Parameters
    ----------
    published, stored
        Headers of the published and of the stored files: what `headers.features` reads; n rows.
    statistics
        What `pixel_statistics.measure` returns, stacked over pictures; shape (n, numbers) each.
    """
    candidates = []
    for scope, table in ((PUBLISHED, published), (STORED, stored)):
        features = headers.features(table)
        varying = features.columns[features.nunique() > 1]
        candidates.append(Candidate(scope, ALL, features))
        for name, columns in headers.FIELDS.items():
            if own := [column for column in columns if column in varying]:
                candidates.append(Candidate(scope, name, features[own], ("boosting",)))
    for key, (scope, name) in _STATISTICS.items():
        candidates.append(Candidate(scope, name, _frame(statistics[key])))
    return candidates


def evaluate_candidates(
    candidates: Sequence[Candidate], labels: Labels, folds: pd.DataFrame
) -> pd.DataFrame:
    """Cross-validate each classifier of each candidate.

    Parameters
    ----------
    candidates
        Whose features have n rows.
    labels
        1 for ai, 0 for human; shape (n,).
    folds
        Columns `fold` (-1: not used) and `group`; n rows.

    Returns
    -------
    DataFrame
        A row for each classifier of each candidate, the highest AUC first. Columns scope, name,
        classifier; auc, balanced_accuracy and accuracy, each also with `_low` and `_high`. Equal
        ones stay in the order of `candidates`, single fields before whole headers.
    """
    jobs = [(candidate, name) for candidate in candidates for name in candidate.classifiers]
    jobs.sort(key=lambda job: job[0].name == ALL)
    results = map_parallel(partial(_cross_validate, labels, folds), jobs, "audit", "classifier")
    rows = [
        {
            "scope": candidate.scope,
            "name": candidate.name,
            "classifier": classifier,
            **flatten(metrics),
        }
        for (candidate, classifier), metrics in zip(jobs, results, strict=True)
    ]
    table = pd.DataFrame(rows).sort_values("auc", ascending=False, kind="stable")
    return table.reset_index(drop=True)


def best_row(table: pd.DataFrame, scopes: Sequence[str]) -> pd.Series:
    """Return the row of the highest AUC among `scopes`, at least one of which is in `table`.

    `table` is sorted as `evaluate_candidates` returns it.
    """
    return table[table["scope"].isin(scopes)].iloc[0]


def evaluate_on_test(
    row: pd.Series, candidates: Sequence[Candidate], labels: Labels, folds: pd.DataFrame
) -> BaselineMetrics:
    """Evaluate the classifier of a row of `evaluate_candidates`' table on the test part (fold -1).

    The other parameters are those of `evaluate_candidates`.
    """
    return baselines.evaluate_on_test(
        row["classifier"], features_of(row, candidates), labels, folds
    )


def out_of_fold_scores(
    row: pd.Series, candidates: Sequence[Candidate], labels: Labels, folds: pd.DataFrame
) -> pd.DataFrame:
    """Return the out-of-fold scores of the classifier of a row of `evaluate_candidates`' table.

    The other parameters are those of `evaluate_candidates`; `folds` also has the columns `row`,
    `set` and `label`. The result has the columns `tables.PREDICTIONS`, a row for each row with a
    fold.
    """
    scores, _ = baselines.out_of_fold(
        row["classifier"], features_of(row, candidates), labels, folds
    )
    return folds.assign(part="oof", score=scores)[folds["fold"] >= 0][list(tables.PREDICTIONS)]


def features_of(row: pd.Series, candidates: Sequence[Candidate]) -> pd.DataFrame:
    """Return the features of the candidate that a row of `evaluate_candidates`' table is about."""
    (features,) = (
        candidate.features
        for candidate in candidates
        if (candidate.scope, candidate.name) == (row["scope"], row["name"])
    )
    return features


def copy_detection_aucs(
    rows: pd.DataFrame, statistics: Mapping[str, Vector]
) -> dict[str, Estimate]:
    """Compute for each class how well texture separates augmented copies from originals, as AUC.

    A class that lacks copies or originals in a fold is left out.

    Parameters
    ----------
    rows
        Columns `tables.ROWS`, the n rows that models are fitted on.
    statistics
        What `pixel_statistics.measure` returns, stacked over the same rows.
    """
    features, aucs = _frame(statistics["texture"]), {}
    for label, own in rows.groupby("label"):
        is_copy = (own["operation"] != "").to_numpy().astype(np.int64)
        if own.assign(copy=is_copy).groupby("fold")["copy"].nunique().eq(2).all():
            of_class = features.loc[own.index]
            metrics = baselines.cross_validate("boosting", of_class, is_copy, own)
            aucs[str(label)] = metrics.auc
    return aucs


def aspect_correlations(
    stored: pd.DataFrame, statistics: Mapping[str, Vector], folds: pd.DataFrame
) -> dict[str, Estimate]:
    """Compute how well the original aspect ratio can be predicted from a square model input.

    Parameters
    ----------
    stored
        Columns `width` and `height` of the stored files; n rows.
    statistics
        What `pixel_statistics.measure_squares` returns, stacked over the same pictures.
    folds
        Columns `fold` (-1: not used) and `group`; n rows.

    Returns
    -------
    dict
        For each way to a square, `crop`, `pad` or `squash`, the rank correlation of the logarithm
        of width divided by height with out-of-fold predictions of gradient boosting. Empty if all
        pictures that are used have one aspect ratio: nothing correlates with that.
    """
    aspect = np.log2((stored["width"] / stored["height"]).to_numpy(np.float64))
    if np.ptp(aspect[folds["fold"] >= 0]) == 0:
        return {}
    return {
        shape: baselines.rank_correlation(_frame(statistics[f"square_{shape}"]), aspect, folds)
        for shape in SHAPES
    }


def pairs_by_kind(related: pd.DataFrame, duplicate: float) -> dict[str, pd.DataFrame]:
    """Select the near-duplicate pairs of each kind, the most harmful kind first.

    Parameters
    ----------
    related
        Columns `tables.RELATED`. A pair may be of several kinds.
    duplicate
        Correlation from which pairs are nearly the same: `clean.duplicate`.
    """
    equal, same = related["correlation"] >= 1, related["correlation"] >= duplicate
    return {
        "across labels": related[related["label_a"] != related["label_b"]],
        "across the published split": related[related["part_a"] != related["part_b"]],
        "equal pixels": related[equal],
        "nearly the same": related[same & ~equal],
        "related": related[~same],
    }


def require_at_most(baseline: pd.Series, limit: float) -> None:
    """Raise RealartError if the lower bound of a baseline's AUC is above `limit`.

    `baseline` is a row of the table that `evaluate_candidates` returns.
    """
    if baseline["auc_low"] > limit:
        raise RealartError(
            f"{baseline['name']} ({baseline['scope']}) predicts the label with AUC "
            f"{baseline['auc']:.3f}, at least {baseline['auc_low']:.3f}, above audit.stop_above "
            f"({limit}): see metrics/audit/findings.md, mend the set or raise the param"
        )


def flatten(metrics: BaselineMetrics) -> dict[str, float]:
    """Return each metric by its name, and the ends of its interval as `<name>_low` and `_high`."""
    row: dict[str, float] = {}
    for name in ("auc", "balanced_accuracy", "accuracy"):
        estimate: Estimate = getattr(metrics, name)
        row |= {name: estimate.value, f"{name}_low": estimate.low, f"{name}_high": estimate.high}
    return row


def _cross_validate(
    labels: Labels, folds: pd.DataFrame, job: tuple[Candidate, str]
) -> BaselineMetrics:
    candidate, classifier = job
    return baselines.cross_validate(classifier, candidate.features, labels, folds)


def _frame(values: Vector) -> pd.DataFrame:
    return pd.DataFrame(values).add_prefix("x")
