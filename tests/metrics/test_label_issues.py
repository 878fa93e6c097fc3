"""Wrong labels are listed, right ones of hard pictures are not."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit
from scipy.stats import norm

from realart.metrics import label_issues


def pictures(labels: np.ndarray) -> pd.DataFrame:
    named = np.array(["human", "ai"])[labels]
    ids = [f"{i:04}" for i in range(len(labels))]
    paths = [f"{name}.png" for name in ids]
    return pd.DataFrame({"id": ids, "set": "", "path": paths, "label": named})


def test_wrong_labels_are_listed() -> None:
    generator = np.random.default_rng(0)
    true = np.arange(400) % 2
    wrong = generator.choice(400, 20, replace=False)
    labels = true.copy()
    labels[wrong] = 1 - true[wrong]
    probabilities = np.clip(generator.normal(0.15 + 0.7 * true, 0.1), 0, 1)
    issues = label_issues.label_issues(pictures(labels), probabilities)
    rows = issues["id"].astype(int)
    assert set(rows) <= set(wrong)
    assert len(issues) > 12
    assert issues["margin"].is_monotonic_increasing
    assert issues["margin"].between(-1, 0).all()
    np.testing.assert_array_equal(issues["probability"], probabilities[rows])


def test_a_label_is_compared_with_the_other_class() -> None:
    """Ai art has a mean of .6: .55 is below it, .65 above."""
    labels = np.array([1] * 10 + [0] * 10)
    probabilities = np.array([0.6] * 10 + [0.2] * 8 + [0.55, 0.65])
    assert label_issues.label_issues(pictures(labels), probabilities)["id"].tolist() == ["0019"]


@given(st.lists(st.tuples(st.integers(0, 1), st.floats(0, 1)), min_size=2, max_size=50))
def test_issues_contradict_their_label(pairs: list[tuple[int, float]]) -> None:
    labels = np.array([0, 1, *(label for label, _ in pairs)])
    probabilities = np.array([0.0, 1.0, *(score for _, score in pairs)])
    issues = label_issues.label_issues(pictures(labels), probabilities)
    for row in issues.itertuples():
        assert (row.probability > 0.5) != (row.label == "ai")
    # With both inverted the same pictures are listed.
    inverted = label_issues.label_issues(pictures(1 - labels), 1 - probabilities)
    assert set(inverted["id"]) == set(issues["id"])


def test_a_poor_model_can_not_tell_label_issues() -> None:
    """The lower bound counts: of few pictures a high AUC is not known to be one."""

    def of_oof(auc: float, low: float) -> dict[str, Any]:
        return {"auc": auc, "intervals": {"auc": {"low": low, "high": 1.0}}}

    assert label_issues.unreliable(of_oof(0.9, label_issues.LEAST_AUC)) == ""
    words = label_issues.unreliable(of_oof(0.9, 0.79))
    assert words.startswith("label issues are not listed: with an AUC out of fold of 0.900 [0.790,")


@pytest.mark.parametrize(("auc", "share"), [(0.6, 0.07), (0.85, 0.22)])
def test_doubts_of_a_poor_model_are_hardly_better_than_chance(auc: float, share: float) -> None:
    """With 5 % of labels wrong, and an observed AUC of 0.59 and 0.81."""
    generator = np.random.default_rng(0)
    distance = norm.ppf(auc) * np.sqrt(2)
    true = np.arange(40_000) % 2
    wrong = generator.random(len(true)) < 0.05
    scores = expit(distance * generator.normal(distance * (true - 0.5)))
    issues = label_issues.label_issues(pictures(np.where(wrong, 1 - true, true)), scores)
    assert wrong[issues["id"].astype(int)].mean() == pytest.approx(share, abs=0.015)
