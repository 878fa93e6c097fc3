"""Folds of a head: fitted on all rows of the other folds, in this process, without Keras."""

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from realart import calibration, evaluation, folds, heads, tables, vectors
from realart.folds import Begin, Learner
from realart.outputs import fresh_directory
from realart.params import Classifier, Params

CODE = (
    calibration.__file__, evaluation.__file__, folds.__file__, heads.__file__, vectors.__file__,
    __file__,
)  # fmt: skip


def learner(knobs: Params, recipe: Classifier, rows: Path, features: Path) -> Learner:
    """Return what learns the folds of a recipe, for each `head.npz`.

    `rows` is a table `tables.ROWS`; `features` the folder of what is known of its rows.
    """
    return Learner(partial(_learn, knobs, recipe, rows, features), CODE)


def _learn(
    knobs: Params,
    recipe: Classifier,
    rows: Path,
    features: Path,
    left: Sequence[int],
    folder: Path,
    begin: Begin,
) -> Iterator[int]:
    described = vectors.rows(features)
    inputs, widths = np.concatenate(described, axis=1), [one.shape[1] for one in described]
    table = tables.read(rows, tables.ROWS)
    labels, sets = tables.is_ai(table["label"]), table["set"].to_numpy()
    for fold in left:
        begin(fold)
        parts = folds.parts(table, fold, knobs.split.slices, knobs.held_out_sets.get(fold))
        learnt = parts.learnt
        given = heads.Rows(
            vectors=inputs[learnt],
            labels=labels[learnt],
            weights=folds.weights(labels, learnt, knobs.balance, sets)[learnt],
            groups=table["group"].to_numpy()[learnt],
            published=(table["operation"] == "").to_numpy()[learnt],
        )
        head, record = heads.fit(recipe.head, given, widths, knobs.train.seed)
        with fresh_directory(folder / f"{fold}") as beside:
            head.save(beside / "head.npz")
            scores = head.scores(inputs[parts.held_out])
            folds.write(table.loc[parts.held_out], scores, [record], beside)
        yield fold
