"""Shortcut baselines on a set that was not split: cross-validated on folds of its own.

They show what a detector's AUC on this set is worth: how well the label can be predicted without
looking at the art.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from sklearn.model_selection import StratifiedGroupKFold

from realart.core import tables
from realart.core.parallel import map_parallel
from realart.evaluation import audit, shortcuts
from realart.features import measurements
from realart.metrics.subgroups import SMALL
from realart.params import CLASSES

FOLDS = 5
SCOPES = {"published": (shortcuts.PUBLISHED,), "stored": shortcuts.AVAILABLE}
"""Scopes of the baselines: of files as published, and of canonical pictures."""


def evaluate(pictures: pd.DataFrame, stored: Sequence[Path], limit: int) -> dict[str, Any]:
    """Cross-validate the baselines of a set, and return the best of each of `SCOPES`.

    Parameters
    ----------
    pictures
        Columns `tables.PICTURES`, n rows.
    stored
        The canonical picture of each row.
    limit
        Most pictures that are used; of a larger set, whole groups are.

    Returns
    -------
    dict
        For each of `SCOPES`, `by` (features and classifier) and auc, balanced_accuracy and
        accuracy, each also with `_low` and `_high`. Empty where a class has fewer than `SMALL`
        unrelated pictures.
    """
    table = pictures.assign(operation="", canonical=[str(path) for path in stored])
    table = audit.sample_groups(table, limit)
    unrelated = table.groupby("label")["group"].nunique()
    if unrelated.reindex(list(CLASSES), fill_value=0).min() < SMALL:
        return {}
    files = [Path(path) for path in table["canonical"]]
    headers, statistics = measurements.stack(
        list(map_parallel(measurements.measure_file, files, "baselines"))
    )
    candidates = [
        candidate
        for candidate in shortcuts.list_candidates(table, headers, statistics)
        if candidate.scope != shortcuts.TEXTURE
    ]
    labels = tables.is_ai(table["label"])
    rows = shortcuts.evaluate_candidates(candidates, labels, _with_folds(table))
    return {name: _best(rows, scopes) for name, scopes in SCOPES.items()}


def _with_folds(table: pd.DataFrame) -> pd.DataFrame:
    """Return `table` with a column `fold`, which never splits a group."""
    splitter = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=0)
    folds = pd.Series(-1, table.index)
    for number, (_, held_out) in enumerate(splitter.split(table, table["label"], table["group"])):
        folds.iloc[held_out] = number
    return table.assign(fold=folds)


def _best(rows: pd.DataFrame, scopes: Sequence[str]) -> dict[str, Any]:
    row = shortcuts.best_row(rows, scopes)
    metrics = row.drop(["scope", "name", "classifier"])
    by = f"{row['name']} ({row['scope']}), {row['classifier']}"
    return {"by": by} | {f"{name}": float(value) for name, value in metrics.items()}
