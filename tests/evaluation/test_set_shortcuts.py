"""Planted differences between sets are measured, as is the association of set and label."""

import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from realart.evaluation import set_shortcuts
from realart.evaluation.shortcuts import ALL, COLOUR, PUBLISHED, STORED, TEXTURE, Candidate

COUNT = 240


def rows(shares: dict[str, float], seed: int = 0) -> pd.DataFrame:
    """Make published rows of sets with these shares of ai."""
    generator = np.random.default_rng(seed)
    sets = np.array(list(shares))[np.arange(COUNT) % len(shares)]
    ai = generator.random(COUNT) < np.array([shares[name] for name in sets])
    return pd.DataFrame(
        {
            "row": [f"{number}" for number in range(COUNT)],
            "set": sets,
            "label": np.where(ai, "ai", "human"),
            "group": [f"{number}" for number in range(COUNT)],
            "part": "train",
            "fold": np.arange(COUNT) // 3 % 4,
            "slice": 0,
            "operation": "",
            "fit": True,
        }
    )


def candidates(table: pd.DataFrame, seed: int = 1) -> list[Candidate]:
    """Make candidates of noise; only published headers of ai art name its set."""
    generator = np.random.default_rng(seed)
    noise = {
        scope: pd.DataFrame({"x": generator.normal(size=COUNT)})
        for scope in (PUBLISHED, STORED, COLOUR, TEXTURE)
    }
    named = pd.factorize(table["set"])[0] + generator.normal(0, 0.1, COUNT)
    noise[PUBLISHED]["x"] = np.where(table["label"] == "ai", named, noise[PUBLISHED]["x"])
    return [Candidate(scope, ALL, features) for scope, features in noise.items()]


@pytest.mark.parametrize("names", ["ab", "abc"])
def test_only_the_planted_difference_is_predictive(names: str) -> None:
    table = rows(dict.fromkeys(names, 0.5))
    found = set_shortcuts.predict_sets(candidates(table), table).set_index(["label", "scope"])
    assert found.index[0] == ("ai", PUBLISHED)
    assert found["auc"].iloc[0] > 0.95
    assert (found["auc"].iloc[1:] < 0.65).all()
    words = set_shortcuts.findings(
        found.reset_index(), set_shortcuts.label_from_set(table, np.ones(COUNT, np.float32))
    )
    assert len(words) == 3  # the set does not predict the label: nothing is to be done
    assert re.match(
        r"The set of ai art is predicted from files as published with AUC (0\.9|1\.00)", words[1]
    )


def test_folds_that_are_sets_leave_nothing_to_fit() -> None:
    """As with `split.method` sources, if each source is a set."""
    table = rows({"a": 0.5, "b": 0.5})
    table["fold"] = pd.factorize(table["set"])[0]
    found = set_shortcuts.predict_sets(candidates(table), table)
    assert found["auc"].tolist() == [0.5] * len(found)


def test_weights_undo_a_set_that_names_its_label() -> None:
    table = rows({"a": 0.9, "b": 0.1})
    cells = table.groupby(["set", "label"])["row"].transform("size")
    named = set_shortcuts.label_from_set(table, (1 / cells).to_numpy(np.float32))
    assert named["accuracy"]["low"] < named["accuracy"]["value"] < named["accuracy"]["high"]
    assert named["accuracy"]["value"] == pytest.approx(0.9, abs=0.05)
    assert named["auc"]["low"] > 0.8
    assert named["association"] == pytest.approx(0.8, abs=0.1)
    assert named["fitted"] == pytest.approx(0, abs=1e-6)
    mixed = set_shortcuts.label_from_set(rows({"a": 0.5, "b": 0.5}), np.ones(COUNT, np.float32))
    assert mixed["auc"]["low"] < 0.5
    assert mixed["accuracy"]["value"] < 0.6


@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 2)), min_size=2, max_size=60))
def test_cramers_v_is_that_of_the_table_of_counts(pairs: list[tuple[int, int]]) -> None:
    labels, sets = (np.array(column) for column in zip(*pairs, strict=True))
    found = set_shortcuts.cramers_v(labels, sets, np.ones(len(labels)))
    counts = pd.crosstab(labels, sets).to_numpy(float)
    expected = np.outer(counts.sum(1), counts.sum(0)) / counts.sum()
    squares = ((counts - expected) ** 2 / expected).sum() / counts.sum()
    assert found == pytest.approx(np.sqrt(squares), abs=1e-7)
    assert 0 <= found <= 1 + 1e-9


def test_a_held_out_set_has_a_baseline_of_the_others() -> None:
    """The sign of what names the label is another in each set."""
    table = rows({"a": 0.5, "b": 0.5})
    labels = (table["label"] == "ai").to_numpy().astype(np.int64)
    sign = np.where(table["set"] == "a", 1, -1)
    features = pd.DataFrame({"x": (2 * labels - 1) * sign + 0.0})
    floor = pd.Series({"scope": COLOUR, "name": ALL, "classifier": "boosting"})
    found = set_shortcuts.baseline_on_held_out_sets(
        floor, [Candidate(COLOUR, ALL, features)], labels, table
    )
    assert found["auc"] == 0
    table["fold"] = -1
    table.loc[: COUNT // 2, "fold"] = 0
    assert found["intervals"]["auc"]["low"] <= found["auc"]
