"""Figures of each set are its own, and their mean counts each set the same."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from networks import some_scores

from realart.metrics import by_set, classification, intervals


def scored(**sets: tuple[np.ndarray, np.ndarray]) -> pd.DataFrame:
    """Make a table of labels and scores by the names of sets."""
    return pd.concat(
        [
            pd.DataFrame(
                {
                    "set": name,
                    "label": np.array(["human", "ai"])[labels],
                    "score": scores,
                    "group": [f"{name}{number}" for number in range(len(labels))],
                }
            )
            for name, (labels, scores) in sets.items()
        ],
        ignore_index=True,
    )


def test_sets_are_ranked_apart_whatever_their_general_level() -> None:
    labels, scores = some_scores(200)
    lower = scores / 10
    figures = by_set.evaluate_by_set(scored(a=(labels, scores), b=(labels[:60], lower[:60])))
    assert figures["auc"] == pytest.approx(
        np.mean([classification.figures(labels[:n], scores[:n])["auc"] for n in (200, 60)])
    )
    assert figures["pictures"] == 260
    for name, count, own in (("a", 200, scores), ("b", 60, lower)):
        expected = classification.figures(labels[:count], own[:count])
        assert {key: figures["sets"][name][key] for key in expected} == expected
        assert figures["sets"][name]["ai"] == labels[:count].sum()


def test_the_mean_of_equal_sets_has_a_narrower_interval() -> None:
    labels, scores = some_scores(300)
    single = by_set.evaluate_by_set(scored(a=(labels, scores)))
    four = by_set.evaluate_by_set(scored(**dict.fromkeys("abcd", (labels, scores))))
    for name in ("auc", "accuracy", "recall"):
        for side in ("low", "high"):
            alone, together = (
                figures["intervals"][name][side] - figures[name] for figures in (single, four)
            )
            assert together == pytest.approx(alone / 2, rel=0.15)  # groups are resampled by name


def test_the_interval_of_a_mean_has_its_nominal_coverage() -> None:
    """Of shares of two sets, whose intervals alone are Wilson's."""
    generator = np.random.default_rng(0)
    true, held = (0.7, 0.95), 0
    for _ in range(400):
        sets = {}
        for name, share in zip("ab", true, strict=True):
            estimate = intervals.wilson(int(generator.binomial(60, share)), 60)
            sets[name] = {
                "accuracy": estimate.value,
                "intervals": {"accuracy": {"low": estimate.low, "high": estimate.high}},
                "pictures": 60,
                "ai": 30,
            }
        of_mean = by_set.mean_over_sets(sets)["intervals"]["accuracy"]
        held += of_mean["low"] <= np.mean(true) <= of_mean["high"]
    assert 0.92 <= held / 400 <= 0.98


@settings(max_examples=12)
@given(st.integers(0, 99))
def test_a_mean_lies_within_its_interval_and_between_0_and_1(seed: int) -> None:
    generator = np.random.default_rng(seed)
    sets = {}
    for name in "abc":
        labels = generator.permutation(np.arange(12) % 2)
        sets[name] = (labels, np.clip(generator.normal(labels, 0.5), 0, 1))
    figures = by_set.evaluate_by_set(scored(**sets))
    for name, bounds in figures["intervals"].items():
        assert 0 <= bounds["low"] <= figures[name] <= bounds["high"] <= 1 + 1e-12
