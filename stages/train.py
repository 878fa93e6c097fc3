"""What a recipe is trained on -> models/folds: for each fold its model, history and scores.

The model is a head, or the weights of what is trained of a network: where rows are what a frozen
part says, of the tail.
"""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from itertools import chain, count
from pathlib import Path
from uuid import uuid4

from filelock import FileLock, Timeout

from realart import errors, evaluation, folds, head_folds, live, params, tracking
from realart.evaluation import Figures
from realart.folds import Hear, Learner
from realart.live import Live
from realart.outputs import fresh_directory, fresh_file
from realart.params import Network, Params
from realart.project import private

ROWS = Path("data/balanced/rows.csv")
FEATURES = Path("data/features")
FOLDS = Path("models/folds")


def main() -> None:
    knobs = params.load()
    if isinstance(knobs.recipe, Network):
        from realart import network_folds  # Keras takes seconds to import

        with network_folds.learner(knobs, knobs.recipe, ROWS, FEATURES) as learner:
            train(knobs, learner)
    else:
        train(knobs, head_folds.learner(knobs, knobs.recipe, ROWS, FEATURES))


def train(knobs: Params, learner: Learner) -> None:
    """Train all folds that no interrupted run has finished, and tell MLflow."""
    key = key_of(knobs, learner)
    every = range(knobs.split.folds + len(knobs.held_out_sets))
    figures: dict[int, Figures] = {}
    with unfinished_of(key) as unfinished:
        run = tracking.training(knobs, tracking.fingerprint([ROWS]), key, id_of(unfinished))
        left = [fold for fold in every if not (unfinished / f"{fold}").is_dir()]
        finished = [fold for fold in every if fold not in left]
        with live.told(run) as told:
            learnt = learner.learn(left, unfinished, lambda fold: begun(fold, told))
            for fold in chain(finished, learnt):
                figures[fold] = ended(knobs, fold, unfinished, told)
            with fresh_directory(FOLDS) as folder:
                for fold in every:  # a killed run leaves more beside them
                    shutil.copytree(unfinished / f"{fold}", folder / f"{fold}")
            told.outcome = tracking.outcome_of(FOLDS)
        shutil.rmtree(unfinished)
    cv = evaluation.over_folds([figures[fold] for fold in range(knobs.split.folds)])
    print(
        f"train: {knobs.model} on {knobs.dataset}, {knobs.split.folds} folds, held out: "
        + ", ".join(
            f"{name} {cv[name]['mean']:.3f} ± {cv[name]['std']:.3f}" for name in ("accuracy", "auc")
        )
    )


def key_of(knobs: Params, learner: Learner) -> str:
    """Name everything that decides the weights: an interrupted training goes on under this key."""
    files: list[Path | str] = [ROWS, *sorted(FEATURES.iterdir()), *learner.code, __file__]
    decides = {
        "recipe": knobs.recipe.model_dump(),
        "train": knobs.train.model_dump(exclude={"checkpoint_seconds"}),
        "split": [knobs.split.folds, knobs.split.slices, knobs.held_out_sets],
        "balance": knobs.balance.method,
        "backend": learner.backend,
        "files": tracking.fingerprint(files),
    }
    return sha256(json.dumps(decides).encode()).hexdigest()[:16]


@contextmanager
def unfinished_of(key: str) -> Iterator[Path]:
    """Hold the folder in which a training goes on; one that runs beside an equal one has another.

    Experiments of one project share these folders: what differs may come after `train`.
    """
    top = private() / "checkpoints"
    for folder in chain(sorted(top.glob(f"{key}-*/")), (top / f"{key}-{n}" for n in count())):
        lock = FileLock(folder.with_suffix(".lock"))
        with suppress(Timeout):
            lock.acquire(blocking=False)
            break
    try:
        yield folder
    finally:
        if not folder.exists():
            Path(lock.lock_file).unlink()
        lock.release()


def id_of(unfinished: Path) -> str:
    """Tell a training from all others, equal ones included; one that goes on keeps its id."""
    file = unfinished / "id"
    if not file.is_file():
        with fresh_file(file) as beside:
            beside.write_text(uuid4().hex)
    return file.read_text()


def begun(fold: int, told: Live) -> Hear:
    """Tell that a fold has begun; return what tells of its epochs."""
    told.say(tracking.Said(tracking.now(), fold))
    return lambda record: told.say(tracking.epoch(fold, record))


def ended(knobs: Params, fold: int, unfinished: Path, told: Live) -> Figures:
    """Tell what a fold has come to, and return its held-out figures."""
    learnt = folds.read(unfinished / f"{fold}")
    history, figures = learnt.history, learnt.figures
    told.say(*tracking.fold_ended(fold, history, figures))
    if isinstance(knobs.recipe, Network):
        how = f"{len(history)} epochs"
    else:
        how = " ".join(f"{name}={history[name].iloc[0]:g}" for name in knobs.recipe.head.grid)
    held_out = f"held out {knobs.held_out_sets.get(fold, '')}".rstrip()
    print(
        f"fold {fold}: {how}; {held_out} ({len(learnt.scores)}): "
        f"accuracy {figures['accuracy']:.3f}, auc {figures['auc']:.3f}"
    )
    return figures


if __name__ == "__main__":
    errors.run(main)
