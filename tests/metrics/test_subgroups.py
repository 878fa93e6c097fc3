"""Each picture counts in one group of each kind, and figures are those of the group."""

import numpy as np
import pandas as pd
import pytest
from networks import some_scores

from realart.metrics import classification, subgroups


def pictures(labels: np.ndarray) -> pd.DataFrame:
    count = len(labels)
    generator = np.random.default_rng(1)
    return pd.DataFrame(
        {
            "set": "",
            "label": np.array(["human", "ai"])[labels],
            "source": generator.choice(["a", "b/c"], count, p=[0.8, 0.2]),
            "generator": np.where(labels == 1, generator.choice(["SD", "LD"], count), ""),
            "style": "",
            "format": generator.choice(["JPEG", "PNG", "WEBP"], count),
            "width": generator.integers(64, 3000, count),
            "height": 1000,
        }
    )


def test_figures_are_those_of_the_group() -> None:
    labels, scores = some_scores(300)
    listed = pictures(labels)
    table = subgroups.table(listed, scores).set_index(["by", "name"])
    own = (listed["format"] == "PNG").to_numpy()
    expected = classification.figures(labels[own], scores[own])
    row = table.loc[("format", "PNG")]
    assert row["pictures"] == own.sum()
    assert row["ai"] == labels[own].sum()
    for name in ("accuracy", "recall", "auc"):
        assert row[name] == pytest.approx(expected[name])
    assert row["false_positive_rate"] == pytest.approx((scores[own & (labels == 0)] >= 0.5).mean())
    assert row["accuracy_low"] < row["accuracy"] < row["accuracy_high"]


def test_figures_are_those_at_a_threshold_if_there_is_one() -> None:
    labels, scores = some_scores(300)
    listed = pictures(labels)
    at_half, shifted = subgroups.table(listed, scores), subgroups.table(listed, 4 * scores, 2.0)
    pd.testing.assert_frame_equal(at_half, shifted)
    decided = ["accuracy", "accuracy_low", "accuracy_high", "recall", "false_positive_rate"]
    ranked = subgroups.table(listed, scores, threshold=None)
    assert ranked[decided].isna().all(axis=None)
    pd.testing.assert_frame_equal(ranked.drop(columns=decided), at_half.drop(columns=decided))


def test_every_picture_is_counted_once_of_each_kind() -> None:
    labels, scores = some_scores(300)
    table = subgroups.table(pictures(labels), scores)
    counted = table.groupby("by")["pictures"].sum()
    assert counted[["source", "format", "size"]].tolist() == [300] * 3
    assert counted["generator"] == labels.sum()
    assert "style" not in counted
    assert set(table.loc[table["by"] == "size", "name"]) <= set(subgroups.BANDS)
    for _, of_kind in table.groupby("by"):
        assert of_kind["pictures"].is_monotonic_decreasing
    assert (table["small"] == (table["pictures"] < subgroups.SMALL)).all()


def test_a_group_of_one_class_has_no_area() -> None:
    labels, scores = some_scores(300)
    table = subgroups.table(pictures(labels), scores)
    of_generators = table[table["by"] == "generator"]
    assert of_generators["auc"].isna().all()
    assert of_generators["false_positive_rate"].isna().all()
    assert of_generators["recall"].notna().all()


def test_sets_are_subgroups_where_there_are_several() -> None:
    """Their folders, too: folders of the same name in two sets are two sources."""
    labels, scores = some_scores(300)
    listed = pictures(labels).assign(source="a", set=np.where(np.arange(300) < 100, "x", "y"))
    table = subgroups.table(listed, scores).set_index(["by", "name"])
    assert table.loc["set", "pictures"].to_dict() == {"y": 200, "x": 100}
    assert table.loc["source", "pictures"].to_dict() == {"y/a": 200, "x/a": 100}
    assert "set" not in set(subgroups.table(pictures(labels), scores)["by"])


@pytest.mark.parametrize(
    ("width", "height", "band"),
    [(64, 64, "below 0.1 MP"), (1000, 500, "0.5 to 2 MP"), (2000, 1000, "2 MP and more")],
)
def test_a_band_holds_its_lower_edge(width: int, height: int, band: str) -> None:
    listed = pictures(np.array([0, 1])).assign(width=width, height=height)
    table = subgroups.table(listed, np.array([0.2, 0.7]))
    assert table.loc[table["by"] == "size", "name"].tolist() == [band]
