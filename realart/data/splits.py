"""Splits: the test part, and the fold and slice of other pictures. Groups are never split.

Test groups are drawn by the hash of their id. A picture added later therefore changes the part of
others only where the share of a stratum (class and source) grows or shrinks by it: of at most one
picture in each stratum, if none is related to another. Folds and slices are assigned anew.
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
"""Fewest unrelated pictures of each class in a set that is held out."""


def assign(pictures: pd.DataFrame, split: Split) -> pd.DataFrame:
    """Assign part, fold and slice to every row of `pictures` (columns `tables.PICTURES`).

    Returns
    -------
    DataFrame
        Columns `tables.SPLIT`, in the order of `pictures`. `part` is `train`, `test` or `unused`
        (published training pictures that are related to a published test picture); `fold` and
        `slice` count from 0 in the training part and are -1 elsewhere. With `split.method` sources,
        pictures that are related to one of another source are `unused`, too. With sets, folds that
        hold out a set follow from the column `set`; here they are only checked to be large enough.

    Raises
    ------
    RealartError
        A class has too few pictures for the test part, or for the folds and slices, or
        `split.method` is published and the set has no published test part.
    """
    columns = ["id", "set", "group", "label", "source", "generator", "style"]
    table = pictures[columns].sort_values("id")
    table["stratum"] = _strata(table, split)
    table["part"] = (
        _published_parts(pictures) if split.method == "published" else _drawn_parts(table, split)
    )
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
    table.loc[train.index, "fold"] = deal_folds(
        train["stratum"], train["unit"], split.folds, split.seed
    )
    for _, cell in table.loc[train.index].groupby("fold"):
        table.loc[cell.index, "slice"] = _slices(cell, split)
    _check_cells(table.loc[train.index], split)
    if split.method == "sets":
        _check_sets(table.loc[train.index], split)
    return table.loc[pictures.index, list(SPLIT)]


def _strata(pictures: pd.DataFrame, split: Split) -> "pd.Series[str]":
    """Return strata of class, set and source; one too small for every fold joins its parent."""
    strata = fine = pictures["label"]
    for column in ("set", "source"):
        fine = fine + "/" + pictures[column]
        groups = pictures.groupby(fine)["group"].transform("nunique")
        strata = fine.where(groups >= 2 * split.folds, strata)
    return strata


def _published_parts(pictures: pd.DataFrame) -> "pd.Series[str]":
    """Return the part of each picture as published, and `unused` for relatives of test pictures."""
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
    """Return the unit of each picture that is held out as a whole: generator, style or folder.

    Units of one name in both classes are held out together: of `ai/wikiart` and `human/wikiart`,
    apart, a model would learn who published a picture. In a class of one source the units are
    groups.
    """
    named = table["generator"].where(table["generator"] != "", table["style"])
    named = named.where(named != "", _short_folders(table))
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


def _short_folders(table: pd.DataFrame) -> "pd.Series[str]":
    """Return the folder of each picture without the parts that all folders of its class have."""
    names = {}
    folders = table["set"] + "/" + table["source"]
    for label, sources in folders.groupby(table["label"]):
        parts = {source: source.split("/") for source in sources.unique()}
        shared = set.intersection(*map(set, parts.values()))
        for source, own in parts.items():
            names[label, source] = "/".join(part for part in own if part not in shared)
    keys = zip(table["label"], folders, strict=True)
    return pd.Series([names[key] for key in keys], table.index)


def _drawn_parts(table: pd.DataFrame, split: Split) -> "pd.Series[str]":
    """Draw whole groups into the test part until each stratum has its share.

    The rest of a share, left by rounding or a large group, is carried to the next stratum.
    """
    part = pd.Series("train", table.index)
    owner = table.drop_duplicates("group").set_index("group")["stratum"]
    sizes = table["group"].value_counts().to_dict()
    carried = 0.0
    for stratum, groups in owner.groupby(owner):
        names = sorted(groups.index, key=lambda group: _draw(split.seed, group))
        wanted = carried + split.test_size * (table["stratum"] == stratum).sum()
        chosen, count = [], 0
        for name in names:
            if count + sizes[name] <= round(wanted):
                chosen.append(name)
                count += sizes[name]
        part[table["group"].isin(chosen)] = "test"
        carried = wanted - count
    return part


def deal_folds(
    strata: "pd.Series[str]", units: "pd.Series[str]", folds: int, seed: int
) -> "np.typing.NDArray[np.int64]":
    """Deal n pictures into folds, evenly by stratum, without splitting a unit.

    Parameters
    ----------
    strata, units
        The stratum and the unit (a group, or a whole source) of each picture; length n.
    folds
        The number of folds, at most that of units in a stratum for each fold to have one.
    seed
        Of the order in which units are dealt.

    Returns
    -------
    NDArray
        The fold of each picture, from 0; int64, shape (n,).
    """
    fold_of = np.empty(len(strata), np.int64)
    splitter = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        # A class is large enough (_check_size), and a small source may be in few folds.
        warnings.filterwarnings("ignore", "The least populated class")
        parts = splitter.split(np.zeros(len(strata)), strata, units)
        for number, (_, held_out) in enumerate(parts):
            fold_of[held_out] = number
    return fold_of


def _slices(cell: pd.DataFrame, split: Split) -> "pd.Series[int]":
    """Assign the groups of a fold to slices, large ones first, each class of each set evenly."""
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
    """Raise if a set is too small to be held out, or the others are too small to train on."""
    for name, own in train.groupby("set"):
        others = train[~train["group"].isin(own["group"])]
        for label in CLASSES:
            groups = own.loc[own["label"] == label, "group"].nunique()
            if groups < LEAST:
                raise RealartError(
                    f"split.method is sets, but {name} has {groups} unrelated {label} pictures for "
                    f"training, and {LEAST} are needed to hold it out: leave it out of "
                    "dataset, or set split.method=random"
                )
            slices = others.loc[others["label"] == label, "slice"].nunique()
            if slices < split.slices:
                raise RealartError(
                    f"split.method is sets, but without {name} and what is related to it there are "
                    f"{label} pictures in {slices} of {split.slices} slices: add pictures, or "
                    "lower split.slices"
                )
