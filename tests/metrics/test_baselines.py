"""Trivial classifiers: out of fold, blind to the test part, and honest about noise."""

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
def test_what_names_the_label_is_found(classifier: str) -> None:
    named = features(format=np.where(LABELS, "PNG", "JPEG"))
    for one in (baselines.evaluate, baselines.evaluate_on_test):
        found = one(classifier, named, LABELS, FOLDS)
        assert found.auc.value == found.balanced_accuracy.value == found.accuracy.value == 1


@pytest.mark.parametrize("classifier", baselines.CLASSIFIERS)
def test_noise_is_not_mistaken_for_a_trace(classifier: str) -> None:
    found = baselines.evaluate(classifier, features(), LABELS, FOLDS)
    assert found.auc.low < 0.5 < found.auc.high


@pytest.mark.parametrize("classifier", baselines.CLASSIFIERS)
def test_scores_are_out_of_fold(classifier: str) -> None:
    """A code that names the label, but is another one in each fold, fits all and helps none."""
    codes = [f"{fold} {label}" for fold, label in zip(FOLDS["fold"], LABELS, strict=True)]
    found = baselines.evaluate(classifier, pd.DataFrame({"code": codes}), LABELS, FOLDS)
    assert found.auc.value == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize("classifier", baselines.CLASSIFIERS)
def test_the_test_part_has_no_say(classifier: str) -> None:
    trace = features(trace=LABELS + NOISE)
    tested = FOLDS["fold"].to_numpy() < 0
    swapped = np.where(tested, 1 - LABELS, LABELS)
    before = baselines.evaluate(classifier, trace, LABELS, FOLDS)
    assert baselines.evaluate(classifier, trace, swapped, FOLDS) == before
    upright = baselines.evaluate_on_test(classifier, trace, LABELS, FOLDS).auc.value
    upside_down = baselines.evaluate_on_test(classifier, trace, swapped, FOLDS).auc.value
    assert upright == pytest.approx(1 - upside_down)


def test_a_category_that_training_never_saw_is_no_error() -> None:
    rare = features(format=np.where(np.arange(COUNT) == 3, "TIFF", "JPEG"))
    for classifier in baselines.CLASSIFIERS:
        assert 0 <= baselines.evaluate(classifier, rare, LABELS, FOLDS).auc.value <= 1


def test_unequal_classes_leave_balanced_accuracy_fair() -> None:
    labels = (np.arange(COUNT) % 6 == 0).astype(np.int64)
    folds = FOLDS.assign(fold=np.arange(COUNT) // 6 % 4)
    found = baselines.evaluate("logistic", features(trace=labels * 2.0 + NOISE), labels, folds)
    assert found.balanced_accuracy.value > 0.75
    assert found.accuracy.value > 0.85


def test_a_number_is_recovered_as_far_as_it_is_there() -> None:
    target = np.random.default_rng(1).normal(size=COUNT)
    assert baselines.recovery(features(copy=target), target, FOLDS).value > 0.9
    nothing = baselines.recovery(features(), target, FOLDS)
    assert nothing.low < 0.1
