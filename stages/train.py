"""What a recipe is trained on -> models/folds: for each fold its model, history and scores.

The model is a head, or the weights of what is trained of a network: where rows are what a frozen
part says, of the tail.
"""

import json
import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from uuid import uuid4

import numpy as np
import pandas as pd

from realart import (
    at_once,
    backend,
    devices,
    errors,
    evaluation,
    frozen,
    heads,
    layers,
    live,
    params,
    recipes,
    tables,
    tracking,
    training,
    vectors,
    windows,
)
from realart.errors import RealartError
from realart.evaluation import Figures, Scores
from realart.live import Live
from realart.outputs import fresh_directory, fresh_file
from realart.params import Classifier, Network, Params
from realart.project import private
from realart.training import Data, Record

ROWS = Path("data/balanced/rows.csv")
FEATURES = Path("data/features")
FOLDS = Path("models/folds")
ALONE = "--one-fold"
CODE = [
    Path(name)
    for name in (
        backend.__file__,
        layers.__file__,
        recipes.__file__,
        frozen.__file__,
        vectors.__file__,
        heads.__file__,
        training.__file__,
        windows.__file__,
        __file__,
    )
]


def main() -> None:
    knobs = params.load()
    found, needed = devices.visible(), 0
    if isinstance(knobs.recipe, Network):
        needed = knobs.train.devices
        backend.may_spread(needed, knobs.recipe.batch_size)
    several = found if needed and len(found) >= 2 * needed else []
    with devices.held(0 if several else needed, "train"):
        train(knobs, several)


def train(knobs: Params, several: Sequence[str]) -> None:
    """Train all folds, in this process or, where devices allow, at once in others."""
    backend.prepare(knobs.train)
    if isinstance(knobs.recipe, Network) and not several:
        backend.spread(knobs.train.devices)
    inputs = frozen.rows(FEATURES)
    if isinstance(knobs.recipe, Network):
        recipes.preflight(knobs.recipe, frozen.kept_backbone(FEATURES), inputs[0].shape[-1])
    rows = tables.read(ROWS, tables.ROWS)
    data = data_of(knobs, rows, inputs)
    key = key_of(knobs)
    unfinished = private() / "checkpoints" / key
    run = tracking.training(knobs, tracking.fingerprint([ROWS]), key, id_of(unfinished))
    with live.told(run) as told:
        if several:
            learn_at_once(knobs, several, unfinished, told)
        folds = [
            finished_fold(knobs, rows, data, fold, unfinished, told)
            for fold in range(knobs.split.folds)
        ]
        with fresh_directory(FOLDS) as folder:
            for fold in range(knobs.split.folds):  # a killed run leaves more beside them
                shutil.copytree(unfinished / f"{fold}", folder / f"{fold}")
        told.outcome = tracking.outcome_of(FOLDS)
    shutil.rmtree(unfinished)
    cv = evaluation.over_folds(folds)
    print(
        f"train: {knobs.model} on {knobs.dataset}, {knobs.split.folds} folds, held out: "
        + ", ".join(
            f"{name} {cv[name]['mean']:.3f} ± {cv[name]['std']:.3f}" for name in ("accuracy", "auc")
        )
    )


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


def id_of(unfinished: Path) -> str:
    """Tell a training from all others, equal ones included; one that goes on keeps its id."""
    file = unfinished / "id"
    if not file.is_file():
        with fresh_file(file) as beside:
            beside.write_text(uuid4().hex)
    return file.read_text()


def data_of(knobs: Params, rows: pd.DataFrame, inputs: windows.Rows) -> Data:
    """Return what all folds share."""
    labels, weights = tables.is_ai(rows["label"]), np.ones(len(rows), np.float32)
    return Data(inputs, labels, weights, knobs.train.window_gigabytes)


def learn_at_once(knobs: Params, several: Sequence[str], unfinished: Path, told: Live) -> None:
    """Train the folds that are not finished, each in a process of its own: `learn_alone`."""
    recipe, code = knobs.recipe, tracking.fingerprint(CODE)
    assert isinstance(recipe, Network)
    shared = {"knobs": knobs.model_dump_json(), "unfinished": str(unfinished), "code": code}

    def begin(fold: int) -> tuple[at_once.Job, Callable[[Record], None]]:
        return {**shared, "fold": fold}, begun(fold, told)

    left = [fold for fold in range(knobs.split.folds) if not (unfinished / f"{fold}").is_dir()]
    epochs = recipe.epochs + (recipe.fine_tune.epochs if recipe.fine_tune else 0)
    command = [sys.executable, "-m", "stages.train", ALONE]
    at_once.train(command, left, begin, several, knobs.train.devices, epochs)


def learn_alone() -> None:
    """Train the one fold that `learn_at_once` has started this process for."""
    job, say = at_once.job()
    if job["code"] != tracking.fingerprint(CODE):
        raise RealartError("the code was changed while folds were trained")
    knobs = Params.model_validate_json(job["knobs"])
    backend.prepare(knobs.train)
    backend.spread(knobs.train.devices)
    rows = tables.read(ROWS, tables.ROWS)
    data = data_of(knobs, rows, frozen.rows(FEATURES))
    assert isinstance(knobs.recipe, Network)
    learn_network(knobs, knobs.recipe, rows, data, job["fold"], Path(job["unfinished"]), say)


def begun(fold: int, told: Live) -> Callable[[Record], None]:
    """Tell that a fold has begun; return what tells of its epochs."""
    told.say(tracking.Said(tracking.now(), fold))
    return lambda record: told.say(tracking.epoch(fold, record))


def finished_fold(
    knobs: Params, rows: pd.DataFrame, data: Data, fold: int, unfinished: Path, told: Live
) -> Figures:
    """Train a fold, unless an interrupted run has finished it; return its held-out figures."""
    folder = unfinished / f"{fold}"
    if not folder.is_dir():
        recipe, on_epoch = knobs.recipe, begun(fold, told)
        if isinstance(recipe, Network):
            learn_network(knobs, recipe, rows, data, fold, unfinished, on_epoch)
        else:
            learn_head(knobs, recipe, rows, data, fold, unfinished)
    history = pd.read_csv(folder / "history.csv")
    scores = tables.read(folder / "scores.csv", tables.SCORES)
    figures = evaluation.figures(tables.is_ai(scores["label"]), scores["score"].to_numpy())
    told.say(*tracking.fold_ended(fold, history, figures))
    if isinstance(knobs.recipe, Network):
        how = f"{len(history)} epochs"
    else:
        how = " ".join(f"{name}={history[name].iloc[0]:g}" for name in knobs.recipe.head.grid)
    print(
        f"fold {fold}: {how}; held out ({len(scores)}): "
        f"accuracy {figures['accuracy']:.3f}, auc {figures['auc']:.3f}"
    )
    return figures


def learn_network(
    knobs: Params,
    recipe: Network,
    rows: pd.DataFrame,
    data: Data,
    fold: int,
    unfinished: Path,
    on_epoch: Callable[[Record], None],
) -> None:
    """Train the network of a fold, or what of it is not frozen, and write it with its scores."""
    parts = training.parts(rows, fold, knobs.split.slices)
    data = weighted(knobs, data, parts.fit)
    checkpoint = unfinished / f"{fold}.npz"
    model, records = training.train_fold(
        lambda: frozen.network(recipe, FEATURES)[1], recipe, knobs.train, data, parts, fold,
        checkpoint, on_epoch,
    )  # fmt: skip
    scores = training.predict(model, recipe, data, parts.held_out)
    with fresh_directory(unfinished / f"{fold}") as beside:
        model.save_weights(beside / "best.weights.h5")
        write_scores(rows.loc[parts.held_out], scores, records, beside)
    checkpoint.unlink(missing_ok=True)


def learn_head(
    knobs: Params, recipe: Classifier, rows: pd.DataFrame, data: Data, fold: int, unfinished: Path
) -> None:
    """Fit the head of a fold on all rows of the other folds, and write it with its scores."""
    learnt = np.flatnonzero(rows["fit"] & (rows["fold"] != fold))
    data = weighted(knobs, data, learnt)
    (inputs,) = data.inputs
    head, record = heads.fit(
        recipe.head,
        heads.Rows(
            vectors=inputs[learnt],
            labels=data.labels[learnt],
            weights=data.weights[learnt],
            groups=rows["group"].to_numpy()[learnt],
            published=(rows["operation"] == "").to_numpy()[learnt],
        ),
        [one.shape[1] for one in vectors.rows(FEATURES)],
        knobs.train.seed,
    )
    held_out = training.parts(rows, fold, knobs.split.slices).held_out
    with fresh_directory(unfinished / f"{fold}") as beside:
        head.save(beside / "head.npz")
        write_scores(rows.loc[held_out], head.scores(inputs[held_out]), [record], beside)


def weighted(knobs: Params, data: Data, learnt: windows.Positions) -> Data:
    """Weigh the rows that are learnt from as `balance.method` asks for."""
    if knobs.balance.method != "class_weight":
        return data
    weights = data.weights.copy()
    weights[learnt] = training.class_weights(data.labels[learnt])
    return replace(data, weights=weights)


def write_scores(
    held_out: pd.DataFrame, scores: Scores, records: list[Record], folder: Path
) -> None:
    """Write what a fold says of its held-out rows, and its history."""
    table = held_out[["row", "label"]].assign(score=scores)
    tables.write(table, folder / "scores.csv", tables.SCORES)
    pd.DataFrame(records).to_csv(folder / "history.csv", index=False)


if __name__ == "__main__":
    errors.run(learn_alone if ALONE in sys.argv else main)
