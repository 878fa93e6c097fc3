"""The verdict is that of paired tests, and says where there are too few pictures."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from networks import UNCALIBRATED_RULE, scored, some_scores

from realart.evaluation import verdict
from realart.metrics import thresholds
from realart.metrics.classification import Labels, Scores


def decisions(labels: Labels, scores: Scores) -> dict[str, Any]:
    groups = pd.Series(np.arange(len(labels)).astype(str))
    return thresholds.evaluate_decisions(labels, scores, groups, UNCALIBRATED_RULE)


def report(labels: Labels, scores: Scores, floor: Scores, tested: int) -> dict[str, Any]:
    """Report scores out of fold, and the first `tested` of them as those of the test part."""
    return {
        "test": decisions(labels[:tested], scores[:tested]),
        "oof": decisions(labels, scores),
        "floor": {"oof": decisions(labels, floor)},
        "gain": verdict.gain(scored(scores, labels), scored(floor, labels)),
    }


def test_the_gain_is_paired_on_the_pictures_of_the_baseline() -> None:
    """What is hard for both cancels out: two unpaired intervals would overlap."""
    labels, scores = some_scores(400)
    floor, scores = scores * 0.9, scores * 0.9 + 0.05 * labels
    found = verdict.gain(scored(scores, labels), scored(floor, labels).iloc[:300])
    of_floor, of_run = (decisions(labels[:300], values[:300]) for values in (floor, scores))
    assert found["pictures"] == 300
    assert found["auc"] == pytest.approx(of_run["auc"] - of_floor["auc"])
    assert found["accuracy"] == pytest.approx(of_run["accuracy"])
    assert found["baseline_accuracy"] == pytest.approx(of_floor["accuracy"])
    assert 0 < found["low"] < found["auc"] < found["high"]
    low, high = of_run["intervals"]["auc"]["low"], of_floor["intervals"]["auc"]["high"]
    assert low < high


def test_a_model_is_better_or_worse_or_neither_is_shown() -> None:
    labels, good = some_scores(300)
    bad = np.random.default_rng(0).permutation(good)
    words = [
        verdict.against_baseline(report(labels, scores, floor, 300))
        for scores, floor in ((good, bad), (bad, good), (good, good))
    ]
    shown = (
        "better than the shortcut baseline: AUC out of fold 0.810 against 0.539, gain +0.271 [+0.",
        "worse than the shortcut baseline: AUC out of fold 0.539 against 0.810, gain -0.271 [-0.",
        "not shown to be better than the shortcut baseline: AUC out of fold 0.810 against 0.810, ",
    )
    for sentence, start in zip(words, shown, strict=True):
        assert sentence.startswith(f"The model is {start}")
    assert "gain +0.000 [+0.000, +0.000]" in words[2]
    assert ["no significant difference" in found for found in words] == [False, False, True]


def test_a_model_is_cautioned_of_exactly_if_it_is_not_shown_to_be_better() -> None:
    labels, good = some_scores(300)
    bad = np.random.default_rng(0).permutation(good)
    for scores, floor, words in ((good, bad, ""), (bad, good, "worse"), (good, good, "not shown")):
        caution = verdict.caution(verdict.gain(scored(scores, labels), scored(floor, labels)))
        assert caution.startswith(f"this model is {words}" if words else "")
        assert bool(caution) == bool(words)


def test_a_higher_figure_alone_is_not_better() -> None:
    labels, scores = some_scores(40)
    other = np.clip(scores + np.random.default_rng(3).normal(0, 0.1, 40), 0, 1)
    first, second = (report(labels, *pair, 40) for pair in ((scores, other), (other, scores)))
    assert first["gain"]["auc"] == -second["gain"]["auc"] != 0
    for found in (first, second):
        assert verdict.against_baseline(found).startswith(
            "The model is not shown to be better than"
        )


def test_a_small_test_part_is_not_judged_by() -> None:
    labels, scores = some_scores(300)
    few = verdict.on_test_part(report(labels, scores, scores, 6))
    assert few.startswith("The test part has 6 pictures, accuracy 0.")
    assert few.endswith("]: too few to judge by, so judge by the figures out of fold.")
    many = verdict.on_test_part(report(labels, scores, scores, 300))
    assert many.endswith("].")
    labels, scores = some_scores(54)
    neither = verdict.on_test_part(report(labels, scores, scores, 6))
    assert "and out of fold there are 54, accuracy 0." in neither
    assert neither.endswith("]: too few to judge by.")


@pytest.mark.parametrize("share", [0.5, 0.7, 0.9])
def test_the_interval_decides_not_the_number_of_pictures(share: float) -> None:
    """Of 60 pictures an accuracy of .9 is known well enough, one of .5 is not."""
    labels = np.arange(60) % 2
    correct = np.arange(60) // 2 < share * 30
    scores = np.where(correct == (labels == 1), 0.8, 0.2)
    found = report(labels, scores, scores, 60)
    interval = found["test"]["intervals"]["accuracy"]
    wide = interval["high"] - interval["low"] > verdict.WIDEST
    assert wide == (share < 0.9)
    assert ("too few" in verdict.on_test_part(found)) == wide
