"""Promises on sources that they were not made for: thresholds of all other sources, on each."""

import numpy as np
import pandas as pd

from realart.core import tables
from realart.metrics import classification, intervals, promises
from realart.params import Promise

COLUMNS = {
    "source": str, "pictures": int, "human": int, "low_fpr": float, "false_positive_rate": float,
    "false_positive_rate_low": float, "false_positive_rate_high": float, "sure": float,
    "decided": float, "precision": float, "precision_low": float, "precision_high": float,
}  # fmt: skip


def table(oof: pd.DataFrame, tested: pd.DataFrame, promise: Promise) -> pd.DataFrame:
    """Choose thresholds on all sources but one, and try them on that source.

    Parameters
    ----------
    oof
        Columns label, score (calibrated probability of ai, out of fold), group and source.
    tested
        The same columns: scores of each source on which thresholds are tried. They are of pictures
        from an unseen source if the models that they are from were trained on the others alone.
    promise
        Error rates that the thresholds are to keep.

    Returns
    -------
    DataFrame
        Columns `COLUMNS`, a row for each source, in the order of names. `low_fpr` and `sure` are
        the thresholds, `decided` the share of pictures that are not unsure, `precision` that of
        these decisions; rates have Wilson's 95 % interval. What there is no threshold or no picture
        for is NaN; there is no threshold where all other sources are of one class, as where sources
        are no more than the folders of the classes.
    """
    rows = []
    for source, own in tested.groupby("source"):
        others = oof[oof["source"] != source]
        low_fpr, sure = _thresholds(others, promise)
        labels, scores = tables.is_ai(own["label"]), own["score"].to_numpy()
        humans = scores[labels == 0]
        correct = ((scores >= classification.THRESHOLD) == labels)[
            np.maximum(scores, 1 - scores) >= sure
        ]
        rows.append(
            {
                "source": source,
                "pictures": len(own),
                "human": len(humans),
                "low_fpr": low_fpr,
                **_rate("false_positive_rate", humans >= low_fpr if low_fpr == low_fpr else []),
                "sure": sure,
                "decided": len(correct) / len(own) if sure == sure else np.nan,
                **_rate("precision", correct),
            }
        )
    return pd.DataFrame(rows, columns=list(COLUMNS))


def worst(rows: pd.DataFrame) -> list[str]:
    """Name the source with the highest false positive rate, and that with the lowest precision.

    `rows` is what `table` returns; a sentence for each of both that there is.
    """
    sentences = []
    for name, title, highest in (
        ("false_positive_rate", "false positive rate at low_fpr", True),
        ("precision", "precision of decisions", False),
    ):
        known = rows.dropna(subset=name).sort_values(name, ascending=not highest, kind="stable")
        for _, row in known.head(1).iterrows():
            estimate = intervals.Estimate(row[name], row[f"{name}_low"], row[f"{name}_high"])
            sentences.append(
                f"worst {title} by thresholds of the other sources: {estimate} on {row['source']}"
            )
    return sentences


def _thresholds(others: pd.DataFrame, promise: Promise) -> tuple[float, float]:
    """Return the thresholds of `low_fpr` and of decisions; NaN for what can't be promised."""
    if others["label"].nunique() < 2:
        return np.nan, np.nan
    labels, scores = tables.is_ai(others["label"]), others["score"].to_numpy()
    human, groups = labels == 0, others["group"]
    low_fpr = promises.false_positive_threshold(
        scores[human], groups[human], promise.false_positive_rate, promise.confidence
    )
    proved = promises.highest_precision(
        labels, scores, groups, promise.precision, promise.confidence
    )
    return np.nan if low_fpr is None else low_fpr, proved[1] if proved else np.nan


def _rate(name: str, errors: "np.typing.ArrayLike") -> dict[str, float]:
    """Return the share of true values with its interval, NaN if there are none."""
    values = np.asarray(errors, np.bool_)
    estimate = intervals.wilson(int(values.sum()), len(values))
    found = (estimate.value, estimate.low, estimate.high) if len(values) else (np.nan,) * 3
    return dict(zip((name, f"{name}_low", f"{name}_high"), found, strict=True))
