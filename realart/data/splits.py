"""Which pictures test, and which fold and slice the others belong to. Groups are never split.

Test groups are drawn by the hash of their name. A picture added later therefore changes the part of
others only where the share of a stratum (class and source) grows or shrinks by it: if none is
related to another, of at most one picture in each stratum. Folds and slices are dealt anew.
"""

import warnings
from hashlib import sha256

import numpy as np
import pandas as pd
from sklearn.model_selection import StratifiedGroupKFold

from realart.core.errors import RealartError
from realart.core.tables import SPLIT
from realart.params import CLASSES, Split

LEAST = 10
"""Unrelated pictures of each class that a set must have to be held out."""


def assign(pictures: pd.DataFrame, split: Split) -> pd.DataFrame:
    """Assign part, fold and slice to every row of `pictures` (columns `tables.PICTURES`).

    Returns
    -------
    DataFrame
        Columns `tables.SPLIT`, in the order of `pictures`. `part` is `train`, `test` or `unused`
        (published training pictures that are related to a published test picture); `fold` and
        `slice` count from 0 in the training part and are -1 elsewhere. With `split.method` sources,
        pictures that are related to one of another source are `unused`, too. Folds of sets are
        those of column `set`; here they are only known to be large enough.

    Raises
    ------
    RealartError
        A class has too few pictures for the test part, or for the folds and slices, or the set has
        no published test part although `split.method` asks for it.
    """
    columns = ["id", "set", "group", "label", "source", "generator", "style"]
    table = pictures[columns].sort_values("id")
    table["stratum"] = _strata(table, split)
    table["part"] = _published(pictures) if split.method == "published" else _drawn(table, split)
    table["fold"] = table["slice"] = -1
    table["unit"] = table["group"]
    if split.method == "sources":
        table["unit"] = _units(table, split)
        several = table.groupby("group")["unit"].transform("nunique") > 1
        table.loc[several & (table["part"] == "train"), "part"] = "unused"
    train = table[table["part"] == "train"].copy()
    train["stratum"] = train["label"] if split.method == "sources" else _strata(train, split)
    _check_size(train, split)
    _check_test(table, split)
    table.loc[train.index, "fold"] = _folds(train, split)
    for _, cell in table.loc[train.index].groupby("fold"):
        table.loc[cell.index, "slice"] = _slices(cell, split)
    _check_cells(table.loc[train.index], split)
    if split.method == "sets":
        _check_sets(table.loc[train.index], split)
    return table.loc[pictures.index, list(SPLIT)]


def _strata(pictures: pd.DataFrame, split: Split) -> "pd.Series[str]":
    """Class, set and source; what is too small to be in every fold counts as what is above it."""
    strata = fine = pictures["label"]
    for column in ("set", "source"):
        fine = fine + "/" + pictures[column]
        groups = pictures.groupby(fine)["group"].transform("nunique")
        strata = fine.where(groups >= 2 * split.folds, strata)
    return strata


def _published(pictures: pd.DataFrame) -> "pd.Series[str]":
    part = pictures["published_part"]
    for name in CLASSES:
        if not ((part == "test") & (pictures["label"] == name)).any():
            raise RealartError(
                f"split.method is published, but the dataset marks no {name} picture as test: "
                "set split.method=random, or the dataset's `fields`"
            )
    tested = set(pictures.loc[part == "test", "group"])
    related = (part != "test") & pictures["group"].isin(tested)
    return part.where(part == "test", "train").mask(related, "unused")


def _units(table: pd.DataFrame, split: Split) -> "pd.Series[str]":
    """Return what is held out as one: a generator, else a style, else a folder, of each picture.

    What has one name in both classes is held out together: of `ai/wikiart` and `human/wikiart`,
    apart, a model would learn who published a picture. A class of one source has nothing to hold
    out; its groups are dealt as they are otherwise.
    """
    named = table["generator"].where(table["generator"] != "", table["style"])
    named = named.where(named != "", _told_apart(table))
    counts = {name: int(named[table["label"] == name].nunique()) for name in CLASSES}
    if max(counts.values()) == 1:
        raise RealartError(
            "split.method is sources, but each class has one folder, and the dataset names no "
            "generators: set split.method=random, or the dataset's `fields`"
        )
    for name, count in counts.items():
        if 1 < count < split.folds:
            raise RealartError(
                f"class {name} has {count} sources, split.folds is {split.folds}: with "
                f"split.method=sources set split.folds={count} or fewer"
            )
    single = table["label"].map(counts) == 1
    return named.where(~single, table["group"])


def _told_apart(table: pd.DataFrame) -> "pd.Series[str]":
    """Return the folder of each picture without the parts that every folder of its class has."""
    names = {}
    folders = table["set"] + "/" + table["source"]
    for label, sources in folders.groupby(table["label"]):
        parts = {source: source.split("/") for source in sources.unique()}
        shared = set.intersection(*map(set, parts.values()))
        for source, own in parts.items():
            names[label, source] = "/".join(part for part in own if part not in shared)
    keys = zip(table["label"], folders, strict=True)
    return pd.Series([names[key] for key in keys], table.index)


def _drawn(table: pd.DataFrame, split: Split) -> "pd.Series[str]":
    """Draw whole groups into the test part until each stratum has its share.

    What rounding or a large group leaves of a share is owed to the next stratum.
    """
    part = pd.Series("train", table.index)
    owner = table.drop_duplicates("group").set_index("group")["stratum"]
    sizes = table["group"].value_counts().to_dict()
    owed = 0.0
    for stratum, groups in owner.groupby(owner):
        names = sorted(groups.index, key=lambda group: _draw(split.seed, group))
        wanted = owed + split.test_size * (table["stratum"] == stratum).sum()
        chosen, taken = [], 0
        for name in names:
            if taken + sizes[name] <= round(wanted):
                chosen.append(name)
                taken += sizes[name]
        part[table["group"].isin(chosen)] = "test"
        owed = wanted - taken
    return part


def _folds(train: pd.DataFrame, split: Split) -> "np.typing.NDArray[np.int64]":
    folds = np.empty(len(train), np.int64)
    splitter = StratifiedGroupKFold(split.folds, shuffle=True, random_state=split.seed)
    with warnings.catch_warnings():
        # A class is large enough (_check_size); that a small source is in few folds is no news.
        warnings.filterwarnings("ignore", "The least populated class")
        parts = splitter.split(np.zeros(len(train)), train["stratum"], train["unit"])
        for number, (_, held_out) in enumerate(parts):
            folds[held_out] = number
    return folds


def _slices(cell: pd.DataFrame, split: Split) -> "pd.Series[int]":
    """Deal the groups of one fold onto slices, large ones first, each class of each set evenly."""
    table = cell.groupby(["group", "set", "label"]).size().unstack(["set", "label"], fill_value=0)
    sizes = dict(zip(table.index, table.to_numpy(), strict=True))
    order = sorted(sizes, key=lambda name: (-sizes[name].sum(), _draw(split.seed, name)))
    filled = np.zeros((split.slices, table.shape[1]), np.int64)
    slice_of = {}
    for group in order:
        own = sizes[group]
        slice_of[group] = int(filled[:, own > 0].sum(1).argmin())
        filled[slice_of[group]] += own
    return cell["group"].map(slice_of)


def _draw(seed: int, group: str) -> str:
    return sha256(f"{seed}:{group}".encode()).hexdigest()


def _check_test(table: pd.DataFrame, split: Split) -> None:
    tested = set(table.loc[table["part"] == "test", "label"])
    for name in CLASSES:
        if name not in tested:
            raise RealartError(
                f"the test part would have no {name} picture: raise split.test_size "
                f"({split.test_size}), or add {name} pictures that are not related"
            )


def _check_size(train: pd.DataFrame, split: Split) -> None:
    for name in CLASSES:
        groups = train.loc[train["label"] == name, "group"].nunique()
        needed = split.folds * split.slices
        if groups < needed:
            raise RealartError(
                f"class {name} has {groups} unrelated pictures for training; split.folds x "
                f"split.slices ({split.folds} x {split.slices}) need {needed}: add pictures, or "
                "lower split.folds or split.slices"
            )


def _check_cells(train: pd.DataFrame, split: Split) -> None:
    cells = train.groupby(["fold", "slice"])["label"].nunique()
    if len(cells) < split.folds * split.slices or (cells < len(CLASSES)).any():
        raise RealartError(
            "the pictures form too few or too large groups to have both classes in each of "
            f"{split.folds} folds x {split.slices} slices: lower split.folds or split.slices, or "
            "raise clean.similar"
        )


def _check_sets(train: pd.DataFrame, split: Split) -> None:
    """Raise if a set is too small to be held out, or if too little is left to learn from then."""
    for name, own in train.groupby("set"):
        others = train[~train["group"].isin(own["group"])]
        for label in CLASSES:
            groups = own.loc[own["label"] == label, "group"].nunique()
            if groups < LEAST:
                raise RealartError(
                    f"split.method is sets, but {name} has {groups} unrelated {label} pictures for "
                    f"training, and {LEAST} are needed to say anything of a set: leave it out of "
                    "dataset, or set split.method=random"
                )
            slices = others.loc[others["label"] == label, "slice"].nunique()
            if slices < split.slices:
                raise RealartError(
                    f"split.method is sets, but without {name} and what is related to it there are "
                    f"{label} pictures in {slices} of {split.slices} slices: add pictures, or "
                    "lower split.slices"
                )
