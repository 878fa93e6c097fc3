"""What a recipe is trained on -> models/folds: for each fold weights, history and scores.

The weights are those of what is trained: where rows are what a frozen part says, of the tail.
"""

import json
import shutil
from dataclasses import replace
from functools import partial
from hashlib import sha256
from pathlib import Path

import numpy as np
import pandas as pd
from mlflow import MlflowClient

from realart import (
    backend,
    errors,
    evaluation,
    frozen,
    params,
    recipes,
    tables,
    tracking,
    training,
)
from realart.backend import keras
from realart.evaluation import Figures
from realart.outputs import fresh_directory
from realart.params import Params, Recipe
from realart.project import private
from realart.training import Data

ROWS = Path("data/balanced/rows.csv")
FEATURES = Path("data/features")
FOLDS = Path("models/folds")
CODE = [Path(name) for name in (recipes.__file__, frozen.__file__, training.__file__, __file__)]


def main() -> None:
    knobs = params.load()
    backend.prepare(knobs.train)
    recipes.preflight(knobs.recipe, frozen.kept_backbone(FEATURES))
    client = tracking.connect()
    rows = tables.read(ROWS, tables.ROWS)
    labels = tables.is_ai(rows["label"])
    data = Data(frozen.rows(FEATURES), labels, np.ones(len(rows), np.float32))
    key = key_of(knobs)
    parent = tracking.start(client, knobs, tracking.fingerprint([ROWS]), key)
    unfinished = private() / "checkpoints" / key
    try:
        folds = [
            finished_fold(knobs, rows, data, fold, unfinished, client, parent)
            for fold in range(knobs.split.folds)
        ]
        with fresh_directory(FOLDS) as folder:
            for fold in range(knobs.split.folds):  # a killed run leaves more beside them
                shutil.copytree(unfinished / f"{fold}", folder / f"{fold}")
    except BaseException:
        tracking.end(client, parent, None)
        raise
    tracking.end(client, parent, tracking.outcome_of(FOLDS))
    shutil.rmtree(unfinished)
    cv = evaluation.over_folds(folds)
    print(
        f"train: {knobs.model} on {knobs.dataset}, {knobs.split.folds} folds, held out: "
        + ", ".join(
            f"{name} {cv[name]['mean']:.3f} ± {cv[name]['std']:.3f}" for name in ("accuracy", "auc")
        )
    )


def trained_part(recipe: Recipe) -> keras.Model:
    """Build what is trained of a recipe's network."""
    return frozen.network(recipe, FEATURES)[1]


def key_of(knobs: Params) -> str:
    """Name everything that decides the weights: an interrupted training goes on under this key."""
    decides = {
        "recipe": knobs.recipe.model_dump(),
        "train": knobs.train.model_dump(exclude={"checkpoint_seconds"}),
        "split": [knobs.split.folds, knobs.split.slices],
        "balance": knobs.balance.method,
        "backend": backend.keras.config.backend(),
        "files": tracking.fingerprint([ROWS, *sorted(FEATURES.iterdir()), *CODE]),
    }
    return sha256(json.dumps(decides).encode()).hexdigest()[:16]


def finished_fold(
    knobs: Params,
    rows: pd.DataFrame,
    data: Data,
    fold: int,
    unfinished: Path,
    client: MlflowClient,
    parent: str,
) -> Figures:
    """Train a fold, unless an interrupted run has finished it; return its held-out figures."""
    parts = training.parts(rows, fold, knobs.split.slices)
    labels = data.labels[parts.held_out]
    folder = unfinished / f"{fold}"
    if not folder.is_dir():
        if knobs.balance.method == "class_weight":
            weights = data.weights.copy()
            weights[parts.fit] = training.class_weights(data.labels[parts.fit])
            data = replace(data, weights=weights)
        child = tracking.start_fold(client, parent, fold)
        checkpoint = unfinished / f"{fold}.npz"
        model, records = training.train_fold(
            partial(trained_part, knobs.recipe), knobs.recipe, knobs.train, data, parts, fold,
            checkpoint,
            partial(tracking.log_epoch, client, child),
        )  # fmt: skip
        scores = training.predict(model, knobs.recipe, data, parts.held_out)
        with fresh_directory(folder) as beside:
            model.save_weights(beside / "best.weights.h5")
            pd.DataFrame(records).to_csv(beside / "history.csv", index=False)
            held_out = rows.loc[parts.held_out, ["row", "label"]].assign(score=scores)
            tables.write(held_out, beside / "scores.csv", tables.SCORES)
        checkpoint.unlink(missing_ok=True)
    history = pd.read_csv(folder / "history.csv")
    scores = tables.read(folder / "scores.csv", tables.SCORES)["score"].to_numpy()
    figures = evaluation.figures(labels, scores)
    tracking.log_fold(client, parent, fold, history, figures)
    print(
        f"fold {fold}: {len(history)} epochs on {len(parts.fit)} rows; held out "
        f"({len(labels)}): accuracy {figures['accuracy']:.3f}, auc {figures['auc']:.3f}"
    )
    return figures


if __name__ == "__main__":
    errors.run(main)
