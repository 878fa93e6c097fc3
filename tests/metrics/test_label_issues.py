"""Wrong labels are found, and right ones of hard pictures are left alone."""

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from realart.metrics import label_issues


def pictures(labels: np.ndarray) -> pd.DataFrame:
    named = np.array(["human", "ai"])[labels]
    ids = [f"{i:04}" for i in range(len(labels))]
    paths = [f"{one}.png" for one in ids]
    return pd.DataFrame({"id": ids, "set": "", "path": paths, "label": named})


def test_wrong_labels_are_found() -> None:
    generator = np.random.default_rng(0)
    true = np.arange(400) % 2
    wrong = generator.choice(400, 20, replace=False)
    labels = true.copy()
    labels[wrong] = 1 - true[wrong]
    probabilities = np.clip(generator.normal(0.15 + 0.7 * true, 0.1), 0, 1)
    found = label_issues.label_issues(pictures(labels), probabilities)
    rows = found["id"].astype(int)
    assert set(rows) <= set(wrong)
    assert len(found) > 12
    assert found["margin"].is_monotonic_increasing
    assert found["margin"].between(-1, 0).all()
    np.testing.assert_array_equal(found["probability"], probabilities[rows])


def test_a_model_that_is_always_unsure_of_a_class_is_not_believed_at_once() -> None:
    """Ai art has .6 on average: .55 is no reason to doubt a human label, .65 is."""
    labels = np.array([1] * 10 + [0] * 10)
    probabilities = np.array([0.6] * 10 + [0.2] * 8 + [0.55, 0.65])
    assert label_issues.label_issues(pictures(labels), probabilities)["id"].tolist() == ["0019"]


@given(st.lists(st.tuples(st.integers(0, 1), st.floats(0, 1)), min_size=2, max_size=50))
def test_whoever_is_doubted_is_contradicted(pairs: list[tuple[int, float]]) -> None:
    labels = np.array([0, 1, *(label for label, _ in pairs)])
    probabilities = np.array([0.0, 1.0, *(score for _, score in pairs)])
    found = label_issues.label_issues(pictures(labels), probabilities)
    for row in found.itertuples():
        assert (row.probability > 0.5) != (row.label == "ai")
    # Turned round, the same pictures are in doubt.
    turned = label_issues.label_issues(pictures(1 - labels), 1 - probabilities)
    assert set(turned["id"]) == set(found["id"])
