"""Shortcuts between several sets: whether a picture's set can be predicted, and its label from it.

Whatever separates sets may be learnt in place of what separates the classes, all the more where
sets consist mostly of one class.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from realart.core import tables
from realart.core.parallel import map_parallel
from realart.evaluation import remedies, shortcuts
from realart.evaluation.predictability import LEVELS
from realart.evaluation.shortcuts import AVAILABLE, COLOUR, PUBLISHED, TEXTURE, Candidate
from realart.metrics import baselines, by_set, text
from realart.metrics.classification import Labels
from realart.metrics.intervals import Estimate

COLUMNS = {
    "label": str, "scope": str, "name": str, "auc": float, "auc_low": float, "auc_high": float,
}  # fmt: skip


def predict_sets(candidates: Sequence[Candidate], rows: pd.DataFrame) -> pd.DataFrame:
    """Compute how well the set of a picture can be predicted, for each class on its own.

    Gradient boosting predicts the set out of fold, from whole headers and from pixel statistics.

    Parameters
    ----------
    candidates
        What `shortcuts.list_candidates` returns for the pictures of `rows`.
    rows
        Columns `tables.ROWS`, of published pictures.

    Returns
    -------
    DataFrame
        Columns `COLUMNS`, the highest AUC first: the mean over sets of one against the rest.
    """
    used = [
        candidate
        for candidate in candidates
        if candidate.name == shortcuts.ALL or candidate.scope in (COLOUR, TEXTURE)
    ]
    jobs = [(label, candidate) for label in sorted(rows["label"].unique()) for candidate in used]
    aucs = map_parallel(partial(_set_auc, rows), jobs, "audit", "classifier")
    table = pd.DataFrame(
        [
            (label, candidate.scope, candidate.name, auc.value, auc.low, auc.high)
            for (label, candidate), auc in zip(jobs, aucs, strict=True)
        ],
        columns=list(COLUMNS),
    )
    return table.sort_values("auc", ascending=False, kind="stable").reset_index(drop=True)


def _set_auc(rows: pd.DataFrame, job: tuple[str, Candidate]) -> Estimate:
    label, candidate = job
    own = (rows["label"] == label).to_numpy()
    folds = rows[own].reset_index(drop=True)
    features = candidate.features[own].reset_index(drop=True)
    return baselines.one_vs_rest_auc(features, folds["set"], folds)


def label_from_set(rows: pd.DataFrame, weights: NDArray[np.float32]) -> dict[str, Any]:
    """Compute how well the label can be predicted from a picture's set alone.

    Parameters
    ----------
    rows
        Columns `tables.ROWS`, the n rows of the training part.
    weights
        Sample weight of each row in training; shape (n,).

    Returns
    -------
    dict
        `accuracy` and `auc` out of fold (`value`, and `low` and `high` of their 95 % intervals);
        `association`, Cramér's V of label and set over published pictures; `fitted`, Cramér's V
        over weighted training rows.
    """
    labels, sets = tables.is_ai(rows["label"]), pd.factorize(rows["set"])[0]
    published, fit = (rows["operation"] == "").to_numpy(), rows["fit"].to_numpy()
    own = rows[published].reset_index(drop=True)
    metrics = baselines.cross_validate("logistic", own[["set"]], labels[published], own)
    return {
        "accuracy": vars(metrics.accuracy),
        "auc": vars(metrics.auc),
        "association": cramers_v(labels[published], sets[published], np.ones(published.sum())),
        "fitted": cramers_v(labels[fit], sets[fit], weights[fit]),
    }


def cramers_v(labels: Labels, sets: NDArray[np.int64], weights: NDArray[np.floating[Any]]) -> float:
    """Compute Cramér's V of label and set, weighted.

    Cramér, "Mathematical Methods of Statistics", 1946, section 21.9.

    Parameters
    ----------
    labels, sets, weights
        1 for ai and 0 for human, the number of the set, and sample weights; shape (n,).

    Returns
    -------
    float
        0 where the share of ai is the same in all sets, or a class is missing; 1 where each set is
        of one class.

    Examples
    --------
    >>> cramers_v(np.array([0, 0, 1, 1]), np.array([0, 0, 1, 1]), np.ones(4))
    1.0
    """
    size = np.bincount(sets, weights)
    ai = np.bincount(sets, weights * labels)
    share = ai.sum() / size.sum()
    if not 0 < share < 1:
        return 0.0
    deviation = (size * (ai / np.maximum(size, 1e-12) - share) ** 2).sum()
    return float(np.sqrt(deviation / (size.sum() * share * (1 - share))))


def baseline_on_held_out_sets(
    row: pd.Series, candidates: Sequence[Candidate], labels: Labels, rows: pd.DataFrame
) -> dict[str, Any]:
    """Compute the metrics of a baseline on each set when it is fitted on the other sets.

    Parameters
    ----------
    row
        Of the table that `shortcuts.evaluate_candidates` returns: candidate and classifier.
    candidates, labels
        Those that the table is of.
    rows
        Columns `tables.ROWS`, of the same pictures; those of fold -1 are left out.

    Returns
    -------
    dict
        accuracy and auc, means over sets, and their `intervals`.
    """
    sets = np.where(rows["fold"] >= 0, pd.factorize(rows["set"])[0], -1)
    features = shortcuts.features_of(row, candidates)
    scores, _ = baselines.out_of_fold(row["classifier"], features, labels, rows.assign(fold=sets))
    figures = by_set.evaluate_by_set(rows.assign(score=scores)[sets >= 0])
    return {name: figures[name] for name in ("accuracy", "auc", "intervals")}


def findings(table: pd.DataFrame, by_label: Mapping[str, Any]) -> list[str]:
    """Summarise in words what `predict_sets` and `label_from_set` return, a sentence each."""
    accuracy, auc = (Estimate(**by_label[name]) for name in ("accuracy", "auc"))
    sentences = [
        f"A picture's set alone predicts its label with accuracy {accuracy} and AUC {auc}; "
        f"Cramér's V of set and label is {by_label['association']:.3f}, and "
        f"{by_label['fitted']:.3f} over weighted training rows."
    ]
    for label, own in table.groupby("label"):
        best = {
            "files as published": shortcuts.best_row(own, [PUBLISHED]),
            "model input": shortcuts.best_row(own, AVAILABLE),
            "texture": shortcuts.best_row(own, [TEXTURE]),
        }
        aucs = ", ".join(
            f"from {source} with AUC {text.estimate('auc', row):.2f} ({row['name']})"
            for source, row in best.items()
        )
        sentences.append(f"The set of {label} art is predicted {aucs}.")
    return sentences + [remedies.REMEDIES["sets"]] * (auc.low > LEVELS["hardly"])
