"""What MLflow could not be told, kept in `.realart/unsent` until `realart send` sends it.

In a folder for each outcome: what trainings have still to say, and a folder for each evaluation
with all that its run is made from.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import chdir, suppress
from pathlib import Path

from filelock import FileLock

from realart.core import paths
from realart.core.errors import RealartError
from realart.core.outputs import fresh_directory
from realart.core.project import private, root
from realart.data import raw
from realart.params import Params, load_params
from realart.tracking import background_logger, mlflow_runs, run_log, store
from realart.tracking.mlflow_runs import TrainingRecord
from realart.tracking.store import StoreUnavailableError

NEEDED = (
    Path("params.yaml"),
    run_log.LOCK,
    paths.ROWS,
    paths.FOLDS,
    paths.FINAL,
    paths.METRICS,
)
"""What `run_log.log` reads, beside the record of each set."""
TRAINING = "training.json"
"""Of a kept run: what it is called, and made from."""


def log(params: Params) -> str:
    """Log the run that lies in the workspace, or keep it; say what became of it."""
    place, training = (
        background_logger.unsent() / mlflow_runs.outcome_of(paths.FOLDS),
        run_log.training_of(params),
    )
    try:
        with store.used():
            with _sending():
                _send_trainings(place)
                _leave(place)
            return run_log.log(params, training)
    except StoreUnavailableError as error:
        _keep_run(training, place / f"{training.began}-{training.id}")
        return (
            f"the run is kept, since MLflow at {store.named()} can't be used ({error.reason}): "
            "`realart send` sends it"
        )


def send() -> Iterator[str]:
    """Log all that is kept, and yield what became of each run.

    Raises
    ------
    RealartError
        The store can't be used, or refused something. What it was not told stays kept.
    """
    os.environ.setdefault("DVC_ROOT", str(root()))  # also in the folders of runs
    refusals: list[RealartError] = []
    with _sending():
        if places := sorted(background_logger.unsent().glob("*")):
            store.connect()
        for place in places:
            try:
                with store.used():
                    _send_trainings(place)
                    for folder in sorted(place.glob("[0-9]*")):
                        said = _send_run(folder)
                        shutil.rmtree(folder)
                        yield said
            except RealartError as error:
                refusals.append(error)
                continue
            _leave(place)
    if refusals:
        raise refusals[0]


def _sending() -> FileLock:
    """Keep other processes from sending the same."""
    return FileLock(private() / "send.lock")


def _send_trainings(place: Path) -> None:
    """Log what trainings of one outcome have still to say."""
    for file in place.glob("*.json"):
        training, waiting = background_logger.load(file)
        runs = mlflow_runs.Runs(store.connect(), training)
        if not runs.complete(place.name):
            for said in waiting:
                runs.log(said)
        file.unlink(missing_ok=True)


def _leave(place: Path) -> None:
    """Remove a folder from which all is sent."""
    with suppress(OSError):  # something more is kept there, or it never was
        place.rmdir()


def _keep_run(training: TrainingRecord, folder: Path) -> None:
    with fresh_directory(folder) as beside:
        for path in filter(Path.exists, (*NEEDED, *raw.record_files(paths.RAW))):
            (beside / path).parent.mkdir(parents=True, exist_ok=True)
            copy = shutil.copytree if path.is_dir() else shutil.copyfile
            copy(path, beside / path)
        background_logger.save(beside / TRAINING, training, [])


def _send_run(folder: Path) -> str:
    training, _ = background_logger.load(folder / TRAINING)
    with chdir(folder):
        return f"{training.name}: {run_log.log(load_params(), training)}"
