"""Calibration recovers a known line of log-odds and keeps the ranking of scores."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from networks import some_scores
from scipy.special import expit, logit

from realart.metrics import calibration
from realart.metrics.calibration import Calibration

COUNT = 20_000


def distorted(slope: float, offset: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return labels, and scores whose log-odds are a line of the true ones."""
    generator = np.random.default_rng(seed)
    true = generator.normal(0, 2, COUNT)
    labels = (generator.random(COUNT) < expit(true)).astype(np.int64)
    return labels, expit((true - offset) / slope)


@pytest.mark.parametrize("slope", [0.3, 1.0, 4.0])
@pytest.mark.parametrize("offset", [-1.0, 0.0, 2.0])
def test_a_known_line_is_fitted(slope: float, offset: float) -> None:
    fitted = calibration.fit(*distorted(slope, offset))
    assert fitted.slope == pytest.approx(slope, rel=0.07)
    assert fitted.offset == pytest.approx(offset, abs=0.12)


@given(st.floats(0.01, 20), st.floats(-10, 10))
def test_ranking_is_kept(slope: float, offset: float) -> None:
    scores = np.linspace(0, 1, 50)
    probabilities = Calibration(slope=slope, offset=offset)(scores)
    assert (np.diff(probabilities) >= 0).all()
    assert ((probabilities >= 0) & (probabilities <= 1)).all()


def test_scores_of_0_and_1_have_odds() -> None:
    probabilities = Calibration(slope=1.0, offset=0.0)(np.array([0.0, 1.0]))
    np.testing.assert_allclose(probabilities, [calibration.CLIP, 1 - calibration.CLIP])


def test_scores_worse_than_chance_are_not_inverted() -> None:
    labels, scores = distorted(1.0, 0.0)
    fitted = calibration.fit(labels, 1 - scores)
    assert 0 < fitted.slope < 0.01
    assert np.ptp(fitted(scores)) < 0.02
    assert fitted(scores).mean() == pytest.approx(labels.mean(), abs=0.01)


def test_a_fold_is_calibrated_on_the_others_alone() -> None:
    labels, scores = some_scores(90)
    folds = np.arange(90) % 3
    fitted = calibration.cross_calibrate(labels, scores, folds)
    own = folds == 1
    changed = np.where(own, 1 - labels, labels)
    again = calibration.cross_calibrate(changed, scores, folds)
    np.testing.assert_array_equal(again[own], fitted[own])
    assert not np.allclose(again[~own], fitted[~own])
    expected = calibration.fit(labels[~own], scores[~own])(scores[own])
    np.testing.assert_array_equal(fitted[own], expected)


def test_rows_count_by_their_weights() -> None:
    labels, scores = some_scores(200)
    weights = np.random.default_rng(0).integers(1, 4, 200)
    values = logit(np.clip(scores, 0.01, 0.99))
    slope, offset = calibration.platt(labels, values, weights.astype(float))
    assert slope > 0
    # A line through odds that most rows have: where weights double a class, its odds double.
    heavier = np.where(labels == 1, 2.0, 1.0)
    plain = calibration.platt(labels, values, np.ones(200))
    doubled = calibration.platt(labels, values, heavier)
    middle = np.median(values)
    moved = (doubled[0] - plain[0]) * middle + doubled[1] - plain[1]
    assert moved == pytest.approx(np.log(2), abs=0.1)
    assert offset != plain[1]
