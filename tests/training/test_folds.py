"""Rows of a fold are disjoint by picture and group, and weights balance classes and sets."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from networks import REPOSITORY

from realart.params import load_params
from realart.training import folds

FOLDS, SLICES = 4, 3
BALANCE = load_params(REPOSITORY / "params.yaml").balance


@st.composite
def tables_of_rows(draw: st.DrawFn) -> pd.DataFrame:
    """Draw groups of pictures in random cells, some with copies and some replaced by theirs."""
    listed: list[dict[str, Any]] = []
    for group in range(draw(st.integers(1, 14))):
        part = draw(st.sampled_from(["train", "train", "train", "test"]))
        cell = (draw(st.integers(0, FOLDS - 1)), draw(st.integers(0, SLICES - 1)))
        fold, slice_ = cell if part == "train" else (-1, -1)
        own_set = draw(st.sampled_from(["a", "b", "c"]))
        several = draw(st.booleans())
        for number in range(draw(st.integers(1, 3))):
            of = draw(st.sampled_from(["a", "b", "c"])) if several else own_set
            copies = draw(st.integers(0, 2)) if part == "train" else 0
            fit = part == "train" and not (copies and draw(st.booleans()))
            picture = {
                "picture": f"{group}-{number}", "set": of, "group": f"{group}", "part": part,
                "fold": fold, "slice": slice_,
            }  # fmt: skip
            listed.append({**picture, "operation": "", "fit": fit})
            listed += [{**picture, "operation": "turned", "fit": True}] * copies
    order = draw(st.permutations(range(len(listed))))
    return pd.DataFrame([listed[i] for i in order])


@given(tables_of_rows())
def test_parts_share_no_picture_and_no_group(table: pd.DataFrame) -> None:
    held_out: list[int] = []
    for fold in range(FOLDS):
        parts = folds.fold_indices(table, fold, SLICES)
        of = {name: table.iloc[getattr(parts, name)] for name in ("fit", "val", "held_out")}
        held_out += parts.held_out.tolist()
        assert of["fit"]["fit"].all()
        assert (pd.concat([of["val"], of["held_out"]])["operation"] == "").all()
        assert set(of["held_out"]["fold"]) <= {fold}
        for left, right in (("fit", "val"), ("fit", "held_out"), ("val", "held_out")):
            for column in ("picture", "group"):
                assert not set(of[left][column]) & set(of[right][column])
        used = set().union(*(set(part["group"]) for part in of.values()))
        assert used == set(table.loc[table["part"] == "train", "group"])
    published = table[(table["part"] == "train") & (table["operation"] == "")]
    assert sorted(held_out) == published.index.tolist()


@given(tables_of_rows())
def test_all_other_rows_are_fitted(table: pd.DataFrame) -> None:
    for fold in range(FOLDS):
        parts = folds.fold_indices(table, fold, SLICES)
        val, held_out = (table.iloc[p]["picture"] for p in (parts.val, parts.held_out))
        left = table[table["fit"] & ~table["picture"].isin({*val, *held_out})]
        assert parts.fit.tolist() == left.index.tolist()


def test_some_fold_is_fitted_on_every_picture() -> None:
    cells = [(fold, slice_) for fold in range(FOLDS) for slice_ in range(SLICES)]
    table = pd.DataFrame(cells, columns=["fold", "slice"]).assign(
        part="train", operation="", fit=True
    )
    fitted = {
        i for fold in range(FOLDS) for i in folds.fold_indices(table, fold, SLICES).fit.tolist()
    }
    assert fitted == set(range(len(table)))


@given(st.integers(1, 50), st.integers(1, 50))
def test_class_weights_balance_classes(human: int, ai: int) -> None:
    labels = np.repeat([0, 1], [human, ai])
    weights = folds.class_weights(labels)
    assert weights.dtype == np.float32
    total = human + ai
    assert weights[labels == 0].sum() == pytest.approx(total / 2, rel=1e-5)
    assert weights[labels == 1].sum() == pytest.approx(total / 2, rel=1e-5)
    assert len(set(weights[labels == 1].tolist())) == 1


@pytest.mark.parametrize("method", ["augment", "class_weight", "none"])
def test_weights_are_one_unless_classes_are_weighed(method: str) -> None:
    balance = BALANCE.model_copy(update={"method": method})
    labels, fit = np.array([0, 0, 0, 1, 1]), np.array([0, 1, 3])
    expected = [0.75, 0.75, 1, 1.5, 1] if method == "class_weight" else [1, 1, 1, 1, 1]
    assert folds.weights(labels, fit, balance).tolist() == expected


@given(tables_of_rows(), st.sampled_from(["a", "b", "c"]))
def test_a_held_out_set_shares_no_group_with_fitted_rows(table: pd.DataFrame, name: str) -> None:
    fold = FOLDS + 1
    parts = folds.fold_indices(table, fold, SLICES, name)
    of = {part: table.iloc[getattr(parts, part)] for part in ("fit", "val", "held_out", "fit_all")}
    own = (table["part"] == "train") & (table["set"] == name)
    assert parts.held_out.tolist() == np.flatnonzero(own & (table["operation"] == "")).tolist()
    groups = set(table.loc[own, "group"])
    for part in ("fit", "val", "fit_all"):
        assert not groups & set(of[part]["group"])
        assert set(of[part]["part"]) <= {"train"}
    assert not set(of["fit"]["group"]) & set(of["val"]["group"])
    others = table["fit"] & ~table["group"].isin(groups)
    assert parts.fit_all.tolist() == np.flatnonzero(others).tolist()
    val = others & (table["slice"] == fold % SLICES)
    assert parts.fit.tolist() == np.flatnonzero(others & ~val).tolist()


@given(
    st.lists(st.tuples(st.integers(0, 1), st.sampled_from("abc")), min_size=1, max_size=40),
    st.sampled_from(["augment", "class_weight", "none"]),
)
def test_weights_balance_every_class_of_every_set(rows: list[tuple[int, str]], method: str) -> None:
    balance = BALANCE.model_copy(update={"method": method})
    labels, sets = np.array([label for label, _ in rows]), np.array([name for _, name in rows])
    fit = np.flatnonzero(np.arange(len(rows)) % 5 != 4)
    weights = folds.weights(labels, fit, balance, sets)
    table = pd.DataFrame({"label": labels, "set": sets, "weights": weights}).iloc[fit]
    cells = table.groupby(["set", "label"])["weights"].sum()
    if method == "class_weight" or (method == "augment" and table["set"].nunique() > 1):
        assert cells.to_numpy() == pytest.approx(len(fit) / len(cells), rel=1e-5)
    else:
        assert set(weights.tolist()) == {1.0}
    assert set(np.delete(weights, fit).tolist()) <= {1.0}
