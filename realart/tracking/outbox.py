"""What could not be logged, kept in `.realart/unsent` until `realart send` logs it.

Beside the trainings of an outcome (`kept_trainings`) lies a folder for each evaluation, with a copy
of all that its run is made from: DVC's cache may be cleaned, and the folder of a temporary
experiment goes.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import chdir, suppress
from pathlib import Path

from filelock import FileLock

from realart.core import damage, paths
from realart.core.errors import RealartError
from realart.core.outputs import fresh_directory
from realart.core.project import private, root
from realart.data import raw
from realart.params import Params, load_params
from realart.tracking import evaluation_runs, kept_trainings, store, training_runs
from realart.tracking.store import StoreUnavailableError
from realart.tracking.training_runs import TrainingRecord, TrainingRuns

INPUTS = (
    Path("params.yaml"),
    evaluation_runs.LOCK,
    paths.ROWS,
    paths.FOLDS,
    paths.FINAL,
    paths.METRICS,
)
"""What an evaluation is logged from, beside the record of each set."""
RECORD = "training.json"
"""In the folder of an evaluation: the `TrainingRecord` of its run."""


def log_or_keep(params: Params) -> str:
    """Log the evaluation that lies in the workspace, or keep it if the store can't be used.

    What is kept of its training is logged first. Returns what became of it, a sentence for people.
    """
    folder = kept_trainings.folder_of(training_runs.outcome_fingerprint(paths.FOLDS))
    record = evaluation_runs.workspace_record(params)
    try:
        with store.translated_errors():
            with _send_lock():
                _send_trainings(folder)
                _remove_if_empty(folder)
            return evaluation_runs.log_evaluation(params, record)
    except StoreUnavailableError as error:
        _keep_evaluation(record, folder / f"{record.began}-{record.id}")
        return (
            f"the run is kept, since MLflow at {store.redacted_uri()} can't be used "
            f"({error.reason}): `realart send` sends it"
        )


def send() -> Iterator[str]:
    """Log all that is kept; yield for each evaluation what became of it, a sentence for people.

    Raises
    ------
    RealartError
        The store can't be used, or refused something: the first refusal, when all else is logged.
        What was not logged stays kept, what is damaged as `*.damaged`.
    """
    os.environ.setdefault("DVC_ROOT", str(root()))  # also in the folders of evaluations
    refusals: list[RealartError] = []
    with _send_lock():
        if folders := sorted(kept_trainings.top().glob("*")):
            store.connect()
        for folder in folders:
            try:
                with store.translated_errors():
                    _send_trainings(folder)
                    for evaluation in _evaluations(folder):
                        try:
                            result = _send_evaluation(evaluation)
                        except damage.ERRORS as error:
                            damage.put_aside(evaluation, error)
                            continue
                        shutil.rmtree(evaluation)
                        yield result
            except RealartError as error:
                refusals.append(error)
                continue
            _remove_if_empty(folder)
    if refusals:
        raise refusals[0]


def _send_lock() -> FileLock:
    """Return the lock that keeps two processes from logging the same."""
    return FileLock(private() / "send.lock")


def _send_trainings(folder: Path) -> None:
    """Log the events that are kept of the trainings of one outcome."""
    for file in folder.glob("*.json"):
        try:
            record, events = kept_trainings.read(file)
        except damage.ERRORS as error:
            damage.put_aside(file, error)
            continue
        runs = TrainingRuns(store.connect(), record)
        if not runs.is_complete(folder.name):
            for event in events:
                runs.log(event)
        file.unlink(missing_ok=True)


def _keep_evaluation(record: TrainingRecord, folder: Path) -> None:
    with fresh_directory(folder) as beside:
        for path in filter(Path.exists, (*INPUTS, *raw.record_files(paths.RAW))):
            (beside / path).parent.mkdir(parents=True, exist_ok=True)
            copy = shutil.copytree if path.is_dir() else shutil.copyfile
            copy(path, beside / path)
        kept_trainings.write(beside / RECORD, record, [])


def _evaluations(folder: Path) -> list[Path]:
    """Return the folders of the evaluations of one outcome, in the order in which they began."""
    return [path for path in sorted(folder.glob("[0-9]*")) if path.suffix != damage.SUFFIX]


def _send_evaluation(folder: Path) -> str:
    record, _ = kept_trainings.read(folder / RECORD)
    name = record.tags.get("dvc_experiment", record.name)
    with chdir(folder):
        return f"{name}: {evaluation_runs.log_evaluation(load_params(), record)}"


def _remove_if_empty(folder: Path) -> None:
    with suppress(OSError):  # something more is kept there, or it never was
        folder.rmdir()
