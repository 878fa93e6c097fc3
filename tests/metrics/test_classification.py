"""Metrics equal their formulas, worked by hand."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from networks import some_scores

from realart.metrics import classification
from realart.metrics.intervals import Estimate

PAIRS = st.lists(
    st.tuples(st.integers(0, 1), st.one_of(st.floats(0, 1), st.sampled_from([0.0, 0.5, 1.0]))),
    min_size=2,
    max_size=40,
).filter(lambda pairs: {label for label, _ in pairs} == {0, 1})


def arrays(pairs: list[tuple[int, float]]) -> tuple[classification.Labels, classification.Scores]:
    labels, scores = zip(*pairs, strict=True)
    return np.array(labels, np.int64), np.array(scores, np.float64)


def by_hand(pairs: list[tuple[int, float]]) -> dict[str, float]:
    tp = sum(label == 1 and score >= 0.5 for label, score in pairs)
    fp = sum(label == 0 and score >= 0.5 for label, score in pairs)
    fn = sum(label == 1 and score < 0.5 for label, score in pairs)
    tn = len(pairs) - tp - fp - fn
    ai = [score for label, score in pairs if label]
    human = [score for label, score in pairs if not label]
    wins = sum((a > h) + (a == h) / 2 for a in ai for h in human)
    tp_so_far, positives, average = 0.0, 0.0, 0.0
    for level in sorted({score for _, score in pairs}, reverse=True):
        more = sum(score == level for score in ai)
        tp_so_far += more
        positives += more + sum(score == level for score in human)
        average += more / len(ai) * tp_so_far / positives
    levels = [*{score for _, score in pairs}, 2.0]

    def most(allowed: float) -> float:
        few = [t for t in levels if sum(h >= t for h in human) <= allowed * len(human)]
        return max(sum(a >= t for a in ai) for t in few) / len(ai)

    binned = np.array_split(np.array(sorted(pairs, key=lambda pair: pair[1])), min(10, len(pairs)))
    apart = sum(len(part) * abs(part[:, 0].mean() - part[:, 1].mean()) for part in binned)
    spread = (tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)
    tiny = np.finfo(np.float64).eps
    chance = [score if label else 1 - score for label, score in pairs]
    return {
        "accuracy": (tp + tn) / len(pairs),
        "balanced_accuracy": (tp / len(ai) + tn / len(human)) / 2,
        "precision": tp / (tp + fp) if tp + fp else 0.0,
        "recall": tp / len(ai),
        "f1": 2 * tp / (2 * tp + fp + fn),
        "mcc": (tp * tn - fp * fn) / math.sqrt(spread) if spread else 0.0,
        "false_positive_rate": fp / len(human),
        "auc": wins / (len(ai) * len(human)),
        "average_precision": average,
        "tpr_at_1_fpr": most(0.01),
        "tpr_at_5_fpr": most(0.05),
        "brier": sum((score - label) ** 2 for label, score in pairs) / len(pairs),
        "ece": apart / len(pairs),
        "loss": -sum(math.log(min(max(p, tiny), 1 - tiny)) for p in chance) / len(pairs),
    }


@given(PAIRS)
@example([(1, 0.1), (0, 0.2)])
@example([(1, 0.5), (0, 0.5), (0, 0.0), (1, 1.0)])
@example([(1, 0.0), (0, 1.0)])
def test_figures_are_their_formulas(pairs: list[tuple[int, float]]) -> None:
    figures = classification.figures(*arrays(pairs))
    expected = by_hand(pairs)
    assert list(figures) == list(expected)
    assert figures == pytest.approx(expected, rel=1e-6, abs=1e-9)
    assert {type(value) for value in figures.values()} == {float}


def test_reliability_of_calibrated_probabilities() -> None:
    generator = np.random.default_rng(0)
    scores = generator.random(20_000)
    labels = (generator.random(20_000) < scores).astype(np.int64)
    table = classification.reliability(labels, scores)
    assert table["pictures"].tolist() == [2000] * 10
    np.testing.assert_allclose(table["probability"], np.arange(0.05, 1, 0.1), atol=0.01)
    assert ((table["low"] < table["share"]) & (table["share"] < table["high"])).all()
    assert table["probability"].between(table["low"], table["high"]).sum() >= 8
    assert classification.figures(labels, scores)["ece"] < 0.02
    assert classification.figures(labels, scores**3)["ece"] > 0.2


def test_headline_figures_have_intervals_around_them() -> None:
    labels, scores = some_scores(300)
    groups = pd.Series(np.arange(300).astype(str))
    estimates = classification.with_intervals(labels, scores, groups)
    figures = classification.figures(labels, scores)
    for name in ("accuracy", "precision", "recall", "auc", "average_precision"):
        assert estimates[name].value == pytest.approx(figures[name])
        assert estimates[name].low < figures[name] < estimates[name].high
    assert estimates["false_positive_rate"].value == (scores[labels == 0] >= 0.5).mean()
    pairs = classification.with_intervals(
        np.repeat(labels, 2), np.repeat(scores, 2), groups.repeat(2)
    )["auc"]
    assert (pairs.low, pairs.high) == pytest.approx((estimates["auc"].low, estimates["auc"].high))


@given(PAIRS)
def test_confusion_counts_every_picture_once(pairs: list[tuple[int, float]]) -> None:
    count = classification.confusion(*arrays(pairs))
    figures = classification.figures(*arrays(pairs))
    ai = sum(label for label, _ in pairs)
    assert count["tp"] + count["fn"] == ai
    assert count["tn"] + count["fp"] == len(pairs) - ai
    assert count["tp"] / ai == pytest.approx(figures["recall"])
    assert (count["tp"] + count["tn"]) / len(pairs) == pytest.approx(figures["accuracy"])
    assert {type(value) for value in count.values()} == {int}


@given(PAIRS)
def test_the_other_class_is_its_mirror(pairs: list[tuple[int, float]]) -> None:
    pairs = [(label, score) for label, score in pairs if score != 0.5]
    if {label for label, _ in pairs} != {0, 1}:
        return
    one = classification.confusion(*arrays(pairs))
    other = classification.confusion(*arrays([(1 - label, 1 - score) for label, score in pairs]))
    assert (one["tp"], one["fp"]) == (other["tn"], other["fn"])


@pytest.mark.parametrize("label", [0, 1])
def test_confusion_of_one_class_alone(label: int) -> None:
    count = classification.confusion(np.array([label, label]), np.array([0.2, 0.9]))
    assert sum(count.values()) == 2
    assert sum(count[name] for name in (("fn", "tp") if label else ("tn", "fp"))) == 2


@given(st.lists(st.floats(0, 1), min_size=2, max_size=8))
def test_over_folds_is_mean_and_deviation_of_a_sample(values: list[float]) -> None:
    mean = sum(values) / len(values)
    deviation = math.sqrt(sum((value - mean) ** 2 for value in values) / (len(values) - 1))
    summary = classification.over_folds([{"recall": value, "loss": 2 * value} for value in values])
    assert summary["recall"] == pytest.approx({"mean": mean, "std": deviation}, abs=1e-9)
    assert summary["loss"] == pytest.approx({"mean": 2 * mean, "std": 2 * deviation}, abs=1e-9)


@pytest.mark.parametrize(
    ("folds", "best"),
    [
        ([(0.7, 0.1), (0.8, 0.9), (0.75, 0.1)], 1),
        ([(0.8, 0.5), (0.8, 0.4), (0.8, 0.6)], 1),
        ([(0.8, 0.5), (0.8, 0.5)], 0),
    ],
    ids=["accuracy first", "then loss", "then the first"],
)
def test_best_fold(folds: list[tuple[float, float]], best: int) -> None:
    figures = [{"accuracy": accuracy, "loss": loss} for accuracy, loss in folds]
    assert classification.best_fold(figures) == best


@pytest.mark.filterwarnings("ignore:A single label")
@given(st.integers(0, 1), st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_metrics_of_a_single_class_are_finite_and_uninformative(
    label: int, values: list[float]
) -> None:
    labels, scores = np.full(len(values), label), np.array(values)
    figures = classification.figures(labels, scores)
    assert np.isfinite(list(figures.values())).all()
    assert figures["auc"] == 0.5
    assert figures["balanced_accuracy"] <= 0.5
    assert figures["tpr_at_1_fpr"] == figures["tpr_at_5_fpr"] == 0
    estimates = classification.with_intervals(
        labels, scores, pd.Series(np.arange(len(values)).astype(str))
    )
    assert estimates["auc"] == Estimate(0.5, 0.0, 1.0)
    for name, estimate in estimates.items():
        assert estimate.value == pytest.approx(figures[name])
        assert 0 <= estimate.low <= estimate.high <= 1
    assert set(classification.at(labels, scores, 0.5)) < set(figures)
