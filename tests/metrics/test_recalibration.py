"""A rule moves to other pictures by as much as they show, and promises what they prove."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit

from realart.metrics import calibration, proofs, thresholds
from realart.metrics.calibration import Calibration
from realart.metrics.recalibration import recalibrate
from realart.metrics.thresholds import DecisionRule
from realart.params import Promise

PROMISE = Promise(false_positive_rate=0.1, precision=0.9, confidence=0.95)
RULE = DecisionRule(
    calibration=Calibration(slope=2.0, offset=0.3),
    points={"balanced": 0.45, "best_f1": 0.4, "low_fpr": 0.9},
    sure=0.8,
)


def draw(
    random: np.random.Generator, count: int, slope: float = 1.0, offset: float = 0.0
) -> tuple[np.ndarray, np.ndarray]:
    """Draw labels, and probabilities whose log-odds are a line of the true ones."""
    odds = random.normal(0, 2.5, count)
    labels = (random.random(count) < expit(odds)).astype(np.int64)
    return labels, expit((odds - offset) / slope)


def alone(count: int) -> "pd.Series[str]":
    return pd.Series(np.arange(count).astype(str))


def test_no_picture_changes_nothing_and_many_fit_the_line() -> None:
    none = calibration.refit(np.zeros(0, np.int64), np.zeros(0), np.zeros(0))
    assert (none.slope, none.offset) == (1, 0)
    labels, probabilities = draw(np.random.default_rng(0), 50_000, 0.6, -2.0)
    fitted = calibration.refit(labels, probabilities, np.ones(len(labels)))
    assert fitted.slope == pytest.approx(0.6, rel=0.05)
    assert fitted.offset == pytest.approx(-2.0, rel=0.05)


@given(st.integers(1, 60), st.integers(0, 2**32 - 1))
def test_the_ranking_stays(count: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    labels = random.integers(0, 2, count)
    fitted = calibration.refit(labels, random.random(count), np.ones(count))
    assert (np.diff(fitted(np.linspace(0, 1, 99))) >= 0).all()


@given(st.floats(0.1, 1.5), st.floats(-2, 2), st.floats(0.1, 3), st.floats(-3, 3))
def test_a_calibration_of_a_calibration_is_one(a: float, b: float, c: float, d: float) -> None:
    first, second = Calibration(slope=a, offset=b), Calibration(slope=c, offset=d)
    scores = np.linspace(0.02, 0.98, 49)
    np.testing.assert_allclose(first.then(second)(scores), second(first(scores)), atol=1e-5)


@pytest.mark.parametrize("count", [10, 20, 40, 80])
def test_few_pictures_help_where_it_is_needed_and_do_no_harm(count: int) -> None:
    random = np.random.default_rng(count)
    rule_of_probabilities = RULE.model_copy(
        update={"calibration": Calibration(slope=1.0, offset=0.0)}
    )
    harm, help_ = [], []
    for _ in range(200):
        for gains, offset in ((harm, 0.0), (help_, -2.5)):
            labels, probabilities = draw(random, count + 2000, 1.0, offset)
            rule, _ = recalibrate(
                rule_of_probabilities, labels[:count], probabilities[:count], alone(count),
                PROMISE, "set",
            )  # fmt: skip
            before, after = (
                ((values[count:] >= 0.5) == labels[count:]).mean()
                for values in (probabilities, rule.calibration(probabilities))
            )
            gains.append(after - before)
    assert np.mean(harm) > -0.01
    assert np.mean(help_) > 0.03


def test_thresholds_are_chosen_on_pictures_that_were_not_fitted() -> None:
    labels, probabilities = draw(np.random.default_rng(1), 200, offset=-2.0)
    rule, held_out = recalibrate(RULE, labels, probabilities, alone(200), PROMISE, "mine")
    refitted = calibration.refit(labels, probabilities, np.ones(200))
    assert rule.calibration == RULE.calibration.then(refitted)
    assert not np.allclose(held_out, refitted(probabilities))
    humans = held_out[labels == 0]
    expected = thresholds.low_fpr_threshold(humans, alone(200)[labels == 0], PROMISE)
    assert rule.points == {"balanced": 0.45, "best_f1": 0.4, **expected}
    assert rule.proofs is not None
    assert rule.proofs.false_positive_rate.data == "mine"
    assert rule.proofs.false_positive_rate.pictures == len(humans)


@given(st.integers(0, 2**32 - 1), st.floats(-2, 2))
def test_nothing_changes_unless_more_decisions_on_held_out_pictures_are_right(
    seed: int, offset: float
) -> None:
    labels, probabilities = draw(np.random.default_rng(seed), 30, offset=offset)
    rule, held_out = recalibrate(RULE, labels, probabilities, alone(30), PROMISE, "mine")
    if rule.calibration == RULE.calibration:
        np.testing.assert_array_equal(held_out, probabilities)
    else:
        right = ((values >= 0.5) == labels for values in (held_out, probabilities))
        assert next(right).mean() > next(right).mean()


def test_near_duplicates_count_once() -> None:
    labels, probabilities = draw(np.random.default_rng(2), 30, offset=-2.0)
    once, _ = recalibrate(RULE, labels, probabilities, alone(30), PROMISE, "set")
    twice, _ = recalibrate(
        RULE, np.tile(labels, 2), np.tile(probabilities, 2),
        pd.concat([alone(30), alone(30)], ignore_index=True), PROMISE, "set",
    )  # fmt: skip
    assert twice.calibration.slope == pytest.approx(once.calibration.slope)
    assert twice.calibration.offset == pytest.approx(once.calibration.offset)
    assert twice.proofs == once.proofs


def test_human_art_alone_moves_low_fpr_and_nothing_else() -> None:
    probabilities = np.linspace(0, 0.99, 40)
    rule, same = recalibrate(
        RULE, np.zeros(40, np.int64), probabilities, alone(40), PROMISE, "gallery"
    )
    np.testing.assert_array_equal(same, probabilities)
    assert rule.calibration == RULE.calibration
    assert (rule.sure, rule.points["balanced"]) == (RULE.sure, RULE.points["balanced"])
    assert rule.points["low_fpr"] > RULE.points["low_fpr"]
    assert rule.promise("low_fpr").startswith("low_fpr: at most 10 %")
    assert rule.promise() == proofs.NONE
    few, _ = recalibrate(
        RULE, np.zeros(20, np.int64), probabilities[:20], alone(20), PROMISE, "gallery"
    )
    assert "low_fpr" not in few.points
    assert "gallery has 20, which allow at most 13.92 %" in few.promise("low_fpr")
