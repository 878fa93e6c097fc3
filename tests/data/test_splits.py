"""Properties of splits, over tables of any groups, labels, sources and published parts."""

import random
import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from making import PARAMS, TABLES, published

from realart.core.errors import RealartError
from realart.core.tables import SPLIT
from realart.data.splits import assign
from realart.params import Split

SPLITS = st.builds(
    Split,
    method=st.just("random"),
    test_size=st.sampled_from([0.1, 0.2, 0.35]),
    folds=st.integers(2, 4),
    slices=st.integers(2, 3),
    seed=st.integers(0, 99),
)


@st.composite
def tables_of_pictures(draw: st.DrawFn, singles: bool = False) -> pd.DataFrame:
    """Draw pictures in groups of one to three, of one or both labels, from a few sources."""
    chance = random.Random(draw(st.integers(0, 10**6)))
    groups = draw(st.integers(60, 90))
    rows = []
    for number in range(groups):
        labels = chance.choice([["human"], ["ai"], ["human"] * 2, ["ai"] * 3, ["ai", "human"]])
        part = chance.choice(["train", "train", "train", "test"])
        source = chance.choice("abc")
        rows += [
            {
                "id": f"{number}-{copy}",
                "group": f"{number}-0",
                "label": label,
                "source": f"{label}/{source}",
                "published_part": "train" if copy else part,
            }
            for copy, label in enumerate(labels[:1] if singles else labels)
        ]
    return published(rows)


def assigned(pictures: pd.DataFrame, split: Split) -> pd.DataFrame:
    """Return the pictures with their part, fold and slice; an example without a split is passed."""
    try:
        return pictures.merge(assign(pictures, split), on="id")
    except RealartError:
        assume(False)
        raise


def enough(count: int = 40, **columns: str) -> pd.DataFrame:
    """Make a table of unrelated pictures, `count` a class."""
    return published(
        [
            {"id": f"{label}{n}", "label": label, **columns}
            for label in ("human", "ai")
            for n in range(count)
        ]
    )


@TABLES
@given(tables_of_pictures(), SPLITS, st.sampled_from(["random", "published", "sources"]))
def test_no_group_is_split(pictures: pd.DataFrame, split: Split, method: str) -> None:
    table = assigned(pictures, split.model_copy(update={"method": method}))
    used = table[table["part"] != "unused"]
    for column in ("part", "fold", "slice"):
        assert (used.groupby("group")[column].nunique() == 1).all(), column


@TABLES
@given(tables_of_pictures(), SPLITS)
def test_every_cell_of_the_training_part_has_both_classes(
    pictures: pd.DataFrame, split: Split
) -> None:
    table = assigned(pictures, split)
    train, others = table[table["part"] == "train"], table[table["part"] != "train"]
    assert (others[["fold", "slice"]] == -1).all(axis=None)
    cells = train.groupby(["fold", "slice"])["label"].nunique()
    assert set(cells.index) == {(f, s) for f in range(split.folds) for s in range(split.slices)}
    assert (cells == 2).all()


@TABLES
@given(tables_of_pictures(), SPLITS)
def test_every_picture_has_one_row_in_its_place(pictures: pd.DataFrame, split: Split) -> None:
    assigned(pictures, split)
    result = assign(pictures, split)
    assert list(result.columns) == list(SPLIT)
    assert result["id"].tolist() == pictures["id"].tolist()
    assert set(result["part"]) <= {"train", "test"}


@TABLES
@given(tables_of_pictures(singles=True), SPLITS)
def test_the_test_part_has_its_share_of_each_class(pictures: pd.DataFrame, split: Split) -> None:
    table = assigned(pictures, split)
    for _, rows in table.groupby("label"):
        wanted = split.test_size * len(rows)
        assert abs((rows["part"] == "test").sum() - wanted) <= 2  # half a picture a stratum


@pytest.mark.parametrize("count", [4, 5, 14])
def test_many_small_sources_fill_the_test_part(count: int) -> None:
    rows = [
        {"id": f"{label}-{source}-{n}", "label": label, "source": f"{source}"}
        for label in ("human", "ai")
        for source in range(12)
        for n in range(count)
    ]
    split = PARAMS.split.model_copy(update={"folds": 2, "test_size": 0.1})
    result = published(rows).merge(assign(published(rows), split), on="id")
    for _, of_class in result.groupby("label"):
        assert abs((of_class["part"] == "test").mean() - 0.1) < 0.025


@TABLES
@given(tables_of_pictures(), SPLITS, st.integers(0, 99))
def test_the_order_of_the_pictures_changes_nothing(
    pictures: pd.DataFrame, split: Split, seed: int
) -> None:
    table = assigned(pictures, split)
    shuffled = pictures.sample(frac=1, random_state=seed, ignore_index=True)
    again = assign(shuffled, split).set_index("id")[["part", "fold", "slice"]]
    expected = table.set_index("id")[["part", "fold", "slice"]]
    pd.testing.assert_frame_equal(again.loc[expected.index], expected)


def test_another_seed_is_another_split() -> None:
    pictures = enough()
    first, again, other = (
        assign(pictures, PARAMS.split.model_copy(update={"seed": seed})) for seed in (0, 0, 1)
    )
    pd.testing.assert_frame_equal(first, again)
    for column in ("part", "fold", "slice"):
        assert not first[column].equals(other[column])


@TABLES
@given(tables_of_pictures(singles=True), SPLITS, st.integers(0, 99), st.sampled_from("ab"))
def test_an_added_picture_moves_at_most_one_a_stratum(
    pictures: pd.DataFrame, split: Split, added: int, source: str
) -> None:
    new = {"id": f"new{added}", "label": "ai", "source": f"ai/{source}"}
    more = pd.concat([pictures, published([new])], ignore_index=True)
    sources = pictures["source"].value_counts()
    assume((sources >= 2 * split.folds).all())  # each is a stratum, before and after
    before, after = assigned(pictures, split), assigned(more, split)
    moved = before["part"] != after["part"].iloc[:-1]
    assert moved.groupby(before["source"]).sum().max() <= 1


@TABLES
@given(tables_of_pictures(), SPLITS)
def test_published_keeps_the_test_part_without_relatives(
    pictures: pd.DataFrame, split: Split
) -> None:
    table = assigned(pictures, split.model_copy(update={"method": "published"}))
    tested = table["published_part"] == "test"
    related = ~tested & table["group"].isin(table.loc[tested, "group"])
    assert set(table.loc[tested, "part"]) == {"test"}
    assert set(table.loc[related, "part"]) <= {"unused"}
    assert set(table.loc[~tested & ~related, "part"]) == {"train"}


def test_published_without_a_test_part_is_an_error() -> None:
    published_split = PARAMS.split.model_copy(update={"method": "published"})
    with pytest.raises(RealartError, match="marks no human picture as test"):
        assign(enough(published_part="train"), published_split)


@TABLES
@given(st.integers(0, 24), st.integers(0, 24))
def test_the_error_of_too_few_pictures_names_the_class(human: int, ai: int) -> None:
    counts = {"human": human, "ai": ai}
    rows = [
        {"id": f"{label}{n}", "label": label}
        for label, count in counts.items()
        for n in range(count)
    ]
    assume(rows)
    with pytest.raises(RealartError, match=r"class (human|ai) has \d+ unrelated pictures"):
        assign(published(rows), PARAMS.split.model_copy(update={"folds": 5}))


def test_one_large_group_is_no_split() -> None:
    rows = [{"id": f"{label}{n}", "label": label} for label in ("human", "ai") for n in range(20)]
    for row in rows[:19]:
        row["group"] = "human0"
    with pytest.raises(RealartError, match=r"class human has [12] unrelated"):
        assign(published(rows), PARAMS.split)


@TABLES
@given(st.lists(st.integers(1, 30), min_size=4, max_size=6), st.integers(0, 99))
def test_groups_too_large_for_slices_are_an_error(sizes: list[int], seed: int) -> None:
    rows = [
        {"id": f"{label}-{group}-{n}", "label": label, "group": f"{label}-{group}"}
        for label in ("human", "ai")
        for group, size in enumerate(sizes if label == "ai" else [1] * 20)
        for n in range(size)
    ]
    split = Split(method="random", test_size=0.01, folds=2, slices=2, seed=seed)
    try:
        train = assign(published(rows), split).merge(published(rows), on="id")
    except RealartError:
        return
    cells = train[train["part"] == "train"].groupby(["fold", "slice"])["label"].nunique()
    assert cells.tolist() == [2] * 4


def test_a_small_source_raises_no_warning() -> None:
    pictures = pd.concat(
        [enough(source="big"), published([{"id": "x", "label": "ai", "source": "small"}])],
        ignore_index=True,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(assign(pictures, PARAMS.split)) == 81


def test_sources_mostly_published_as_test_can_be_split() -> None:
    rows = [
        {
            "id": f"{label}-{source}-{n}",
            "label": label,
            "source": f"{source}",
            "published_part": "test" if n else "train",
        }
        for label in ("human", "ai")
        for source in range(20)
        for n in range(8)
    ]
    published_split = PARAMS.split.model_copy(update={"method": "published"})
    assert (assign(published(rows), published_split)["part"] == "train").sum() == 40


def of_sources(human: int, ai: int, **columns: str) -> pd.DataFrame:
    """Make a table of 30 unrelated pictures for each source of a class."""
    return published(
        [
            {"id": f"{label}{source}-{n}", "label": label, "source": f"{label}/{source}", **columns}
            for label, count in (("human", human), ("ai", ai))
            for source in range(count)
            for n in range(30)
        ]
    )


@TABLES
@given(st.integers(2, 4), st.integers(0, 3), st.booleans(), st.integers(0, 99))
def test_a_held_out_source_is_in_one_fold(
    folds: int, more: int, one_human_source: bool, seed: int
) -> None:
    split = PARAMS.split.model_copy(update={"method": "sources", "folds": folds, "seed": seed})
    pictures = of_sources(1 if one_human_source else folds + more, folds + more)
    table = pictures.merge(assign(pictures, split), on="id")
    train = table[table["part"] == "train"]
    of_several = train[~((train["label"] == "human") & one_human_source)]
    assert (of_several.groupby("source")["fold"].nunique() == 1).all()
    assert (train.groupby(["label", "fold"]).size() > 0).sum() == 2 * folds
    if one_human_source:
        assert train.loc[train["label"] == "human", "fold"].nunique() == folds


@pytest.mark.parametrize("path", ["{label}/{source}", "set/{source}/{label}/pictures"])
def test_folders_of_one_name_are_held_out_together(path: str) -> None:
    pictures = of_sources(4, 4)
    pictures["source"] = [
        path.format(label=label, source=source.rpartition("/")[2])
        for label, source in zip(pictures["label"], pictures["source"], strict=True)
    ]
    split = PARAMS.split.model_copy(update={"method": "sources", "folds": 2})
    table = pictures.merge(assign(pictures, split), on="id")
    train = table[table["part"] == "train"]
    train = train.assign(named=train["id"].str.extract(r"(\d+)-")[0])
    assert (train.groupby("named")["label"].nunique() == 2).all()
    assert (train.groupby("named")["fold"].nunique() == 1).all()


def test_a_generator_is_held_out_over_all_its_folders() -> None:
    pictures = of_sources(4, 4)
    pictures["generator"] = (
        pictures["source"].map({f"ai/{n}": f"generator {n // 2}" for n in range(4)}).fillna("")
    )
    split = PARAMS.split.model_copy(update={"method": "sources", "folds": 2})
    table = pictures.merge(assign(pictures, split), on="id")
    train = table[(table["part"] == "train") & (table["label"] == "ai")]
    assert (train.groupby("generator")["fold"].nunique() == 1).all()
    assert train["fold"].nunique() == 2


def test_relatives_of_another_source_are_unused() -> None:
    pictures = of_sources(4, 4)
    pictures.loc[pictures["id"].isin(["ai0-0", "ai1-0"]), "group"] = "ai0-0"
    split = PARAMS.split.model_copy(update={"method": "sources", "test_size": 0.1})
    table = pictures.merge(assign(pictures, split), on="id").set_index("id")
    assert set(table.loc[["ai0-0", "ai1-0"], "part"]) in ({"unused"}, {"test"})
    assert set(table.drop(["ai0-0", "ai1-0"])["part"]) == {"train", "test"}


def test_a_set_without_sources_is_refused() -> None:
    split = PARAMS.split.model_copy(update={"method": "sources"})
    with pytest.raises(RealartError, match="each class has one folder"):
        assign(of_sources(1, 1), split)
    with pytest.raises(RealartError, match="class ai has 3 sources"):
        assign(of_sources(1, 3), split)


@pytest.mark.parametrize("label", ["ai", "human"])
def test_a_test_part_without_a_class_is_refused(label: str) -> None:
    """A model could not be evaluated there."""
    pictures = enough()
    large = pictures["label"] == label
    pictures.loc[large, "group"] = [f"{label}{number // 8}" for number in range(large.sum())]
    split = PARAMS.split.model_copy(update={"folds": 2, "slices": 2})
    with pytest.raises(RealartError, match=f"no {label} picture: raise split.test_size .0.1"):
        assign(pictures, split)
    assign(pictures, split.model_copy(update={"test_size": 0.3}))


SETS = PARAMS.split.model_copy(update={"method": "sets", "folds": 2, "slices": 2})


def of_sets(**counts: int) -> pd.DataFrame:
    """Make a table of unrelated pictures: so many of each class, in sets of these names."""
    return published(
        [
            {"id": f"{label}-{name}-{n}", "label": label, "set": name, "source": label}
            for name, count in counts.items()
            for label in ("human", "ai")
            for n in range(count)
        ]
    )


def test_folds_and_slices_share_classes_of_sets_evenly() -> None:
    pictures = of_sets(a=80, b=40, c=20)
    table = assign(pictures, SETS).merge(pictures[["id", "label"]], on="id")
    assert table["set"].tolist() == pictures["set"].tolist()
    train = table[table["part"] == "train"]
    counts = train.groupby(["set", "label", "fold", "slice"]).size().unstack(["fold", "slice"])
    assert counts.shape == (6, 4)
    assert (counts.max(axis=1) - counts.min(axis=1) <= 3).all()
    random = assign(pictures, SETS.model_copy(update={"method": "random"}))
    pd.testing.assert_frame_equal(random, assign(pictures, SETS))


@pytest.mark.parametrize(
    ("pictures", "message"),
    [
        (of_sets(a=80, b=8), r"b has \d unrelated human pictures for training, and 10 are needed"),
        (
            of_sets(a=80, b=20).assign(group=lambda rows: rows["id"].str.replace("-b-", "-a-")),
            r"without a and what is related to it there are human pictures in 0 of 2 slices",
        ),
    ],
)  # fmt: skip
def test_a_set_too_small_to_hold_out_is_refused(pictures: pd.DataFrame, message: str) -> None:
    with pytest.raises(RealartError, match=message) as raised:
        assign(pictures, SETS)
    assert "\n" not in str(raised.value)
    assign(pictures, SETS.model_copy(update={"method": "random"}))


def test_equal_folder_names_in_two_sets_are_two_sources() -> None:
    pictures = pd.concat([of_sources(1, 1), of_sources(1, 1)], ignore_index=True)
    pictures["set"] = np.repeat(["a", "b"], 60)
    pictures["id"] = pictures["group"] = pictures["set"] + pictures["id"]
    split = PARAMS.split.model_copy(update={"method": "sources", "folds": 2})
    table = assign(pictures, split)
    train = table[table["part"] == "train"]
    assert (train.groupby("set")["fold"].nunique() == 1).all()
    assert train["fold"].nunique() == 2
