"""Cross-validation of a network, or of its trainable part.

Folds are trained one after the other or, on several devices, in parallel processes, each of which
runs this module as a program.
"""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pandas as pd

from realart.core import code, devices, errors, tables
from realart.core.errors import RealartError
from realart.core.outputs import fresh_directory
from realart.features import feature_store, frozen_backbone, vectors
from realart.networks import backend, builder, stored_weights
from realart.networks.backend import keras
from realart.params import NetworkRecipe, Params
from realart.training import checkpoints, fold_training, folds, parallel_folds
from realart.training.fold_training import TrainingData
from realart.training.folds import EpochCallback, FoldCallback, FoldTrainer

MODULE = "realart.training.cv_network"
"""The name of this module, also where it is run as `__main__`."""
WEIGHTS = "best.weights.h5"


@contextmanager
def fold_trainer(
    params: Params, recipe: NetworkRecipe, rows: Path, features: Path
) -> Iterator[FoldTrainer]:
    """Yield the trainer of the folds of a recipe, which writes the best `WEIGHTS` of each.

    Devices are held while the context lasts.

    Parameters
    ----------
    rows
        A table with the columns `tables.ROWS`.
    features
        The folder of pixels, activations or feature vectors of these rows.

    Raises
    ------
    RealartError
        The recipe can't be built, there are too few devices, or a feature is not finite.
    """
    vectors.require_finite(features, rows)
    found, count = devices.visible(), params.train.devices
    backend.check_devices(count, recipe.batch_size)
    parallel = len(found) >= 2 * count
    with devices.reserve(0 if parallel else count, "train"):
        _prepare(params)
        if parallel:
            train = partial(_train_in_parallel, params, recipe, rows, features, found)
        else:
            backend.distribute(count)
            train = partial(_train, params, recipe, rows, features)
        width = feature_store.read(features)[0].shape[-1]
        builder.preflight(recipe, frozen_backbone.load_backbone(features), width)
        yield FoldTrainer(train, MODULE, keras.config.backend())


def load_members(
    params: Params, recipe: NetworkRecipe, features: Path, trained: Sequence[Path]
) -> Iterator[keras.Model]:
    """Load and yield the whole network of each of the folders `trained`.

    `fold_trainer` wrote them. A device is held until the last network has been yielded.
    """
    with devices.reserve(1, "evaluate"):
        _prepare(params)
        for folder in trained:
            yield frozen_backbone.load_trained(recipe, features, folder / WEIGHTS)


def _prepare(params: Params) -> None:
    train = params.train
    backend.prepare(train.seed, deterministic=train.deterministic, precision=train.precision)


def _train(
    params: Params,
    recipe: NetworkRecipe,
    rows: Path,
    features: Path,
    remaining: Sequence[int],
    folder: Path,
    on_fold: FoldCallback,
) -> Iterator[int]:
    table = tables.read(rows, tables.ROWS)
    for fold in remaining:
        _train_fold(params, recipe, table, features, fold, folder, on_fold(fold))
        yield fold


def _train_in_parallel(
    params: Params,
    recipe: NetworkRecipe,
    rows: Path,
    features: Path,
    found: Sequence[str],
    remaining: Sequence[int],
    folder: Path,
    on_fold: FoldCallback,
) -> Iterator[int]:
    job = {
        "params": params.model_dump_json(),
        "rows": f"{rows}",
        "features": f"{features}",
        "folder": f"{folder}",
        "code": code.digests(MODULE),
    }
    parallel_folds.train(
        [sys.executable, "-m", MODULE],
        remaining,
        lambda fold: ({**job, "fold": fold}, on_fold(fold)),
        found,
        params.train.devices,
        recipe.total_epochs,
    )
    yield from remaining


def _run_job() -> None:
    """Train the fold for which `_train_in_parallel` has started this process."""
    job, on_epoch = parallel_folds.receive_job()
    if job["code"] != code.digests(MODULE):
        raise RealartError("the code was changed while folds were trained")
    params = Params.model_validate_json(job["params"])
    assert isinstance(params.recipe, NetworkRecipe)
    _prepare(params)
    backend.distribute(params.train.devices)
    rows, features, folder = (Path(job[name]) for name in ("rows", "features", "folder"))
    table = tables.read(rows, tables.ROWS)
    _train_fold(params, params.recipe, table, features, job["fold"], folder, on_epoch)


def _train_fold(
    params: Params,
    recipe: NetworkRecipe,
    rows: pd.DataFrame,
    features: Path,
    fold: int,
    folder: Path,
    on_epoch: EpochCallback,
) -> None:
    labels, held_out_set = tables.is_ai(rows["label"]), params.held_out_sets.get(fold)
    indices = folds.fold_indices(rows, fold, params.split.slices, held_out_set)
    weights = folds.weights(labels, indices.fit, params.balance, rows["set"].to_numpy())
    data = TrainingData(
        feature_store.read(features), labels, weights, params.train.window_gigabytes
    )
    checkpoint = checkpoints.file(folder, fold)
    model, records = fold_training.train_fold(
        lambda: frozen_backbone.network(recipe, features)[1],
        recipe,
        params.train,
        data,
        indices,
        fold,
        checkpoint,
        on_epoch,
    )
    scores = fold_training.predict(model, recipe, data, indices.held_out)
    with fresh_directory(folder / f"{fold}") as beside:
        stored_weights.save(model, beside / WEIGHTS)
        folds.write(rows.loc[indices.held_out], scores, records, beside)
    checkpoint.unlink(missing_ok=True)


if __name__ == "__main__":
    errors.run(_run_job)
