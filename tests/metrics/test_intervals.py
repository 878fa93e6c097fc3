"""Weighted metrics equal scikit-learn's; the bootstrap resamples groups."""

from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.stats import norm
from sklearn import metrics

from realart.metrics import intervals


@st.composite
def scored(draw: st.DrawFn) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """Return labels of both classes, scores with ties, and whole weights of both classes."""
    generator = np.random.default_rng(draw(st.integers(0, 2**32)))
    count = draw(st.integers(2, 40))
    labels = generator.integers(0, 2, count)
    labels[:2] = 0, 1
    scores = generator.integers(0, 6, count) / 5
    weights = generator.integers(0, 4, count).astype(float)
    weights[:2] = 1
    return labels, scores, weights


Scored = tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]


@given(scored())
def test_weighted_metrics_equal_those_of_scikit_learn(case: Scored) -> None:
    labels, scores, weights = case
    predicted = scores >= 0.5
    both = np.stack([weights, np.ones(len(labels))])
    for row, own in enumerate((weights, None)):
        expected = metrics.roc_auc_score(labels, scores, sample_weight=own)
        assert intervals.auc(labels, scores, both)[row] == pytest.approx(expected)
        expected = metrics.average_precision_score(labels, scores, sample_weight=own)
        result = intervals.average_precision(labels, scores, both)[row]
        assert result == pytest.approx(expected)
        expected = metrics.balanced_accuracy_score(labels, predicted, sample_weight=own)
        assert intervals.balanced_accuracy(labels, predicted, both)[row] == pytest.approx(expected)
        expected = metrics.accuracy_score(labels, predicted, sample_weight=own)
        assert intervals.accuracy(labels, predicted, both)[row] == pytest.approx(expected)


@given(scored())
def test_weighted_correlation_is_that_of_repeated_pictures(case: Scored) -> None:
    _, scores, weights = case
    other = np.random.default_rng(0).normal(size=len(scores))
    repeated = [np.repeat(values, weights.astype(int)) for values in (scores, other)]
    if min(values.std() for values in repeated) > 1e-3:  # below, both formulas are noise
        found = intervals.correlation(scores, other, weights[None])[0]
        assert found == pytest.approx(np.corrcoef(*repeated)[0, 1])


def sample(count: int, seed: int = 0) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    generator = np.random.default_rng(seed)
    labels = np.arange(count) % 2
    return labels, generator.normal(labels, 1.5)


def test_copies_inside_a_group_change_no_interval() -> None:
    labels, scores = sample(60)
    groups = np.arange(60).astype(str)
    once = intervals.bootstrap(partial(intervals.auc, labels, scores), groups)
    thrice = [np.repeat(values, 3) for values in (labels, scores, groups)]
    again = intervals.bootstrap(partial(intervals.auc, *thrice[:2]), thrice[2])
    for name in ("value", "low", "high"):
        assert getattr(again, name) == pytest.approx(getattr(once, name))


def test_an_interval_has_about_its_nominal_coverage() -> None:
    truth = 0.6813  # P(N(1, 1.5) > N(0, 1.5))
    covered = 0
    for seed in range(60):
        labels, scores = sample(150, seed)
        result = intervals.bootstrap(
            partial(intervals.auc, labels, scores), np.arange(150).astype(str)
        )
        assert result.low < result.value < result.high
        covered += result.low <= truth <= result.high
    assert covered >= 52


def test_more_pictures_make_a_narrower_interval_and_a_seed_repeats_it() -> None:
    def width(count: int) -> float:
        labels, scores = sample(count)
        statistic = partial(intervals.auc, labels, scores)
        result = intervals.bootstrap(statistic, np.arange(count).astype(str))
        assert result == intervals.bootstrap(statistic, np.arange(count).astype(str))
        return result.high - result.low

    assert width(1600) < 0.6 * width(100)


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0, 0.1611), (29, 29, 0.8830, 1)],
)
def test_shares_have_published_intervals(
    successes: int, trials: int, low: float, high: float
) -> None:
    """Newcombe, "Two-sided confidence intervals for the single proportion", 1998, table I."""
    result = intervals.wilson(successes, trials)
    assert result.value == successes / trials
    assert (result.low, result.high) == pytest.approx((low, high), abs=5e-5)


def test_a_share_of_no_trials_may_be_anything() -> None:
    assert intervals.wilson(0, 0) == intervals.Estimate(0.0, 0.0, 1.0)


@pytest.mark.parametrize(("count", "least"), [(10, 0.8), (60, 0.96)])
def test_a_perfect_ranking_of_few_is_not_certain(count: int, least: float) -> None:
    """With the AUC at its lower bound a perfect ranking is unlikely by chance."""
    labels = np.arange(2 * count) % 2
    groups = np.arange(2 * count).astype(str)
    result = intervals.of_auc(labels, labels * 1.0, groups)
    assert result.value == result.high == 1
    shift = np.sqrt(2) * norm.ppf(result.low)
    generator = np.random.default_rng(0)
    drawn = generator.normal(size=(4000, 2, count))
    perfect = (drawn[:, 0].max(1) < drawn[:, 1].min(1) + shift).mean()
    assert perfect < 0.025
    assert least < result.low < 1
    twice = intervals.of_auc(labels.repeat(2), labels.repeat(2) * 1.0, groups.repeat(2))
    assert twice == result


@pytest.mark.parametrize(
    ("estimate", "statistic"),
    [
        (intervals.of_auc, intervals.auc),
        (intervals.of_average_precision, intervals.average_precision),
    ],
)
def test_an_imperfect_ranking_has_the_interval_of_the_bootstrap(
    estimate: Callable[..., intervals.Estimate], statistic: Callable[..., intervals.Weights]
) -> None:
    labels, scores = sample(80)
    groups = np.arange(80).astype(str)
    expected = intervals.bootstrap(partial(statistic, labels, scores), groups)
    assert estimate(labels, scores, groups) == expected


def test_a_perfect_precision_of_few_is_not_certain() -> None:
    """All ten positive groups rank first: Wilson's interval of 10 in 10."""
    labels = np.array([1] * 30 + [0] * 30)
    groups = np.array([f"{n % 10}" for n in range(30)] + [f"h{n}" for n in range(30)])
    result = intervals.of_average_precision(labels, labels * 1.0, groups)
    assert result == intervals.wilson(10, 10)
    assert 0.6 < result.low < 0.8
