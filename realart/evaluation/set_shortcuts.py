"""Of several sets: from what can be told which one a picture is from, and does that name its label?

What tells sets apart is what a model may learn instead of how pictures were made, all the more if
a set is mostly of one class.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from realart.core import tables
from realart.core.parallel import each
from realart.evaluation.shortcuts import ALL, AVAILABLE, COLOUR, PUBLISHED, TEXTURE, Shortcut, best
from realart.metrics import baselines, by_set
from realart.metrics.classification import Labels
from realart.metrics.intervals import Estimate

COLUMNS = {
    "label": str, "scope": str, "name": str, "auc": float, "auc_low": float, "auc_high": float,
}  # fmt: skip


def which(asked: Sequence[Shortcut], rows: pd.DataFrame) -> pd.DataFrame:
    """Say for each class how well the set of its pictures is told: columns `COLUMNS`, best first.

    By a boosting of trees, out of fold, from whole headers and from pixels; the AUC is the mean of
    those by which each set is told from the others.

    Parameters
    ----------
    asked
        What `shortcuts.questions` returns for the pictures of `rows`.
    rows
        Columns `tables.ROWS`, of published pictures.
    """
    chosen = [one for one in asked if one.name == ALL or one.scope in (COLOUR, TEXTURE)]
    jobs = [(label, one) for label in sorted(rows["label"].unique()) for one in chosen]
    found = each(partial(_told, rows), jobs, "audit", "classifier")
    table = pd.DataFrame(
        [
            (label, one.scope, one.name, auc.value, auc.low, auc.high)
            for (label, one), auc in zip(jobs, found, strict=True)
        ],
        columns=list(COLUMNS),
    )
    return table.sort_values("auc", ascending=False, kind="stable").reset_index(drop=True)


def _told(rows: pd.DataFrame, job: tuple[str, Shortcut]) -> Estimate:
    label, question = job
    own = (rows["label"] == label).to_numpy()
    folds = rows[own].reset_index(drop=True)
    return baselines.several(question.features[own].reset_index(drop=True), folds["set"], folds)


def names_label(rows: pd.DataFrame, weights: NDArray[np.float32]) -> dict[str, Any]:
    """Say how well a label is guessed from the set of its picture alone, and what ties both.

    `accuracy` and `auc` are out of fold, with 95 % intervals. `association` is `cramers_v` of
    published pictures, `fitted` that of rows that are fitted on, by their weights.

    Parameters
    ----------
    rows
        Columns `tables.ROWS`, of the training part.
    weights
        What each row to be fitted on counts, shape (n,).
    """
    labels, sets = tables.is_ai(rows["label"]), pd.factorize(rows["set"])[0]
    published, fit = (rows["operation"] == "").to_numpy(), rows["fit"].to_numpy()
    own = rows[published].reset_index(drop=True)
    guessed = baselines.evaluate("logistic", own[["set"]], labels[published], own)
    return {
        "accuracy": vars(guessed.accuracy),
        "auc": vars(guessed.auc),
        "association": cramers_v(labels[published], sets[published], np.ones(published.sum())),
        "fitted": cramers_v(labels[fit], sets[fit], weights[fit]),
    }


def cramers_v(labels: Labels, sets: NDArray[np.int64], weights: NDArray[np.floating[Any]]) -> float:
    """Return Cramér's V of labels and sets, of which each row counts its weight.

    0 where the classes are mixed alike in all sets, or one is missing; 1 where each set is of one
    class (Cramér, "Mathematical Methods of Statistics", 1946, section 21.9).
    """
    size = np.bincount(sets, weights)
    ai = np.bincount(sets, weights * labels)
    share = ai.sum() / size.sum()
    if not 0 < share < 1:
        return 0.0
    off = (size * (ai / np.maximum(size, 1e-12) - share) ** 2).sum()
    return float(np.sqrt(off / (size.sum() * share * (1 - share))))


def unseen_baseline(
    row: pd.Series, asked: Sequence[Shortcut], labels: Labels, rows: pd.DataFrame
) -> dict[str, Any]:
    """Return the figures of the classifier of a row of `shortcuts.answer`'s table on sets held out.

    The mean over sets, as `by_set.mean`; each set is scored by what learnt from the others.
    """
    (question,) = (one for one in asked if (one.scope, one.name) == (row["scope"], row["name"]))
    sets = np.where(rows["fold"] >= 0, pd.factorize(rows["set"])[0], -1)
    held_out = rows.assign(fold=sets)
    scores, _ = baselines.out_of_fold(row["classifier"], question.features, labels, held_out)
    scored = rows.assign(score=scores)[sets >= 0]
    found = by_set.by_set(scored)
    return {name: found[name] for name in ("accuracy", "auc", "intervals")}


def sentences(table: pd.DataFrame, named: Mapping[str, Any]) -> list[str]:
    """Say in words what `which` and `names_label` have found."""
    guessed, auc = (Estimate(**named[name]) for name in ("accuracy", "auc"))
    said = [
        f"A picture's set alone gives its label with accuracy {guessed} and AUC {auc}; both are "
        f"tied by a Cramér's V of {named['association']:.3f}, and of {named['fitted']:.3f} in what "
        "is fitted on."
    ]
    for label, own in table.groupby("label"):
        told = ", ".join(
            f"{said} AUC {row['auc']:.2f} [{row['auc_low']:.2f}, {row['auc_high']:.2f}] "
            f"({row['name']})"
            for said, row in (
                ("as published", best(own, [PUBLISHED])),
                ("in what models are given", best(own, AVAILABLE)),
                ("by texture", best(own, [TEXTURE])),
            )
        )
        said.append(f"Which set {label} art is from can be told: {told}.")
    return said
