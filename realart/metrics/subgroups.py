"""The same figures for parts of the pictures: by set, source, generator, style, format and size."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from sklearn import metrics

from realart.core import tables
from realart.metrics import classification, intervals
from realart.metrics.classification import Scores

SMALL = 30
"""Figures of fewer pictures say little, and are marked."""
BANDS = {"below 0.1 MP": 0.1, "0.1 to 0.5 MP": 0.5, "0.5 to 2 MP": 2.0, "2 MP and more": np.inf}
COLUMNS = {
    "by": str, "name": str, "pictures": int, "ai": int, "accuracy": float, "accuracy_low": float,
    "accuracy_high": float, "recall": float, "false_positive_rate": float, "auc": float,
    "small": bool,
}  # fmt: skip


def table(pictures: pd.DataFrame, probabilities: Scores) -> pd.DataFrame:
    """Return figures of each subgroup: columns `COLUMNS`, the largest of each kind first.

    What a group of one class has no figure for is NaN. Accuracy has Wilson's 95 % interval.

    Parameters
    ----------
    pictures
        Columns of `tables.PICTURES`. Where they are of several sets, a source is one of its set.
    probabilities
        Of ai, in the same order.
    """
    labels = tables.is_ai(pictures["label"])
    called = probabilities >= classification.THRESHOLD
    rows = []
    for by, name, own in _groups(pictures):
        truth, said = labels[own], called[own]
        right = intervals.wilson(int((truth == said).sum()), len(truth))
        both = 0 < truth.sum() < len(truth)
        rows.append(
            {
                "by": by,
                "name": name,
                "pictures": len(truth),
                "ai": int(truth.sum()),
                "accuracy": right.value,
                "accuracy_low": right.low,
                "accuracy_high": right.high,
                "recall": said[truth == 1].mean() if truth.any() else np.nan,
                "false_positive_rate": said[truth == 0].mean() if not truth.all() else np.nan,
                "auc": metrics.roc_auc_score(truth, probabilities[own]) if both else np.nan,
                "small": len(truth) < SMALL,
            }
        )
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _groups(pictures: pd.DataFrame) -> Iterator[tuple[str, str, np.ndarray]]:
    megapixels = (pictures["width"] * pictures["height"] / 1e6).to_numpy()
    bands = pd.cut(megapixels, [0, *BANDS.values()], right=False, labels=list(BANDS))
    kinds = {name: pictures[name] for name in ("source", "generator", "style", "format")}
    if pictures["set"].nunique() > 1:
        kinds = {"set": pictures["set"]} | kinds
        kinds["source"] = pictures["set"] + "/" + pictures["source"]
    for by, values in (kinds | {"size": pd.Series(bands)}).items():
        named = values.astype(str).to_numpy()
        for name, _ in pd.Series(named[named != ""]).value_counts().items():
            yield by, str(name), named == name
