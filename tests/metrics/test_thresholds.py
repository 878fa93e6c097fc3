"""Chosen thresholds are optimal, and decisions agree with the metrics that are reported."""

import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from networks import some_scores
from scipy.special import expit
from sklearn import metrics

from realart.core.errors import RealartError
from realart.metrics import classification, proofs, thresholds
from realart.metrics.calibration import Calibration
from realart.metrics.thresholds import DecisionRule
from realart.params import Point, Promise

Pairs = list[tuple[int, float]]
PAIRS = st.lists(
    st.tuples(st.integers(0, 1), st.one_of(st.floats(0, 1), st.sampled_from([0.0, 0.5, 1.0]))),
    min_size=2,
    max_size=40,
).filter(lambda pairs: {label for label, _ in pairs} == {0, 1})
PROMISE = Promise(false_positive_rate=0.1, precision=0.9, confidence=0.95)
POINTS = {"balanced": 0.4, "low_fpr": 0.9, "best_f1": 0.3}


def arrays(pairs: Pairs) -> tuple[classification.Labels, classification.Scores]:
    labels, scores = zip(*pairs, strict=True)
    return np.array(labels, np.int64), np.array(scores, np.float64)


def rule(sure: float = 0.8) -> DecisionRule:
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


def choose(labels: classification.Labels, scores: classification.Scores) -> DecisionRule:
    groups = pd.Series(np.arange(len(labels)).astype(str))
    return thresholds.choose_rule(
        labels, scores, groups, PROMISE, Calibration(slope=1.0, offset=0.0), "set"
    )


@given(st.integers(1, 60), st.integers(1, 60), st.integers(0, 2**32 - 1))
def test_a_point_has_a_threshold_if_its_promise_is_proved(humans: int, ais: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    labels = np.repeat([0, 1], [humans, ais])
    chosen = choose(labels, expit(random.normal(3 * (2 * labels - 1))))
    assert chosen.proofs is not None
    assert chosen.proofs.false_positive_rate.holds == ("low_fpr" in chosen.points)
    assert chosen.proofs.error_rate.holds == (chosen.sure < thresholds.NEVER)
    assert (humans >= 29) == ("low_fpr" in chosen.points)


def test_without_a_promise_every_decision_is_unsure() -> None:
    chosen = choose(np.array([0, 0, 1, 1]), np.array([0.0, 0.1, 0.9, 1.0]))
    assert {chosen.decide(value) for value in (0.0, 1.0)} == {"unsure"}
    assert {chosen.decide(value, "low_fpr") for value in (0.0, 1.0)} == {"unsure"}
    assert chosen.decide(1.0, "balanced") == "ai"
    with pytest.raises(RealartError, match=r"low_fpr can't be promised .* needs 29 .* set has 2,"):
        chosen.require_point("low_fpr")
    chosen.require_point("balanced")
    chosen.require_point(None)
    assert chosen.promise("balanced") == ""
    assert "unsure" in chosen.promise()


def test_models_of_older_releases_promise_nothing() -> None:
    assert rule().promise() == rule().promise("low_fpr") == proofs.NONE
    rule().require_point("low_fpr")


def test_thresholds_lie_between_probabilities() -> None:
    labels, scores = np.array([0, 0, 1, 1]), np.array([0.1, 0.3, 0.7, 0.9])
    points = thresholds.choose_points(labels, scores)
    assert points == {"balanced": 0.5, "best_f1": 0.5}


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
    ("probability", "at", "decision"),
    [
        (0.1, None, "human"), (0.3, None, "unsure"), (0.79, None, "unsure"), (0.8, None, "ai"),
        (0.39, "balanced", "human"), (0.4, "balanced", "ai"), (0.89, "low_fpr", "human"),
        (0.9, "low_fpr", "ai"), (0.35, "best_f1", "ai"),
    ],
)  # fmt: skip
def test_decisions_follow_the_thresholds(probability: float, at: None, decision: str) -> None:
    assert rule().decide(probability, at) == decision


def test_a_confidence_threshold_may_pass_all_and_none() -> None:
    assert [rule(0.5).decide(value) for value in (0.0, 0.49, 0.5, 1.0)] == [
        "human", "human", "ai", "ai",
    ]  # fmt: skip
    assert {rule(thresholds.NEVER).decide(value) for value in (0.0, 0.5, 1.0)} == {"unsure"}


@given(st.floats(0, 1), st.sampled_from([0.3, 0.5, 0.75, 0.99, thresholds.NEVER]))
def test_the_bounds_in_words_are_those_of_the_decisions(probability: float, sure: float) -> None:
    for at in (None, *POINTS):
        words = rule(sure).bounds(at)
        numbers = [float(text) for text in re.findall(r"\d\.\d+", words)]
        if any(abs(probability - number) < 0.001 for number in numbers):
            continue
        decision = "unsure" if not words else "ai" if probability > numbers[-1] else "human"
        if len(numbers) == 2 and numbers[0] < probability < numbers[1]:
            decision = "unsure"
        assert rule(sure).decide(probability, at) == decision


def test_metrics_are_those_of_the_decisions() -> None:
    labels, scores = some_scores(200)
    figures = thresholds.evaluate_decisions(
        labels, scores, pd.Series(np.arange(200).astype(str)), rule()
    )
    for point, threshold in POINTS.items():
        labelled = [rule().decide(score, point) for score in scores]  # type: ignore[arg-type]
        predicted = np.array(labelled) == "ai"
        at_point = figures["points"][point]
        assert (predicted == (scores >= threshold)).all()
        assert at_point["accuracy"] == pytest.approx((predicted == labels).mean())
        assert at_point["recall"] == pytest.approx(predicted[labels == 1].mean())
        assert at_point["precision"] == pytest.approx(labels[predicted].mean())
        assert at_point["false_positive_rate"] == pytest.approx(predicted[labels == 0].mean())
    decisions = np.array([rule().decide(score) for score in scores])
    decided = decisions != "unsure"
    assert 0 < decided.mean() < 1
    assert figures["sure"]["share"] == pytest.approx(decided.mean())
    correct = (decisions == "ai")[decided] == labels[decided]
    assert figures["sure"]["accuracy"] == pytest.approx(correct.mean())
    for name, interval in figures["intervals"].items():
        if name in figures:
            assert interval["low"] <= figures[name] <= interval["high"]


def test_no_decision_has_no_accuracy() -> None:
    labels, scores = some_scores(50)
    figures = thresholds.evaluate_decisions(
        labels, scores, pd.Series(np.arange(50).astype(str)), rule(thresholds.NEVER)
    )
    assert figures["sure"] == {"share": 0.0}


def test_a_promised_threshold_below_the_balanced_one_is_explained() -> None:
    assert thresholds.why_below_balanced({"balanced": 0.5, "best_f1": 0.2, "sure": 0.9}) == ""
    for low_fpr in (0.5, 0.8):
        assert thresholds.why_below_balanced({"balanced": 0.5, "low_fpr": low_fpr}) == ""
    words = thresholds.why_below_balanced({"balanced": 0.674, "low_fpr": 0.517})
    assert words.startswith("low_fpr (0.517) is below balanced (0.674) because it is the lowest")


@pytest.mark.parametrize("at", [None, "balanced", "low_fpr"])
@pytest.mark.parametrize("value", [float("nan"), float("inf"), -0.1, 1.1])
def test_nothing_is_decided_by_what_is_no_probability(value: float, at: Point | None) -> None:
    with pytest.raises(ValueError, match="is no probability"):
        rule().decide(value, at)
