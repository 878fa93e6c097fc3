"""Thresholds are the best there are, and are kept; verdicts are what the figures say."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from networks import some_scores
from sklearn import metrics

from realart.metrics import classification, thresholds
from realart.metrics.calibration import Calibration
from realart.metrics.thresholds import DecisionRule

Pairs = list[tuple[int, float]]
PAIRS = st.lists(
    st.tuples(st.integers(0, 1), st.one_of(st.floats(0, 1), st.sampled_from([0.0, 0.5, 1.0]))),
    min_size=2,
    max_size=40,
).filter(lambda pairs: {label for label, _ in pairs} == {0, 1})
POINTS = {"balanced": 0.4, "low_fpr": 0.9, "best_f1": 0.3}


def arrays(pairs: Pairs) -> tuple[classification.Labels, classification.Scores]:
    labels, scores = zip(*pairs, strict=True)
    return np.array(labels, np.int64), np.array(scores, np.float64)


def read(sure: float = 0.8) -> DecisionRule:
    return DecisionRule(calibration=Calibration(slope=1.0, offset=0.0), points=POINTS, sure=sure)


@given(PAIRS)
@example([(0, 0.0), (1, 5e-324)])
@example([(0, 1 - 2**-52), (1, 1 - 2**-53)])
@example([(0, 1 - 2**-53), (1, 1.0)])
def test_no_threshold_is_better(pairs: Pairs) -> None:
    labels, scores = arrays(pairs)
    points = thresholds.choose_points(labels, scores)
    every = [*np.unique(scores), np.nextafter(scores.max(), 2)]
    by_threshold = [(scores >= threshold).astype(int) for threshold in every]
    best = max(metrics.balanced_accuracy_score(labels, called) for called in by_threshold)
    found = metrics.balanced_accuracy_score(labels, scores >= points["balanced"])
    assert found == pytest.approx(best)
    best = max(metrics.f1_score(labels, called) for called in by_threshold)
    assert metrics.f1_score(labels, scores >= points["best_f1"]) == pytest.approx(best)


@given(PAIRS)
def test_few_human_pictures_are_accused_and_no_lower_threshold_does_it(pairs: Pairs) -> None:
    labels, scores = arrays(pairs)
    threshold = thresholds.choose_points(labels, scores)["low_fpr"]
    human = scores[labels == 0]
    assert (human >= threshold).mean() <= thresholds.ACCUSED
    lower = scores[scores < threshold]
    if len(lower):
        assert (human >= lower.max()).mean() > thresholds.ACCUSED


def test_one_in_a_hundred_may_be_accused() -> None:
    human, ai = np.linspace(0, 0.9, 200), np.linspace(0.1, 1, 200)
    labels = np.repeat([0, 1], 200)
    threshold = thresholds.choose_points(labels, np.concatenate([human, ai]))["low_fpr"]
    assert (human >= threshold).sum() == 2


def test_thresholds_lie_between_what_was_seen() -> None:
    labels, scores = np.array([0, 0, 1, 1]), np.array([0.1, 0.3, 0.7, 0.9])
    points = thresholds.choose_points(labels, scores)
    assert points == {"balanced": 0.5, "low_fpr": 0.5, "best_f1": 0.5}


@given(PAIRS, st.sampled_from([0.5, 0.75, 0.9, 1.0]))
def test_sure_verdicts_are_as_accurate_as_asked_and_as_many_as_possible(
    pairs: Pairs, accuracy: float
) -> None:
    labels, scores = arrays(pairs)
    sure = thresholds.confidence_threshold(labels, scores, accuracy)
    sureness = np.maximum(scores, 1 - scores)
    right = (scores >= 0.5) == labels
    given_at = {level: right[sureness >= level] for level in [*np.unique(sureness), 2.0]}
    enough = [len(one) for one in given_at.values() if len(one) and one.mean() >= accuracy]
    found = right[sureness >= sure]
    assert len(found) == max(enough, default=0)
    if len(found):
        assert found.mean() >= accuracy


@given(PAIRS)
def test_coverage_ends_with_the_accuracy_of_all(pairs: Pairs) -> None:
    labels, scores = arrays(pairs)
    curve = thresholds.coverage(labels, scores)
    assert curve["share"].is_monotonic_increasing
    assert (np.diff(curve["sureness"]) < 0).all()
    last = curve.iloc[-1]
    assert last["share"] == 1
    assert last["accuracy"] == pytest.approx(classification.figures(labels, scores)["accuracy"])


@pytest.mark.parametrize(
    ("probability", "at", "verdict"),
    [
        (0.1, None, "human"), (0.3, None, "unsure"), (0.79, None, "unsure"), (0.8, None, "ai"),
        (0.39, "balanced", "human"), (0.4, "balanced", "ai"), (0.89, "low_fpr", "human"),
        (0.9, "low_fpr", "ai"), (0.35, "best_f1", "ai"),
    ],
)  # fmt: skip
def test_a_verdict_is_read_off(probability: float, at: None, verdict: str) -> None:
    assert read().name(probability, at) == verdict


def test_where_it_need_not_be_sure_a_model_is_never_unsure() -> None:
    assert [read(0.5).name(one) for one in (0.0, 0.49, 0.5, 1.0)] == ["human", "human", "ai", "ai"]
    assert {read(2.0).name(one) for one in (0.0, 0.5, 1.0)} == {"unsure"}


def test_figures_count_the_verdicts_that_are_given() -> None:
    labels, scores = some_scores(200)
    judged = thresholds.evaluate_decisions(
        labels, scores, pd.Series(np.arange(200).astype(str)), read()
    )
    for point, threshold in POINTS.items():
        said = np.array([read().name(one, point) for one in scores]) == "ai"  # type: ignore[arg-type]
        found = judged["points"][point]
        assert (said == (scores >= threshold)).all()
        assert found["accuracy"] == pytest.approx((said == labels).mean())
        assert found["recall"] == pytest.approx(said[labels == 1].mean())
        assert found["precision"] == pytest.approx(labels[said].mean())
        assert found["false_positive_rate"] == pytest.approx(said[labels == 0].mean())
    said = np.array([read().name(one) for one in scores])
    given_ones = said != "unsure"
    assert 0 < given_ones.mean() < 1
    assert judged["sure"]["share"] == pytest.approx(given_ones.mean())
    right = (said == "ai")[given_ones] == labels[given_ones]
    assert judged["sure"]["accuracy"] == pytest.approx(right.mean())
    for name, interval in judged["intervals"].items():
        if name in judged:
            assert interval["low"] <= judged[name] <= interval["high"]


def test_no_verdict_has_no_accuracy() -> None:
    labels, scores = some_scores(50)
    judged = thresholds.evaluate_decisions(
        labels, scores, pd.Series(np.arange(50).astype(str)), read(2.0)
    )
    assert judged["sure"] == {"share": 0.0}


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ((0, 2, 0, 13), "everything is called ai (15 of 15 pictures, 13 are)"),
        ((13, 0, 2, 0), "everything is called human (15 of 15 pictures, 13 are)"),
        ((3, 47, 2, 48), "nearly everything is called ai (95 of 100 pictures, 50 are)"),
        ((48, 2, 48, 2), "nearly everything is called human (96 of 100 pictures, 50 are)"),
        ((2, 98, 0, 9900), "nearly everything is called ai (9998 of 10000 pictures, 9900 are)"),
        ((3, 47, 3, 47), ""),
        ((60, 40, 0, 9900), ""),
        ((0, 0, 0, 15), ""),
        ((15, 0, 0, 0), ""),
        ((0, 0, 15, 0), "everything is called human (15 of 15 pictures, 0 are)"),
    ],
)
def test_what_calls_everything_one_class_is_named(
    counts: tuple[int, int, int, int], expected: str
) -> None:
    """Whatever the share of the classes; where everything is of one class, that is no fault."""
    judged = {"confusion": dict(zip(("tn", "fp", "fn", "tp"), counts, strict=True))}
    assert thresholds.one_class(judged) == expected


def test_parts_that_are_called_one_class_are_named() -> None:
    all_ai, fair = ({"confusion": {"tn": n, "fp": 9 - n, "fn": 0, "tp": 9}} for n in (0, 8))
    assert thresholds.one_sided({"test": fair, "oof": fair}) == []
    (line,) = thresholds.one_sided({"test": fair, "oof": all_ai})
    assert line == "out of fold everything is called ai (18 of 18 pictures, 9 are)"
    assert len(thresholds.one_sided({"test": all_ai, "oof": all_ai})) == 2
