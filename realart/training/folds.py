"""A fold of cross-validation: the rows it is fitted and scored on, and what it writes."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from realart.core import tables
from realart.core.tables import Positions
from realart.metrics import classification
from realart.metrics.classification import Figures, Labels, Scores
from realart.params import Balance

EpochRecord = dict[str, float]
"""One epoch: epoch, phase, loss, accuracy, val_loss, val_accuracy."""
EpochCallback = Callable[[EpochRecord], None]
"""Called with the record of every epoch."""
FoldCallback = Callable[[int], EpochCallback]
"""Called with the number of a fold that begins; returns what is called with each of its epochs."""


@dataclass(frozen=True)
class FoldTrainer:
    """What trains the folds of a recipe.

    Attributes
    ----------
    train
        Takes the numbers of folds, a folder, and what is called when a fold begins. Yields each
        fold when its own folder in there is complete, with its model and what `write` writes; of
        folds that are trained in parallel, when all are complete.
    module
        Name of the module whose code decides, with params and data, what is trained.
    backend
        Of Keras, where that decides, too.
    """

    train: Callable[[Sequence[int], Path, FoldCallback], Iterator[int]]
    module: str
    backend: str = ""


@dataclass(frozen=True)
class FoldIndices:
    """Positions of the rows that a fold is fitted on, stopped early by, and scored on.

    `fit_all` are those that are fitted on where nothing is stopped early: `fit` and the rows of
    the validation slice.
    """

    fit: Positions
    val: Positions
    held_out: Positions
    fit_all: Positions


@dataclass(frozen=True)
class FoldResult:
    """What a fold has written.

    Its history, a row for each `EpochRecord`; its held-out rows, columns `tables.SCORES`; their
    figures.
    """

    history: pd.DataFrame
    scores: pd.DataFrame
    figures: Figures


def fold_indices(
    rows: pd.DataFrame, fold: int, slices: int, held_out_set: str | None = None
) -> FoldIndices:
    """Divide rows (columns `tables.ROWS`) for one fold, or for one that holds out a whole set.

    The validation slice differs from fold to fold, so that every picture is fitted on by some
    model. Copies of validation or held-out pictures are in no part, nor what is related to a
    picture of a held-out set.
    """
    train = rows["part"] == "train"
    published = rows["operation"] == ""
    if held_out_set is None:
        held_out = train & (rows["fold"] == fold)
        others = train & ~held_out
    else:
        held_out = train & (rows["set"] == held_out_set)
        others = train & ~rows["group"].isin(rows.loc[held_out, "group"])
    in_slice = others & (rows["slice"] == fold % slices)
    return FoldIndices(
        fit=np.flatnonzero(rows["fit"] & others & ~in_slice),
        val=np.flatnonzero(in_slice & published),
        held_out=np.flatnonzero(held_out & published),
        fit_all=np.flatnonzero(rows["fit"] & others),
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


def write(held_out: pd.DataFrame, scores: Scores, records: list[EpochRecord], folder: Path) -> None:
    """Write what a fold says of its held-out rows, and its history."""
    table = held_out[["row", "label"]].assign(score=scores)
    tables.write(table, folder / "scores.csv", tables.SCORES)
    pd.DataFrame(records).to_csv(folder / "history.csv", index=False)


def read(folder: Path) -> FoldResult:
    """Read what `write` wrote."""
    scores = tables.read(folder / "scores.csv", tables.SCORES)
    figures = classification.figures(tables.is_ai(scores["label"]), scores["score"].to_numpy())
    return FoldResult(pd.read_csv(folder / "history.csv"), scores, figures)
