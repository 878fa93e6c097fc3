"""Balancing of classes by augmented copies from which the class can't be guessed.

Within each slice of each fold, in each set, the smaller class gets as many copies as it lacks, and
as many pictures of the larger class are replaced by copies of themselves: then both classes are
equally large and have equally many copies, so that traces of augmentation predict no label. Unequal
sizes of sets are left to weights (`folds.weights`).

Deliveries are further copies, equally many of every row that is fitted on: shrunk and saved with
losses, as pictures that are sent on, so that a model learns what survives that.
"""

from dataclasses import replace
from hashlib import sha256

import numpy as np
import pandas as pd

from realart.core.tables import ROWS
from realart.data.augmentation import Operation
from realart.data.perturbations import Change
from realart.params import Balance

FOLDER = "balanced/pictures"
"""Folder of augmented copies, relative to data/."""


def plan(
    published: pd.DataFrame, split: pd.DataFrame, balance: Balance, suffix: str
) -> pd.DataFrame:
    """Return all rows of the data set: its pictures, and the copies to be made of them.

    Parameters
    ----------
    published, split
        Columns `tables.PICTURES` and `tables.SPLIT`, the same ids in the same order.
    balance
        The method, and the ranges of operations.
    suffix
        The suffix of the files of copies.

    Returns
    -------
    DataFrame
        Columns `tables.ROWS`: a row for each picture of the training and test part, in their
        order, then one for each augmented copy and for each delivery. Under `augment`, the rows of
        a set to be fitted on (`fit`) are exactly as many of each class in each slice of each fold
        where it has both.
    """
    rows = published[["id", "set", "label", "group", "file"]].join(split[["part", "fold", "slice"]])
    rows = rows.rename(columns={"id": "row"})[rows["part"] != "unused"]
    rows["picture"] = rows["row"]
    rows["operation"] = ""
    rows["fit"] = rows["part"] == "train"
    if balance.method == "augment":
        sources: list[int] = []
        for _, cell in rows[rows["fit"]].groupby(["set", "fold", "slice"]):
            if cell["label"].nunique() > 1:
                replaced, copied = _equalise(cell, balance.seed)
                rows.loc[replaced, "fit"] = False
                sources += copied
        rows = pd.concat([rows, _copies(rows.loc[sources], balance, suffix)])
    deliveries = [
        _deliveries(rows[rows["fit"]], n, balance, suffix) for n in range(balance.deliveries)
    ]
    return pd.concat([rows, *deliveries])[list(ROWS)].reset_index(drop=True)


def _equalise(cell: pd.DataFrame, seed: int) -> tuple[list[int], list[int]]:
    """Return the rows of a cell that copies replace, and the source row of every copy."""
    by_size = sorted((list(rows.index) for _, rows in cell.groupby("label")), key=len)
    smaller, larger = by_size
    lacking = len(larger) - len(smaller)
    generator = np.random.default_rng([seed, *cell[["fold", "slice"]].iloc[0]])
    replaced = generator.permutation(larger)[:lacking].tolist()
    order = generator.permutation(smaller).tolist()
    return replaced, replaced + [order[i % len(order)] for i in range(lacking)]


def _copies(sources: pd.DataFrame, balance: Balance, suffix: str) -> pd.DataFrame:
    """Return the rows of an augmented copy of each of `sources`, which may repeat."""
    copies = sources.copy()
    number = copies.groupby("picture").cumcount() + 1
    copies["row"] = copies["picture"] + "-" + number.astype(str)
    copies["operation"] = [str(_draw(row, balance)) for row in copies["row"]]
    copies["fit"] = True
    copies["file"] = [f"{FOLDER}/{row}{suffix}" for row in copies["row"]]
    return copies


def _deliveries(rows: pd.DataFrame, number: int, balance: Balance, suffix: str) -> pd.DataFrame:
    """Return the rows of one delivery of each of `rows`."""
    copies = rows.copy()
    copies["row"] = rows["row"] + f"-delivery{number + 1}"
    copies["operation"] = [
        str(
            replace(Operation.parse(text) if text else Operation(), changes=_delivery(row, balance))
        )
        for row, text in zip(copies["row"], rows["operation"], strict=True)
    ]
    copies["file"] = [f"{FOLDER}/{row}{suffix}" for row in copies["row"]]
    return copies


def _draw(row: str, balance: Balance) -> Operation:
    """Draw an operation by the copy's own name, so that other pictures don't change it."""
    generator = _generator(row, balance)
    rotation, zoom, brightness = generator.uniform(-1, 1, 3)
    flips = generator.integers(0, 2, 2).astype(bool)
    return Operation(
        round(float(rotation * balance.rotation), 2),
        round(float(1 + zoom * balance.zoom), 4),
        round(float(1 + brightness * balance.brightness), 4),
        bool(flips[0] and balance.horizontal_flip),
        bool(flips[1] and balance.vertical_flip),
    )


def _delivery(row: str, balance: Balance) -> tuple[Change, ...]:
    """Draw the changes of a delivery: lossy saving, for half after shrinking.

    Half of those that are shrunk are enlarged again.
    """
    generator = _generator(row, balance)
    size = generator.choice(["", "shrink", "resize"], p=[0.5, 0.25, 0.25])
    encoding = generator.choice(["jpeg", "webp"], p=[2 / 3, 1 / 3])
    factor, quality = generator.uniform(0.5, 1), generator.integers(60, 96)
    saved = Change(str(encoding), int(quality))
    return (Change(str(size), round(float(factor), 3)), saved) if size else (saved,)


def _generator(row: str, balance: Balance) -> np.random.Generator:
    seed = int.from_bytes(sha256(row.encode()).digest()[:8], "big")
    return np.random.default_rng([balance.seed, seed])
