"""Only what the scores and the classes of a set define is computed, and it equals its formula."""

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from networks import UNCALIBRATED_RULE, some_scores

from realart.metrics import classification, intervals, scored_set, thresholds
from realart.metrics.scored_set import Scale

VALUES = st.one_of(st.floats(0, 1), st.sampled_from([0.4, 0.5, 0.9]))  # thresholds, too
PROBABILITIES = st.lists(VALUES, min_size=1, max_size=40).map(np.array)
CLASSES = st.sampled_from([("human", 0, "false_positive_rate"), ("ai", 1, "recall")])


def groups(count: int) -> "pd.Series[str]":
    return pd.Series([f"{number}" for number in range(count)])


def numbers(figures: Any) -> list[float]:
    """Return all numbers in what metrics.json holds."""
    inside = figures.values() if isinstance(figures, dict) else [figures]
    return [v for value in inside for v in (numbers(value) if isinstance(value, dict) else [value])]


def test_probabilities_have_the_metrics_of_a_run() -> None:
    labels, scores = some_scores(120)
    figures = scored_set.evaluate_scores(labels, scores, groups(120), Scale())
    of_run = thresholds.evaluate_decisions(labels, scores, groups(120), UNCALIBRATED_RULE)
    assert figures == {name: of_run[name] for name in figures}
    assert set(of_run) - set(figures) == {"points", "sure"}


def test_scores_without_a_threshold_have_the_metrics_of_their_ranking() -> None:
    labels, scores = some_scores(120)
    figures = scored_set.evaluate_scores(labels, 9 * scores - 4, groups(120), Scale(None, False))
    assert {*figures} == {"auc", "average_precision", "tpr_at_1_fpr", "tpr_at_5_fpr", "intervals"}
    assert {*figures["intervals"]} == {"auc", "average_precision"}
    assert figures["auc"] == classification.figures(labels, scores)["auc"]


def test_a_threshold_decides_whatever_the_scale() -> None:
    labels, scores = some_scores(120)
    at_half = scored_set.evaluate_scores(labels, scores, groups(120), Scale(0.5, False))
    shifted = scored_set.evaluate_scores(labels, 8 * scores - 3, groups(120), Scale(1.0, False))
    assert shifted == at_half
    assert not {"brier", "ece", "loss"} & {*shifted}


@given(CLASSES, PROBABILITIES)
def test_one_class_has_the_share_that_is_classified_as_ai(
    of_class: tuple[str, int, str], scores: np.ndarray
) -> None:
    """And no metric that needs the other class."""
    name, label, rate = of_class
    labels = np.full(len(scores), label)
    figures = scored_set.evaluate_rule(labels, scores, groups(len(scores)), UNCALIBRATED_RULE)
    assert scored_set.only_class(labels) == name
    assert {*figures} == {rate, "intervals", "confusion", "points", "decisions"}
    for point, threshold in {"": 0.5, **UNCALIBRATED_RULE.points}.items():
        at = figures["points"][point] if point else figures
        expected = intervals.wilson(int((scores >= threshold).sum()), len(scores))
        assert at[rate] == expected.value
        assert at["intervals"] == {rate: {"low": expected.low, "high": expected.high}}
        assert at["confusion"] == classification.confusion(labels, scores, threshold)
    assert np.isfinite(numbers(figures)).all()
    json.dumps(figures, allow_nan=False)


@given(PROBABILITIES, st.floats(0.5, 1))
def test_unsure_pictures_are_counted(scores: np.ndarray, sure: float) -> None:
    rule = UNCALIBRATED_RULE.model_copy(update={"sure": sure})
    labels = np.zeros(len(scores), int)
    decisions = scored_set.evaluate_rule(labels, scores, groups(len(scores)), rule)["decisions"]
    unsure = np.maximum(scores, 1 - scores) < sure
    assert decisions == {
        "human": (~unsure & (scores < 0.5)).sum(),
        "ai": (~unsure & (scores >= 0.5)).sum(),
        "unsure": unsure.sum(),
    }


def test_a_rule_on_both_classes_has_the_metrics_of_a_run() -> None:
    labels, scores = some_scores(60)
    arguments = (labels, scores, groups(60), UNCALIBRATED_RULE)
    assert scored_set.evaluate_rule(*arguments) == thresholds.evaluate_decisions(*arguments)


@pytest.mark.parametrize("label", [0, 1])
def test_one_class_without_a_threshold_has_no_metric(label: int) -> None:
    labels, scores = np.full(5, label), np.linspace(-3, 3, 5)
    scale = Scale(None, False)
    assert scored_set.evaluate_scores(labels, scores, groups(5), scale) == {"intervals": {}}
