"""A fold: the rows it learns from, is stopped by and is judged on, and what it writes.

Nothing here needs Keras: `realart.head_folds` and `realart.network_folds` learn.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from realart import evaluation, tables
from realart.evaluation import Figures, Labels, Scores
from realart.params import Balance
from realart.tables import Positions

Record = dict[str, float]
"""One epoch: epoch, phase, loss, accuracy, val_loss, val_accuracy."""
Hear = Callable[[Record], None]
"""Hears of every epoch."""
Begin = Callable[[int], Hear]
"""Called when a fold is about to begin: returns what hears of its epochs."""


@dataclass(frozen=True)
class Learner:
    """What learns the folds of a recipe.

    Attributes
    ----------
    learn
        Takes folds, a folder and what is called when one begins. Yields each fold when the folder
        has one of its name, with its model and what `write` writes; of several that are learnt at
        once, when all are there.
    code
        Files that decide, with params and data, what is learnt.
    backend
        Of Keras, where that decides, too.
    """

    learn: Callable[[Sequence[int], Path, Begin], Iterator[int]]
    code: Sequence[str]
    backend: str = ""


@dataclass(frozen=True)
class Parts:
    """Which rows a fold is fitted on, stopped by and judged on.

    `learnt` are those that are fitted on where nothing is watched.
    """

    fit: Positions
    watch: Positions
    held_out: Positions
    learnt: Positions


@dataclass(frozen=True)
class Learnt:
    """What a fold has come to.

    Its history, a row for each `Record`; its held-out rows, columns `tables.SCORES`; their figures.
    """

    history: pd.DataFrame
    scores: pd.DataFrame
    figures: Figures


def parts(rows: pd.DataFrame, fold: int, slices: int, held_out_set: str | None = None) -> Parts:
    """Divide rows (columns `tables.ROWS`) for one fold, or for one that holds out a whole set.

    The watched slice differs from fold to fold, so that no picture is kept from all models. Copies
    of watched or held-out pictures are in no part, nor what is related to a picture of a held-out
    set.
    """
    train = rows["part"] == "train"
    published = rows["operation"] == ""
    if held_out_set is None:
        held_out = train & (rows["fold"] == fold)
        others = train & ~held_out
    else:
        held_out = train & (rows["set"] == held_out_set)
        others = train & ~rows["group"].isin(rows.loc[held_out, "group"])
    watched = others & (rows["slice"] == fold % slices)
    return Parts(
        fit=np.flatnonzero(rows["fit"] & others & ~watched),
        watch=np.flatnonzero(watched & published),
        held_out=np.flatnonzero(held_out & published),
        learnt=np.flatnonzero(rows["fit"] & others),
    )


def weights(
    labels: Labels, learnt: Positions, balance: Balance, sets: NDArray[Any] | None = None
) -> NDArray[np.float32]:
    """Return what each row counts in the loss, shape (n,), float32.

    1, but where `balance.method` is `class_weight`: both classes of `learnt` then count the same.
    Where `learnt` are of several `sets`, shape (n,), each class of each set does, under `augment`,
    too, whose copies make classes equal within a set: neither class nor set can be guessed.
    """
    weights = np.ones(len(labels), np.float32)
    several = sets is not None and len(np.unique(sets[learnt])) > 1
    if balance.method == "class_weight" or (several and balance.method == "augment"):
        cells = labels if sets is None else _cells(labels, sets)
        weights[learnt] = class_weights(cells[learnt])
    return weights


def _cells(labels: Labels, sets: NDArray[Any]) -> Labels:
    """Number each class of each set."""
    return 2 * np.unique(sets, return_inverse=True)[1] + labels


def class_weights(classes: Labels) -> NDArray[np.float32]:
    """Return a weight for each row, by which all classes count the same: float32, shape (n,)."""
    counts = np.bincount(classes)
    shares = len(classes) / (np.count_nonzero(counts) * np.maximum(counts, 1))
    return shares[classes].astype(np.float32)


def write(held_out: pd.DataFrame, scores: Scores, records: list[Record], folder: Path) -> None:
    """Write what a fold says of its held-out rows, and its history."""
    table = held_out[["row", "label"]].assign(score=scores)
    tables.write(table, folder / "scores.csv", tables.SCORES)
    pd.DataFrame(records).to_csv(folder / "history.csv", index=False)


def read(folder: Path) -> Learnt:
    """Read what `write` wrote."""
    scores = tables.read(folder / "scores.csv", tables.SCORES)
    figures = evaluation.figures(tables.is_ai(scores["label"]), scores["score"].to_numpy())
    return Learnt(pd.read_csv(folder / "history.csv"), scores, figures)
