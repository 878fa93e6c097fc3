"""Baselines are scored out of fold, never see the test part, and do not fit noise."""

import numpy as np
import pandas as pd
import pytest

from realart.metrics import baselines

COUNT = 240
LABELS = np.arange(COUNT) % 2
FOLDS = pd.DataFrame({"fold": np.arange(COUNT) // 2 % 5 - 1, "group": np.arange(COUNT).astype(str)})
NOISE = np.random.default_rng(0).normal(size=COUNT)


def features(**columns: object) -> pd.DataFrame:
    return pd.DataFrame({"noise": NOISE, **columns})


@pytest.mark.parametrize("classifier", baselines.CLASSIFIERS)
def test_a_feature_that_names_the_label_is_fitted(classifier: str) -> None:
    named = features(format=np.where(LABELS, "PNG", "JPEG"))
    for evaluate in (baselines.cross_validate, baselines.evaluate_on_test):
        metrics = evaluate(classifier, named, LABELS, FOLDS)
        assert metrics.auc.value == metrics.balanced_accuracy.value == metrics.accuracy.value == 1


@pytest.mark.parametrize("classifier", baselines.CLASSIFIERS)
def test_noise_has_an_auc_of_chance(classifier: str) -> None:
    metrics = baselines.cross_validate(classifier, features(), LABELS, FOLDS)
    assert metrics.auc.low < 0.5 < metrics.auc.high


@pytest.mark.parametrize("classifier", baselines.CLASSIFIERS)
def test_scores_are_out_of_fold(classifier: str) -> None:
    """A code that names the label, but is another one in each fold, fits all and helps none."""
    codes = [f"{fold} {label}" for fold, label in zip(FOLDS["fold"], LABELS, strict=True)]
    metrics = baselines.cross_validate(classifier, pd.DataFrame({"code": codes}), LABELS, FOLDS)
    assert metrics.auc.value == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize("classifier", baselines.CLASSIFIERS)
def test_the_test_part_does_not_influence_cross_validation(classifier: str) -> None:
    trace = features(trace=LABELS + NOISE)
    test = FOLDS["fold"].to_numpy() < 0
    swapped = np.where(test, 1 - LABELS, LABELS)
    before = baselines.cross_validate(classifier, trace, LABELS, FOLDS)
    assert baselines.cross_validate(classifier, trace, swapped, FOLDS) == before
    upright = baselines.evaluate_on_test(classifier, trace, LABELS, FOLDS).auc.value
    upside_down = baselines.evaluate_on_test(classifier, trace, swapped, FOLDS).auc.value
    assert upright == pytest.approx(1 - upside_down)


def test_a_category_that_training_never_saw_is_no_error() -> None:
    rare = features(format=np.where(np.arange(COUNT) == 3, "TIFF", "JPEG"))
    for classifier in baselines.CLASSIFIERS:
        assert 0 <= baselines.cross_validate(classifier, rare, LABELS, FOLDS).auc.value <= 1


def test_unequal_classes_leave_balanced_accuracy_fair() -> None:
    labels = (np.arange(COUNT) % 6 == 0).astype(np.int64)
    folds = FOLDS.assign(fold=np.arange(COUNT) // 6 % 4)
    metrics = baselines.cross_validate(
        "logistic", features(trace=labels * 2.0 + NOISE), labels, folds
    )
    assert metrics.balanced_accuracy.value > 0.75
    assert metrics.accuracy.value > 0.85


def test_a_target_is_predicted_only_if_features_hold_it() -> None:
    target = np.random.default_rng(1).normal(size=COUNT)
    assert baselines.rank_correlation(features(copy=target), target, FOLDS).value > 0.9
    nothing = baselines.rank_correlation(features(), target, FOLDS)
    assert nothing.low < 0.1
