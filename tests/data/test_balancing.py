"""Balancing: equal classes, by copies that stay with their source and predict no class."""

import random
from collections import Counter
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from making import PARAMS, TABLES, published

from realart.core.tables import ROWS
from realart.data.augmentation import Operation
from realart.data.balancing import plan
from realart.params import Balance

AUGMENT = PARAMS.balance
Tables = tuple[pd.DataFrame, pd.DataFrame]


@st.composite
def split_pictures(draw: st.DrawFn) -> Tables:
    """Draw pictures and their split, in any order: both classes in each cell, and others."""
    counts = st.tuples(st.integers(1, 6), st.integers(1, 6))
    cells = {(f, s): draw(counts) for f in range(2) for s in range(2)}
    places = [("train", *cell, *counts) for cell, counts in cells.items()]
    places += [("test", -1, -1, 2, 3), ("unused", -1, -1, 1, 1)]
    rows = [
        {
            "part": part,
            "fold": fold,
            "slice": part_slice,
            "label": label,
            "group": f"g{number // 2}",
        }
        for part, fold, part_slice, human, ai in places
        for label, count in (("human", human), ("ai", ai))
        for number in range(count)
    ]
    random.Random(draw(st.integers(0, 99))).shuffle(rows)
    rows = [row | {"id": f"p{number}"} for number, row in enumerate(rows)]
    split = pd.DataFrame(rows)
    columns = ["id", "group", "label"]
    return published(split[columns].to_dict("records")), split[["id", "part", "fold", "slice"]]


def planned(tables: Tables, balance: Balance = AUGMENT) -> pd.DataFrame:
    return plan(*tables, balance, ".jpg")


@TABLES
@given(split_pictures())
def test_classes_and_their_copies_are_equal_in_every_cell(tables: Tables) -> None:
    rows = planned(tables)
    for selected in (rows[rows["fit"]], rows[rows["operation"] != ""]):
        counts = selected.groupby(["fold", "slice", "label"]).size().unstack()
        assert (counts["ai"] == counts["human"]).all() if len(counts) else True
    larger = tables[0].join(tables[1][["part", "fold", "slice"]]).query("part == 'train'")
    larger = larger.groupby(["fold", "slice", "label"]).size().groupby(["fold", "slice"]).max()
    assert rows["fit"].sum() == 2 * larger.sum()


@TABLES
@given(split_pictures(), st.integers(0, 99))
def test_classes_are_made_equal_within_each_set(tables: Tables, seed: int) -> None:
    """Where it has both in a cell; elsewhere nothing is copied."""
    names = np.random.default_rng(seed).choice(["x", "y"], len(tables[0]))
    rows = planned((tables[0].assign(set=names), tables[1]))
    cells = ["set", "fold", "slice"]
    before = tables[0].assign(set=names).join(tables[1][["part", "fold", "slice"]])
    before = before[before["part"] == "train"].groupby([*cells, "label"]).size().unstack()
    both = before.dropna().index
    fitted = rows[rows["fit"]].groupby([*cells, "label"]).size().unstack().loc[both]
    assert (fitted["ai"] == fitted["human"]).all()
    copies = rows[rows["operation"] != ""]
    assert set(copies.set_index(cells).index) <= set(both)
    assert copies["set"].tolist() == rows.set_index("row").loc[copies["picture"], "set"].tolist()


@TABLES
@given(split_pictures())
def test_a_copy_stays_with_its_source(tables: Tables) -> None:
    rows = planned(tables)
    sources = rows[rows["operation"] == ""].set_index("row")
    copies = rows[rows["operation"] != ""]
    assert copies["fit"].all()
    assert set(copies["part"]) <= {"train"}
    for column in ("label", "group", "part", "fold", "slice"):
        assert copies[column].tolist() == sources.loc[copies["picture"], column].tolist()


@TABLES
@given(split_pictures(), st.sampled_from(["augment", "class_weight", "none"]))
def test_all_published_pictures_are_there_in_order(tables: Tables, method: str) -> None:
    pictures, split = tables
    rows = planned(tables, AUGMENT.model_copy(update={"method": method}))
    assert list(rows.columns) == list(ROWS)
    assert list(rows.index) == list(range(len(rows)))
    assert rows["row"].is_unique
    assert rows["file"].is_unique
    used = pictures[split["part"] != "unused"]
    first = rows.iloc[: len(used)]
    assert (first["operation"] == "").all()
    for column, name in (("row", "id"), ("picture", "id"), ("label", "label"), ("file", "file")):
        assert first[column].tolist() == used[name].tolist()


@TABLES
@given(split_pictures())
def test_rows_not_fitted_on_are_test_or_replaced(tables: Tables) -> None:
    rows = planned(tables)
    unfitted = rows[~rows["fit"]]
    replaced = unfitted[unfitted["part"] == "train"]
    copied = rows.loc[rows["operation"] != "", "picture"]
    assert set(replaced["row"]) <= set(copied)
    assert set(rows.loc[rows["part"] == "test", "fit"]) == {False}


@TABLES
@given(split_pictures(), st.sampled_from(["class_weight", "none"]))
def test_other_methods_make_no_copies(tables: Tables, method: str) -> None:
    rows = planned(tables, AUGMENT.model_copy(update={"method": method}))
    assert (rows["operation"] == "").all()
    assert rows["fit"].equals(rows["part"] == "train")


@TABLES
@given(split_pictures(), st.sampled_from(["augment", "class_weight", "none"]), st.integers(1, 3))
def test_every_fitted_row_has_all_its_deliveries(tables: Tables, method: str, count: int) -> None:
    balance = AUGMENT.model_copy(update={"method": method})
    before = planned(tables, balance)
    rows = planned(tables, balance.model_copy(update={"deliveries": count}))
    pd.testing.assert_frame_equal(rows.iloc[: len(before)], before)
    fitted, delivered = before[before["fit"]].set_index("row"), rows.iloc[len(before) :]
    assert rows["row"].is_unique
    assert rows["file"].is_unique
    assert delivered["fit"].all()
    sources = delivered["row"].str.rsplit("-", n=1).str[0]
    assert sources.value_counts().to_dict() == dict.fromkeys(fitted.index, count)
    for column in ("picture", "label", "set", "group", "part", "fold", "slice"):
        assert delivered[column].tolist() == fitted.loc[sources, column].tolist()
    for source, text in zip(sources, delivered["operation"], strict=True):
        made = fitted.loc[source, "operation"]
        operation = Operation.parse(text)
        assert operation.changes
        assert replace(operation, changes=()) == (Operation.parse(made) if made else Operation())


def test_deliveries_cover_all_kinds_within_their_ranges() -> None:
    rows = [{"id": f"{n}", "label": "ai"} for n in range(2000)]
    split = pd.DataFrame(
        {"id": [row["id"] for row in rows], "part": "train", "fold": 0, "slice": 0}
    )
    balance = AUGMENT.model_copy(update={"deliveries": 1})
    copies = planned((published(rows), split), balance).query("operation != ''")
    chains = [Operation.parse(text).changes for text in copies["operation"]]
    names = Counter(tuple(change.name for change in chain) for chain in chains)
    shares = {(): 1 / 2, ("shrink",): 1 / 4, ("resize",): 1 / 4}
    for sizes, share in shares.items():
        for encoding, part in (("jpeg", 2 / 3), ("webp", 1 / 3)):
            assert names[*sizes, encoding] / 2000 == pytest.approx(share * part, abs=0.03)
    factors = [chain[0].strength for chain in chains if len(chain) == 2]
    qualities = [chain[-1].strength for chain in chains]
    assert 0.5 <= min(factors) < 0.51 < 0.99 < max(factors) <= 1
    assert (min(qualities), max(qualities)) == (60, 95)


@TABLES
@given(split_pictures())
def test_the_same_seed_makes_the_same_plan(tables: Tables) -> None:
    pd.testing.assert_frame_equal(planned(tables), planned(tables))


@TABLES
@given(split_pictures(), st.sampled_from(["human", "ai"]), st.integers(0, 1))
def test_a_picture_added_changes_no_operation_of_others(
    tables: Tables, label: str, cell: int
) -> None:
    pictures, split = tables
    added = pd.DataFrame([{"id": "new", "part": "train", "fold": cell, "slice": cell}])
    more = (
        pd.concat([published([{"id": "new", "label": label}]), pictures], ignore_index=True),
        pd.concat([added, split], ignore_index=True),
    )
    before, after = (
        rows[rows["operation"] != ""].set_index("row")["operation"]
        for rows in (planned(tables), planned(more))
    )
    common = before.index.intersection(after.index)
    assert before[common].tolist() == after[common].tolist()


def test_operations_vary_within_the_params() -> None:
    rows = [
        {"id": f"{label}{n}", "label": label}
        for label, count in (("human", 1), ("ai", 200))
        for n in range(count)
    ]
    split = pd.DataFrame(
        {"id": [row["id"] for row in rows], "part": "train", "fold": 0, "slice": 0}
    )
    params = AUGMENT.model_copy(update={"vertical_flip": False})
    copies = planned((published(rows), split), params).query("operation != ''")
    operations = [Operation.parse(text) for text in copies["operation"]]
    assert len(operations) == len(set(operations)) == 2 * 199
    turns = np.array([(o.rotation, o.zoom - 1, o.brightness - 1) for o in operations])
    limits = np.array([params.rotation, params.zoom, params.brightness])
    assert (np.abs(turns) <= limits + 1e-9).all()
    assert (np.abs(turns).max(0) > 0.9 * limits).all()
    assert np.abs(turns.mean(0) / limits).max() < 0.15
    assert 0.4 < np.mean([o.horizontal_flip for o in operations]) < 0.6
    assert not any(o.vertical_flip for o in operations)
