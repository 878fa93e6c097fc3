"""Curves begin and end where they must; the confusion matrix counts every picture."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from realart.metrics import classification, curves

CASES = st.lists(st.tuples(st.integers(0, 1), st.floats(0, 1)), min_size=2, max_size=40).filter(
    lambda pairs: {label for label, _ in pairs} == {0, 1}
)


def arrays(pairs: list[tuple[int, float]]) -> tuple[classification.Labels, classification.Scores]:
    labels, scores = zip(*pairs, strict=True)
    return np.array(labels), np.array(scores)


@given(CASES)
def test_roc_climbs_from_nothing_to_all_and_encloses_the_auc(
    pairs: list[tuple[int, float]],
) -> None:
    curve = curves.roc(*arrays(pairs))
    assert list(curve.columns) == ["fpr", "tpr", "threshold"]
    assert curve[["fpr", "tpr"]].iloc[0].tolist() == [0, 0]
    assert curve[["fpr", "tpr"]].iloc[-1].tolist() == [1, 1]
    assert curve["fpr"].is_monotonic_increasing
    assert curve["tpr"].is_monotonic_increasing
    assert curve["threshold"].between(0, 1).all()
    area = np.trapezoid(curve["tpr"], curve["fpr"])
    assert area == pytest.approx(classification.figures(*arrays(pairs))["auc"])


@given(CASES, st.floats(-9, 9))
def test_roc_of_scores_of_any_scale_is_that_of_their_ranks(
    pairs: list[tuple[int, float]], offset: float
) -> None:
    labels, scores = arrays(pairs)
    scores = 7 * scores.round(3) + offset
    curve = curves.roc(labels, scores)
    assert np.isfinite(curve).all(axis=None)
    assert curve["threshold"].is_monotonic_decreasing
    assert (curve["threshold"].iloc[0] >= scores).all()


@given(CASES)
def test_precision_recall_goes_from_the_share_of_ai_to_no_recall(
    pairs: list[tuple[int, float]],
) -> None:
    labels, scores = arrays(pairs)
    curve = curves.precision_recall(labels, scores)
    assert list(curve.columns) == ["recall", "precision"]
    assert curve.iloc[0].tolist() == pytest.approx([1, labels.mean()])
    assert curve.iloc[-1].tolist() == [0, 1]
    assert curve["recall"].is_monotonic_decreasing
    steps = -np.diff(curve["recall"]) * curve["precision"][:-1]
    area = classification.figures(labels, scores)["average_precision"]
    assert steps.sum() == pytest.approx(area)


@given(CASES, st.floats(0, 1))
def test_cells_of_the_confusion_count_all_pictures(
    pairs: list[tuple[int, float]], threshold: float
) -> None:
    labels, scores = arrays(pairs)
    table = curves.confusion(labels, scores, threshold)
    assert list(table.columns) == ["actual", "predicted", "pictures", "share"]
    for row in table.itertuples():
        of_class = (labels == 1) == (row.actual == "ai")
        called = (scores >= threshold) == (row.predicted == "ai")
        assert row.pictures == (of_class & called).sum()
        assert row.share == pytest.approx(called[of_class].mean())
    assert table["pictures"].sum() == len(pairs)
    assert table[["actual", "predicted"]].to_numpy().tolist() == [
        ["human", "human"], ["human", "ai"], ["ai", "human"], ["ai", "ai"],
    ]  # fmt: skip


def test_a_class_without_pictures_has_shares_of_zero() -> None:
    table = curves.confusion(np.ones(4, np.int64), np.full(4, 0.9))
    assert table["share"].tolist() == [0, 0, 0, 1]
