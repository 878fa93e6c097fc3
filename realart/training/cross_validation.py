"""Cross-validation of a recipe: a folder for each fold; an interrupted training is resumed.

Unfinished trainings lie in `.realart/checkpoints`, under a key of everything that decides the
weights.
"""

import json
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from hashlib import sha256
from itertools import chain, count
from pathlib import Path
from uuid import uuid4

from filelock import FileLock, Timeout

from realart.core import code, damage
from realart.core.errors import RealartError
from realart.core.hashing import SHORT, short_digest
from realart.core.outputs import fresh_directory, fresh_file
from realart.core.project import private
from realart.metrics import classification
from realart.metrics.classification import Figures
from realart.params import Params
from realart.training import checkpoints, folds
from realart.training.folds import FoldCallback, FoldResult, FoldTrainer


def resume_key(params: Params, trainer: FoldTrainer, rows: Path, features: Path) -> str:
    """Compute a digest of all that decides the weights: params, input, code and backend."""
    inputs = {
        "recipe": params.recipe.model_dump(),
        "train": params.train.model_dump(exclude={"checkpoint_seconds"}),
        "split": [params.split.folds, params.split.slices, params.held_out_sets],
        "balance": params.balance.method,
        "backend": trainer.backend,
        "files": short_digest([rows, *sorted(features.iterdir())]),
        "code": code.digests(trainer.module),
    }
    return sha256(json.dumps(inputs).encode()).hexdigest()[:SHORT]


@contextmanager
def checkpoint_folder(key: str) -> Iterator[Path]:
    """Lock and yield the folder in which a training is resumed; it may not exist yet.

    An equal training at the same time gets another folder: experiments of one project share these
    folders, and may differ in later stages only.
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


def training_id(folder: Path) -> str:
    """Return the id of the training in `folder`, which it keeps when it is resumed."""
    file = folder / "id"
    if file.is_file() and not re.fullmatch("[0-9a-f]{32}", file.read_text("utf-8", "replace")):
        damage.put_aside(file, "no id of a training")
    if not file.is_file():
        with fresh_file(file) as beside:
            beside.write_text(uuid4().hex)
    return file.read_text()


def train(
    params: Params, trainer: FoldTrainer, folder: Path, on_fold: FoldCallback
) -> Iterator[tuple[int, FoldResult]]:
    """Train all folds that are not in `folder` yet, and yield each fold with its result.

    Folds that an interrupted training has finished come first. `on_fold` is called with the number
    of each fold that begins.
    """
    finished = [fold for fold in params.all_folds if _is_finished(folder / f"{fold}")]
    remaining = [fold for fold in params.all_folds if fold not in finished]
    if resumed := _resumed(finished, remaining, folder):
        print(f"train: going on from {resumed}", flush=True)
    for fold in chain(finished, trainer.train(remaining, folder, on_fold)):
        yield fold, folds.read(folder / f"{fold}")


def _is_finished(folder: Path) -> bool:
    """Return whether a fold was trained; what is left of a damaged one is put aside."""
    if not folder.is_dir():
        return False
    try:
        folds.read(folder)
    except (RealartError, FileNotFoundError, *damage.ERRORS) as error:
        damage.put_aside(folder, error)
        return False
    return True


def _resumed(finished: Sequence[int], remaining: Sequence[int], folder: Path) -> str:
    """Return where an interrupted training is resumed, in words; empty if it begins anew.

    Folds that were trained in parallel have a checkpoint each.
    """
    epochs = {fold: checkpoints.epoch(checkpoints.file(folder, fold)) for fold in remaining}
    begun = [f"fold {fold}, epoch {epoch}" for fold, epoch in epochs.items() if epoch is not None]
    if begun or not (finished and remaining):
        return "; ".join(begun)
    return f"fold {remaining[0]}"


def publish(params: Params, folder: Path, output: Path) -> None:
    """Copy the finished folds of a training from `folder` to the new folder `output`."""
    with fresh_directory(output) as beside:
        for fold in params.all_folds:  # a killed run leaves more beside them
            shutil.copytree(folder / f"{fold}", beside / f"{fold}")


def fold_line(params: Params, fold: int, result: FoldResult) -> str:
    """Format the result of a fold as a line."""
    history, figures = result.history, result.figures
    values = [f"{name}={history[name].iloc[0]:g}" for name in params.recipe.tuned]
    fitted = f"{len(history)} epochs" if params.recipe.uses_keras else " ".join(values)
    held_out = f"held out {params.held_out_sets.get(fold, '')}".rstrip()
    return (
        f"fold {fold}: {fitted}; {held_out} ({len(result.scores)}): "
        f"accuracy {figures['accuracy']:.3f}, auc {figures['auc']:.3f}"
    )


def summary(params: Params, figures: list[Figures]) -> str:
    """Format mean and standard deviation of the held-out figures of folds as a line."""
    cv = classification.over_folds(figures[: params.split.folds])
    return (
        f"train: {params.model} on {params.dataset}, mean of {params.split.folds} folds, each on "
        "what it held out, not yet calibrated: "
        + ", ".join(
            f"{name} {cv[name]['mean']:.3f} ± {cv[name]['std']:.3f}" for name in ("accuracy", "auc")
        )
    )
