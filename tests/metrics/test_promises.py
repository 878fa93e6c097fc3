"""Promised rates hold for pictures that the thresholds have not seen, as often as they are to."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit, logit
from scipy.stats import binom, binomtest, norm

from realart.metrics import promises

RATES = st.floats(0.001, 0.3)
CONFIDENCES = st.floats(0.5, 0.999)
DRAWS = 1000


def alone(count: int) -> "pd.Series[str]":
    """Return a group for each of `count` pictures."""
    return pd.Series([f"{number}" for number in range(count)])


def may_break(confidence: float) -> int:
    """Return how many of `DRAWS` promises may be broken, by chance, at the very most."""
    return int(binom.ppf(0.9999, DRAWS, 1 - confidence))


@given(st.integers(0, 50), st.integers(1, 500), CONFIDENCES)
def test_the_upper_bound_is_that_of_scipy(errors: int, pictures: int, confidence: float) -> None:
    errors = min(errors, pictures)
    expected = binomtest(errors, pictures, alternative="less").proportion_ci(confidence, "exact")
    assert promises.upper_bound(errors, pictures, confidence) == pytest.approx(expected.high)


@given(RATES, CONFIDENCES)
def test_as_many_pictures_are_required_as_prove_the_rate(rate: float, confidence: float) -> None:
    required = promises.required_pictures(rate, confidence)
    assert promises.attainable_rate(required, confidence) <= rate * (1 + 1e-6)
    if required > 1:
        assert promises.attainable_rate(required - 1, confidence) > rate * (1 - 1e-6)


@given(st.integers(1, 3000), RATES, CONFIDENCES)
def test_no_more_errors_are_allowed_than_the_bound_proves(
    pictures: int, rate: float, confidence: float
) -> None:
    errors = promises.allowed_errors(pictures, rate, confidence)
    if errors >= 0:
        assert promises.upper_bound(errors, pictures, confidence) <= rate * (1 + 1e-9)
    assert promises.upper_bound(errors + 1, pictures, confidence) > rate * (1 - 1e-9)


@pytest.mark.parametrize("count", [50, 200, 1000])
@pytest.mark.parametrize("rate", [0.01, 0.05, 0.1])
def test_a_false_positive_rate_is_exceeded_as_rarely_as_promised(count: int, rate: float) -> None:
    random = np.random.default_rng(count)
    groups, broken = alone(count), 0
    for _ in range(DRAWS):
        probabilities = norm.cdf(random.normal(size=count))  # so that the rate above t is 1 - t
        threshold = promises.false_positive_threshold(probabilities, groups, rate, 0.95)
        assert (threshold is None) == (count < promises.required_pictures(rate, 0.95))
        broken += threshold is not None and 1 - threshold > rate
    assert broken <= may_break(0.95)


@pytest.mark.parametrize("count", [50, 200, 1000])
@pytest.mark.parametrize(("spread", "miscalibration"), [(1.5, 1.0), (3.0, 1.0), (1.5, 2.5)])
@pytest.mark.parametrize("precisions", [[0.9], [0.95, 0.9, 0.85, 0.8]])
def test_a_precision_is_missed_as_rarely_as_promised(
    count: int, spread: float, miscalibration: float, precisions: list[float]
) -> None:
    """Labels are drawn from true log-odds; probabilities are too sure by `miscalibration`."""
    random = np.random.default_rng(count)
    confidence = -np.sort(-expit(np.abs(random.normal(scale=spread, size=400_000))))
    true_precision = confidence.cumsum() / np.arange(1, len(confidence) + 1)
    stated = expit(miscalibration * logit(confidence))
    groups, broken, given = alone(count), 0, 0
    for _ in range(DRAWS):
        odds = random.normal(scale=spread, size=count)
        labels = (random.random(count) < expit(odds)).astype(int)
        proved = promises.highest_precision(
            labels, expit(miscalibration * odds), groups, precisions, 0.9
        )
        if proved:
            given += 1
            precision, threshold = proved
            broken += true_precision[np.searchsorted(-stated, -threshold, "right") - 1] < precision
    assert broken <= may_break(0.9)
    if (count, spread) == (1000, 3.0):
        assert given > 0.9 * DRAWS


def test_a_group_of_near_duplicates_counts_once() -> None:
    probabilities = np.linspace(0.001, 0.3, 299)
    assert promises.false_positive_threshold(probabilities, alone(299), 0.01, 0.95) is not None
    twice, groups = np.tile(probabilities[1:], 2), pd.concat([alone(298), alone(298)])
    assert promises.false_positive_threshold(twice, groups, 0.01, 0.95) is None
    labels = np.array([0, 1, 1, 1])
    groups = pd.Series(["a", "a", "b", "c"])
    probabilities = np.array([0.95, 0.55, 0.95, 0.6])
    assert promises.Decisions(labels, probabilities, groups).count(np.array([0.9])) == ([2], [1])


@given(st.integers(30, 400), st.integers(0, 2**32 - 1))
def test_the_threshold_lets_the_allowed_errors_pass(count: int, seed: int) -> None:
    """Also where many probabilities are equal: then fewer."""
    random = np.random.default_rng(seed)
    probabilities = random.random(count).round(random.integers(1, 9))
    threshold = promises.false_positive_threshold(probabilities, alone(count), 0.1, 0.95)
    assert threshold is not None
    allowed = promises.allowed_errors(count, 0.1, 0.95)
    assert (probabilities >= threshold).sum() <= allowed
    if len(np.unique(probabilities)) == count:
        assert (probabilities >= threshold).sum() == allowed


def test_what_can_not_be_promised_has_no_threshold() -> None:
    labels, probabilities = np.tile([0, 1], 20), np.tile([0.01, 0.99], 20)
    groups = alone(40)
    assert promises.confidence_threshold(labels, probabilities, groups, 0.95, 0.95) is None
    best = 1 - promises.attainable_error_rate(labels, probabilities, groups, 0.95)
    assert promises.confidence_threshold(labels, probabilities, groups, best - 1e-9, 0.95) == 0.5
    assert promises.confidence_threshold(labels, probabilities, groups, best + 1e-9, 0.95) is None


def test_of_several_precisions_the_highest_that_is_proved_is_promised() -> None:
    precisions = [0.95, 0.9, 0.8]
    for wrong, expected in ((0, 0.95), (6, 0.9), (24, 0.8), (60, None)):
        labels = np.tile([0, 1], 100)
        probabilities = np.where(np.arange(200) < wrong, 1 - labels, labels) * 0.98 + 0.01
        proved = promises.highest_precision(labels, probabilities, alone(200), precisions, 0.95)
        assert (proved and proved[0]) == expected
        if proved:
            split = promises.split_confidence(0.95, 3)
            arguments = labels, probabilities, alone(200), proved[0], split
            assert proved[1] == promises.confidence_threshold(*arguments)


@given(st.integers(1, 200), st.floats(0.6, 0.99), CONFIDENCES)
def test_as_many_decisions_are_required_as_prove_the_precision(
    count: int, precision: float, confidence: float
) -> None:
    labels, probabilities = np.ones(count, np.int64), np.ones(count)
    threshold = promises.confidence_threshold(
        labels, probabilities, alone(count), precision, confidence
    )
    required = promises.required_decisions(precision, confidence)
    assert (threshold is None) == (count < required)
