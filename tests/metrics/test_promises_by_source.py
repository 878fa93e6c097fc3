"""Thresholds of the other sources are tried on a source, and the worst is named."""

import numpy as np
import pandas as pd
import pytest

from realart.metrics import promises, promises_by_source
from realart.params import Promise

PROMISE = Promise(false_positive_rate=0.05, precision=[0.9], confidence=0.9)


def scored(shift: float, source: str, seed: int, count: int = 300) -> pd.DataFrame:
    """Score pictures of a source, its human art higher by `shift` than elsewhere."""
    random = np.random.default_rng(seed)
    ai = np.arange(count) % 2
    scores = np.clip(random.normal(0.1 + 0.8 * ai + shift * (1 - ai), 0.1), 0, 1)
    return pd.DataFrame(
        {
            "label": np.where(ai == 1, "ai", "human"),
            "score": scores,
            "group": [f"{source} {number}" for number in range(count)],
            "source": source,
        }
    )


def test_thresholds_are_those_of_the_other_sources() -> None:
    rows = pd.concat([scored(0, "a", 1), scored(0, "b", 2), scored(0.5, "c", 3)])
    table = promises_by_source.table(rows, rows, PROMISE).set_index("source")
    for source in "abc":
        humans = rows[(rows["source"] != source) & (rows["label"] == "human")]
        threshold = promises.false_positive_threshold(
            humans["score"].to_numpy(), humans["group"], 0.05, 0.9
        )
        own = rows[(rows["source"] == source) & (rows["label"] == "human")]
        assert table.loc[source, "low_fpr"] == threshold
        expected = (own["score"] >= threshold).mean()
        assert table.loc[source, "false_positive_rate"] == pytest.approx(expected)
    assert table.loc["c", "false_positive_rate"] > 0.5
    worst = promises_by_source.worst(table.reset_index())
    assert len(worst) == 2
    assert all(sentence.endswith(" on c") for sentence in worst)


def test_sources_that_are_folders_of_classes_show_nothing() -> None:
    rows = pd.concat([scored(0, "a", 1), scored(0, "b", 2)])
    rows = rows[(rows["source"] == "a") == (rows["label"] == "ai")]
    table = promises_by_source.table(rows, rows, PROMISE)
    assert table[["low_fpr", "sure", "false_positive_rate", "precision"]].isna().all(axis=None)
    assert promises_by_source.worst(table) == []
    assert promises_by_source.worst(table.iloc[:0]) == []


def test_a_source_of_one_class_has_no_rate_of_the_other() -> None:
    rows = pd.concat([scored(0, "a", 1), scored(0, "b", 2), scored(0, "c", 3)])
    rows = rows[(rows["source"] != "a") | (rows["label"] == "ai")]
    table = promises_by_source.table(rows, rows, PROMISE).set_index("source")
    assert np.isnan(table.loc["a", "false_positive_rate"])  # no human art to be tried on
    assert table["precision"].notna().all()
