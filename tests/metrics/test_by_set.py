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


def test_sets_are_judged_apart_whatever_one_is_called_on_the_whole() -> None:
    labels, scores = some_scores(200)
    lower = scores / 10
    found = by_set.by_set(scored(a=(labels, scores), b=(labels[:60], lower[:60])))
    assert found["auc"] == pytest.approx(
        np.mean([classification.figures(labels[:n], scores[:n])["auc"] for n in (200, 60)])
    )
    assert found["pictures"] == 260
    for name, count, own in (("a", 200, scores), ("b", 60, lower)):
        expected = classification.figures(labels[:count], own[:count])
        assert {key: found["sets"][name][key] for key in expected} == expected
        assert found["sets"][name]["ai"] == labels[:count].sum()


def test_the_mean_of_equal_sets_is_known_better_by_the_root_of_their_number() -> None:
    labels, scores = some_scores(300)
    one = by_set.by_set(scored(a=(labels, scores)))
    four = by_set.by_set(scored(**dict.fromkeys("abcd", (labels, scores))))
    for name in ("auc", "accuracy", "recall"):
        for side in ("low", "high"):
            alone, together = (
                found["intervals"][name][side] - found[name] for found in (one, four)
            )
            assert together == pytest.approx(alone / 2, rel=0.15)  # groups are resampled by name


def test_the_interval_of_a_mean_holds_it_as_often_as_it_says() -> None:
    """Of shares of two sets, whose intervals alone are Wilson's."""
    generator = np.random.default_rng(0)
    true, held = (0.7, 0.95), 0
    for _ in range(400):
        sets = {}
        for name, share in zip("ab", true, strict=True):
            found = intervals.wilson(int(generator.binomial(60, share)), 60)
            sets[name] = {
                "accuracy": found.value,
                "intervals": {"accuracy": {"low": found.low, "high": found.high}},
                "pictures": 60,
                "ai": 30,
            }
        of_mean = by_set.mean(sets)["intervals"]["accuracy"]
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
    found = by_set.by_set(scored(**sets))
    for name, bounds in found["intervals"].items():
        assert 0 <= bounds["low"] <= found[name] <= bounds["high"] <= 1 + 1e-12
