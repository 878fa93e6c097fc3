"""What MLflow could not be told, kept in `.realart/unsent` until `realart send` sends it.

In a folder for each outcome: what its training has still to say, and a folder for each evaluation
with all that its run is made from.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import chdir
from pathlib import Path

from realart import live, params, record, store, tracking
from realart.outputs import fresh_directory
from realart.params import Params
from realart.project import root
from realart.store import UnusableError

NEEDED = (
    Path("params.yaml"),
    record.LOCK,
    record.SOURCE,
    record.ROWS,
    record.FOLDS,
    record.FINAL,
    record.METRICS,
)
"""What `record.log` reads."""


def log(knobs: Params) -> str:
    """Log the run that lies in the workspace, or keep it; say what became of it."""
    place = live.unsent() / tracking.outcome_of(record.FOLDS)
    try:
        with store.used():
            _send_training(place)
            return record.log(knobs, record.training_of(knobs))
    except UnusableError as error:
        _keep_run(knobs, place / f"{tracking.now()}")
        return (
            f"the run is kept, since MLflow at {store.named()} can't be used ({error.reason}): "
            "`realart send` sends it"
        )


def send() -> Iterator[str]:
    """Log all that is kept, and yield what became of each run.

    Raises
    ------
    UnusableError
        The store can't be used; what it was not told stays kept.
    """
    os.environ.setdefault("DVC_ROOT", str(root()))  # also in the folders of runs
    for place in sorted(live.unsent().glob("*")):
        with store.used():
            _send_training(place)
            for folder in sorted(place.glob("[0-9]*")):
                yield _send_run(folder)
                shutil.rmtree(folder)
        shutil.rmtree(place)


def _send_training(place: Path) -> None:
    """Log what a training has still to say, if there is something."""
    file = place / live.WAITING
    if file.is_file():
        training, waiting = live.kept(file)
        runs = tracking.Runs(store.connect(), training)
        if not runs.complete(place.name):
            for said in waiting:
                runs.log(said)
        file.unlink()


def _keep_run(knobs: Params, folder: Path) -> None:
    with fresh_directory(folder) as beside:
        for path in filter(Path.exists, NEEDED):
            (beside / path).parent.mkdir(parents=True, exist_ok=True)
            copy = shutil.copytree if path.is_dir() else shutil.copyfile
            copy(path, beside / path)
        live.keep(beside / live.WAITING, record.training_of(knobs), [])


def _send_run(folder: Path) -> str:
    training, _ = live.kept(folder / live.WAITING)
    with chdir(folder):
        return f"{training.name}: {record.log(params.load(), training)}"
