"""Metrics of subgroups of pictures: by set, source, generator, style, format and size."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn import metrics

from realart.core import tables
from realart.metrics import classification, intervals
from realart.metrics.classification import Labels, Scores

SMALL = 30
"""Subgroups of fewer pictures are marked: their metrics are hardly reliable."""
BANDS = {"below 0.1 MP": 0.1, "0.1 to 0.5 MP": 0.5, "0.5 to 2 MP": 2.0, "2 MP and more": np.inf}
"""Upper bounds, in megapixels, of the subgroups by size."""
COLUMNS = {
    "by": str, "name": str, "pictures": int, "ai": int, "accuracy": float, "accuracy_low": float,
    "accuracy_high": float, "recall": float, "false_positive_rate": float, "auc": float,
    "small": bool,
}  # fmt: skip


def table(
    pictures: pd.DataFrame,
    scores: Scores,
    threshold: float | None = classification.THRESHOLD,
) -> pd.DataFrame:
    """Compute metrics of each subgroup.

    Parameters
    ----------
    pictures
        Columns of `tables.PICTURES`, n rows. Where they are of several sets, a subgroup by source
        is one of a single set.
    scores
        The higher for ai, such as calibrated probabilities; in the same order, shape (n,).
    threshold
        Score from which a picture is classified as ai; None leaves out what depends on it.

    Returns
    -------
    DataFrame
        Columns `COLUMNS`; of each kind of subgroup, `by`, the largest first. Accuracy has Wilson's
        95 % interval. What can't be computed, as for a single class, is NaN.
    """
    labels = tables.is_ai(pictures["label"])
    rows = []
    for by, name, mask in _subgroups(pictures):
        truth, own = labels[mask], scores[mask]
        both = 0 < truth.sum() < len(truth)
        rows.append(
            {
                "by": by,
                "name": name,
                "pictures": len(truth),
                "ai": int(truth.sum()),
                **({} if threshold is None else _decision_figures(truth, own >= threshold)),
                "auc": metrics.roc_auc_score(truth, own) if both else np.nan,
                "small": len(truth) < SMALL,
            }
        )
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _decision_figures(labels: Labels, predicted: NDArray[np.bool_]) -> dict[str, float]:
    accuracy = intervals.wilson(int((labels == predicted).sum()), len(labels))
    return {
        "accuracy": accuracy.value,
        "accuracy_low": accuracy.low,
        "accuracy_high": accuracy.high,
        "recall": predicted[labels == 1].mean() if labels.any() else np.nan,
        "false_positive_rate": predicted[labels == 0].mean() if not labels.all() else np.nan,
    }


def _subgroups(pictures: pd.DataFrame) -> Iterator[tuple[str, str, NDArray[np.bool_]]]:
    """Yield kind, name and mask of each subgroup that is not without a name."""
    megapixels = (pictures["width"] * pictures["height"] / 1e6).to_numpy()
    bands = pd.cut(megapixels, [0, *BANDS.values()], right=False, labels=list(BANDS))
    kinds = {name: pictures[name] for name in ("source", "generator", "style", "format")}
    if pictures["set"].nunique() > 1:
        kinds = {"set": pictures["set"]} | kinds
        kinds["source"] = pictures["set"] + "/" + pictures["source"]
    for by, values in (kinds | {"size": pd.Series(bands)}).items():
        names = values.astype(str).to_numpy()
        for name, _ in pd.Series(names[names != ""]).value_counts().items():
            yield by, str(name), names == name
