"""Matched pictures: as many of each class in every stratum, as many as there can be."""

from collections import Counter
from typing import Any

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st
from making import published

from realart.metrics import intervals, matching

PICTURE = st.tuples(
    st.sampled_from(["ai", "human"]),
    st.sampled_from(["JPEG", "PNG"]),
    st.sampled_from([(100, 100), (101, 100), (400, 100), (100, 400), (800, 800)]),
)
SAME = {(101, 100): (100, 100)}


def table(rows: list[tuple[str, str, tuple[int, int]]]) -> pd.DataFrame:
    return published(
        [
            {"id": f"{i:03d}", "label": label, "format": kind, "width": size[0], "height": size[1]}
            for i, (label, kind, size) in enumerate(rows)
        ]
    )


@given(st.lists(PICTURE, max_size=40))
def test_classes_are_equal_and_whole_in_every_stratum(
    rows: list[tuple[str, str, tuple[int, int]]],
) -> None:
    chosen = matching.matched(table(rows))
    of = [(kind, SAME.get(size, size), label) for label, kind, size in rows]
    there = Counter(of)
    taken = Counter(stratum for stratum, kept in zip(of, chosen, strict=True) if kept)
    for kind, size, _ in of:
        both = [(kind, size, label) for label in ("ai", "human")]
        assert {taken[stratum] for stratum in both} == {min(there[stratum] for stratum in both)}


@given(st.lists(PICTURE, max_size=30), st.randoms())
def test_the_order_of_rows_changes_nothing(
    rows: list[tuple[str, str, tuple[int, int]]], random: "st.random.Random"
) -> None:
    pictures = table(rows)
    order = list(range(len(rows)))
    random.shuffle(order)
    shuffled = pictures.iloc[order]
    assert set(pictures["id"][matching.matched(pictures)]) == set(
        shuffled["id"][matching.matched(shuffled)]
    )


def test_figures_are_those_of_matched_pictures_alone() -> None:
    pictures = table(
        [("ai", "JPEG", (100, 100)), ("human", "JPEG", (100, 100)), ("ai", "PNG", (100, 100))]
    )
    scores = pd.DataFrame(
        {"row": pictures["id"], "label": pictures["label"], "score": [0.9, 0.1, 0]}
    )
    assert matching.figures(scores, pictures) == {"pictures": 2, "accuracy": 1.0, "auc": 1.0}
    at = {threshold: matching.figures(scores, pictures, threshold) for threshold in (0.95, None)}
    assert at[0.95]["accuracy"] == 0.5
    assert at[None] == {"pictures": 2, "auc": 1.0}
    alone = pictures.iloc[2:]
    assert matching.figures(scores.iloc[2:], alone) == {"pictures": 0}


def report(matched: dict[str, float], accuracy: float) -> dict[str, Any]:
    return {"matched": {"oof": matched, "test": {"pictures": 0}}, "oof": {"accuracy": accuracy}}


@given(st.integers(1, 500), st.floats(0, 1), st.floats(0, 1))
def test_less_is_said_only_of_what_chance_does_not_explain(
    pictures: int, share: float, of_all: float
) -> None:
    correct = round(share * pictures)
    accuracy = correct / pictures
    words = matching.describe(report({"pictures": pictures, "accuracy": accuracy}, of_all))
    assert f"out of fold accuracy {accuracy:.3f} ({pictures}), of the test part none" in words
    less = intervals.wilson(correct, pictures).high < of_all
    assert ("part of that is format and size" in words) == less
    assert not (less and accuracy >= of_all)


def test_without_a_match_nothing_is_known() -> None:
    assert "nobody knows" in matching.describe(report({"pictures": 0}, 0.9))
