"""A fold of cross-validation: the rows that it is fitted and scored on, and its files."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from realart.core import paths, tables
from realart.core.errors import RealartError
from realart.core.tables import Positions
from realart.metrics import classification
from realart.metrics.classification import Figures, Labels, Scores
from realart.params import Balance

EpochRecord = dict[str, float]
"""Figures of an epoch: epoch, phase, loss, accuracy, val_loss, val_accuracy."""
EpochCallback = Callable[[EpochRecord], None]
"""Called with the record of every epoch."""
FoldCallback = Callable[[int], EpochCallback]
"""Called with the number of a fold that begins; returns the callback of its epochs."""


@dataclass(frozen=True)
class FoldTrainer:
    """A function that trains the folds of a recipe, and what identifies its code.

    Attributes
    ----------
    train
        Takes the numbers of folds, a folder, and a callback for each fold that begins. Yields each
        fold when its own folder in there is complete, with its model and the files of `write`;
        folds that are trained in parallel are yielded when all are complete.
    module
        Name of the module whose code, with params and data, decides the models.
    backend
        Keras's backend, where that decides too.
    """

    train: Callable[[Sequence[int], Path, FoldCallback], Iterator[int]]
    module: str
    backend: str = ""


@dataclass(frozen=True)
class FoldIndices:
    """Positions of the rows of a fold, by their use.

    Attributes
    ----------
    fit
        Rows that a network is fitted on.
    val
        Rows of the validation slice, for early stopping.
    held_out
        Rows that are scored.
    fit_all
        Rows that a model without early stopping is fitted on: `fit` and the validation slice.
    """

    fit: Positions
    val: Positions
    held_out: Positions
    fit_all: Positions


@dataclass(frozen=True)
class FoldResult:
    """The result of a fold.

    Attributes
    ----------
    history
        A row for each `EpochRecord`.
    scores
        Columns `tables.SCORES`, of its held-out rows.
    figures
        Metrics of these scores.
    """

    history: pd.DataFrame
    scores: pd.DataFrame
    figures: Figures


def fold_indices(
    rows: pd.DataFrame, fold: int, slices: int, held_out_set: str | None = None
) -> FoldIndices:
    """Divide rows (columns `tables.ROWS`) for a fold, or for a fold that holds out a whole set.

    The validation slice differs from fold to fold, so that some model is fitted on every picture.
    Copies of validation or held-out pictures are in no part, nor are near-duplicates of pictures
    of a held-out set.
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
    labels: Labels, fit: Positions, balance: Balance, sets: NDArray[Any] | None = None
) -> NDArray[np.float32]:
    """Compute the weight of each row in the loss: float32, shape (n,).

    Weights are 1, unless `balance.method` is `class_weight`: then they balance the classes of the
    rows at `fit`. If these are of several `sets`, shape (n,), weights balance each class of each
    set, under `augment` too, whose copies balance classes within a set only: neither class nor set
    can be guessed.
    """
    weights = np.ones(len(labels), np.float32)
    several = sets is not None and len(np.unique(sets[fit])) > 1
    if balance.method == "class_weight" or (several and balance.method == "augment"):
        cells = labels if sets is None else _cells(labels, sets)
        weights[fit] = class_weights(cells[fit])
    return weights


def _cells(labels: Labels, sets: NDArray[Any]) -> Labels:
    """Number each class of each set."""
    return 2 * np.unique(sets, return_inverse=True)[1] + labels


def class_weights(classes: Labels) -> NDArray[np.float32]:
    """Compute weights that balance classes: float32, shape (n,)."""
    counts = np.bincount(classes)
    shares = len(classes) / (np.count_nonzero(counts) * np.maximum(counts, 1))
    return shares[classes].astype(np.float32)


def write(held_out: pd.DataFrame, scores: Scores, records: list[EpochRecord], folder: Path) -> None:
    """Write the scores of the held-out rows of a fold, and its history.

    Raises
    ------
    RealartError
        The score of a row is not a number.
    """
    if not (finite := np.isfinite(scores)).all():
        file = paths.DATA / held_out["file"].iloc[int(np.argmin(finite))]
        raise RealartError(
            f"the score of {file} is not a number, as its features are out of any range: remove "
            "it, or lower the recipe's learning rate"
        )
    table = held_out[["row", "label"]].assign(score=scores)
    tables.write(table, folder / "scores.csv", tables.SCORES)
    pd.DataFrame(records).to_csv(folder / "history.csv", index=False)


def read(folder: Path) -> FoldResult:
    """Read the result of a fold from the folder that `write` wrote."""
    scores = tables.read(folder / "scores.csv", tables.SCORES)
    figures = classification.figures(tables.is_ai(scores["label"]), scores["score"].to_numpy())
    return FoldResult(pd.read_csv(folder / "history.csv"), scores, figures)
