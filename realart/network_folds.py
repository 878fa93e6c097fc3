"""Folds of a network, or of what of it is not frozen: one after the other or, where devices allow,
at once, in processes of their own, which this module is run as.
"""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pandas as pd

from realart import (
    at_once,
    backend,
    devices,
    errors,
    evaluation,
    folds,
    frozen,
    layers,
    recipes,
    tables,
    tracking,
    training,
    vectors,
    windows,
)
from realart.errors import RealartError
from realart.folds import Begin, Hear, Learner
from realart.outputs import fresh_directory
from realart.params import Network, Params
from realart.training import Data

CODE = (
    backend.__file__, evaluation.__file__, folds.__file__, frozen.__file__, layers.__file__,
    recipes.__file__, training.__file__, vectors.__file__, windows.__file__, __file__,
)  # fmt: skip


@contextmanager
def learner(knobs: Params, recipe: Network, rows: Path, features: Path) -> Iterator[Learner]:
    """Yield what learns the folds of a recipe, for each `best.weights.h5`; devices are held for it.

    `rows` is a table `tables.ROWS`; `features` the folder of what is known of its rows.

    Raises
    ------
    RealartError
        The recipe can't be built, or there are not the devices that it asks for.
    """
    found, count = devices.visible(), knobs.train.devices
    backend.may_spread(count, recipe.batch_size)
    several = found if len(found) >= 2 * count else []
    with devices.held(0 if several else count, "train"):
        backend.prepare(knobs.train)
        if several:
            learn = partial(_learn_at_once, knobs, recipe, rows, features, several)
        else:
            backend.spread(count)
            learn = partial(_learn, knobs, recipe, rows, features)
        numbers = frozen.rows(features)[0].shape[-1]
        recipes.preflight(recipe, frozen.kept_backbone(features), numbers)
        yield Learner(learn, CODE, backend.keras.config.backend())


def _learn(
    knobs: Params,
    recipe: Network,
    rows: Path,
    features: Path,
    left: Sequence[int],
    folder: Path,
    begin: Begin,
) -> Iterator[int]:
    table = tables.read(rows, tables.ROWS)
    for fold in left:
        _learn_fold(knobs, recipe, table, features, fold, folder, begin(fold))
        yield fold


def _learn_at_once(
    knobs: Params,
    recipe: Network,
    rows: Path,
    features: Path,
    several: Sequence[str],
    left: Sequence[int],
    folder: Path,
    begin: Begin,
) -> Iterator[int]:
    shared = {
        "knobs": knobs.model_dump_json(), "rows": f"{rows}", "features": f"{features}",
        "folder": f"{folder}", "code": tracking.fingerprint(CODE),
    }  # fmt: skip
    command = [sys.executable, "-m", __name__]
    epochs = recipe.epochs + (recipe.fine_tune.epochs if recipe.fine_tune else 0)
    at_once.train(
        command, left, lambda fold: ({**shared, "fold": fold}, begin(fold)), several,
        knobs.train.devices, epochs,
    )  # fmt: skip
    yield from left


def _learn_alone() -> None:
    """Learn the one fold that `_learn_at_once` has started this process for."""
    job, say = at_once.job()
    if job["code"] != tracking.fingerprint(CODE):
        raise RealartError("the code was changed while folds were trained")
    knobs = Params.model_validate_json(job["knobs"])
    assert isinstance(knobs.recipe, Network)
    backend.prepare(knobs.train)
    backend.spread(knobs.train.devices)
    rows, features, folder = (Path(job[name]) for name in ("rows", "features", "folder"))
    table = tables.read(rows, tables.ROWS)
    _learn_fold(knobs, knobs.recipe, table, features, job["fold"], folder, say)


def _learn_fold(
    knobs: Params,
    recipe: Network,
    rows: pd.DataFrame,
    features: Path,
    fold: int,
    folder: Path,
    on_epoch: Hear,
) -> None:
    labels, held_out_set = tables.is_ai(rows["label"]), knobs.held_out_sets.get(fold)
    parts = folds.parts(rows, fold, knobs.split.slices, held_out_set)
    weights = folds.weights(labels, parts.fit, knobs.balance, rows["set"].to_numpy())
    data = Data(frozen.rows(features), labels, weights, knobs.train.window_gigabytes)
    checkpoint = folder / f"{fold}.npz"
    model, records = training.train_fold(
        lambda: frozen.network(recipe, features)[1], recipe, knobs.train, data, parts, fold,
        checkpoint, on_epoch,
    )  # fmt: skip
    scores = training.predict(model, recipe, data, parts.held_out)
    with fresh_directory(folder / f"{fold}") as beside:
        model.save_weights(beside / "best.weights.h5")
        folds.write(rows.loc[parts.held_out], scores, records, beside)
    checkpoint.unlink(missing_ok=True)


if __name__ == "__main__":
    errors.run(_learn_alone)
