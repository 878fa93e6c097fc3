"""Runs in MLflow: a parent for each training with its figures and model, a child for each fold.

Without `MLFLOW_TRACKING_URI`, runs go to an SQLite store in the project's main folder, whichever
copy of the project a run was started in.
"""

import logging
import os
import re
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("DO_NOT_TRACK", "true")
logging.getLogger("mlflow").setLevel(logging.WARNING)  # how it makes tables is no news

import pandas as pd
from filelock import FileLock
from mlflow import MlflowClient
from mlflow.entities import Metric, Param, Run, RunTag
from mlflow.exceptions import MlflowException
from mlflow.system_metrics.system_metrics_monitor import SystemMetricsMonitor
from sqlalchemy.exc import SQLAlchemyError

from realart.errors import RealartError
from realart.evaluation import Figures
from realart.outputs import fresh_file
from realart.params import Params, Square, Strict
from realart.project import private, root

PARENT = "mlflow.parentRunId"
KEY = "realart.key"  # what decided the training
OUTCOME = "realart.outcome"  # what it made
EVALUATED = "realart.evaluated"
FOLD = "realart.fold"
SECONDS = 5
"""Between two looks at what a training takes of the machine."""


def address() -> str:
    """Return the tracking URI: `MLFLOW_TRACKING_URI`, or the project's own store."""
    return os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{root() / 'mlruns/mlflow.db'}"


def connect() -> MlflowClient:
    """Return a client of the store, which is created if there is none yet.

    Raises
    ------
    RealartError
        The tracking server can't be reached.
    """
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
    private().mkdir(parents=True, exist_ok=True)
    try:
        # Two processes that create the same SQLite store at once would break it for good.
        with FileLock(private() / "mlflow.lock"):
            _make_own_store()
            client = MlflowClient(address())
            client.search_experiments(max_results=1)
    except (MlflowException, SQLAlchemyError) as error:
        raise RealartError(
            _without_secrets(
                f"MLflow at {address()} can't be used ({str(error).splitlines()[0]}): start it, or "
                "unset MLFLOW_TRACKING_URI to use the project's own store; one that is damaged can "
                "be moved away"
            )
        ) from error
    return client


def _make_own_store() -> None:
    """Make the project's store beside its place: one that was half made could never be used."""
    store = root() / "mlruns/mlflow.db"
    store.parent.mkdir(exist_ok=True)
    if address() == f"sqlite:///{store}" and not store.exists():
        with fresh_file(store) as beside:
            MlflowClient(f"sqlite:///{beside}").search_experiments(max_results=1)


def experiment(client: MlflowClient, params: Params) -> str:
    """Return the id of the experiment that holds all runs on one dataset."""
    name = f"realart-{params.dataset}"
    with FileLock(private() / "mlflow.lock"):
        found = client.get_experiment_by_name(name)
        if found and found.lifecycle_stage == "deleted":
            raise RealartError(
                f"MLflow's experiment '{name}' was deleted: bring it back with `mlflow experiments "
                f"restore -x {found.experiment_id}`, or remove it for good with `mlflow gc`"
            )
        if found:
            return str(found.experiment_id)
        own = not os.environ.get("MLFLOW_TRACKING_URI")
        artifacts = (root() / "mlruns/artifacts").as_uri() if own else None
        return str(client.create_experiment(name, artifacts))


def start(client: MlflowClient, params: Params, data: str, key: str) -> str:
    """Start a parent run, or go on with the one that an interrupted training of `key` left."""
    experiment_id = experiment(client, params)
    for run in _search(client, experiment_id, {KEY: key}) if key else []:
        if OUTCOME not in run.data.tags:
            client.update_run(run.info.run_id, "RUNNING")
            return str(run.info.run_id)
    name = os.environ.get("DVC_EXP_NAME") or params.model
    run = client.create_run(experiment_id, run_name=name)
    tags = {KEY: key, "data_fingerprint": data, "commit": _commit()}
    if "DVC_EXP_NAME" in os.environ:
        tags["dvc_experiment"] = os.environ["DVC_EXP_NAME"]
    client.log_batch(
        run.info.run_id,
        params=[Param(name, str(value)[:6000]) for name, value in describe(params).items()],
        tags=[RunTag(name, value) for name, value in tags.items()],
    )
    return str(run.info.run_id)


@contextmanager
def watched(run_id: str) -> Iterator[None]:
    """Log how much of processors, memory, disk and GPU is in use while the block runs."""
    monitor = SystemMetricsMonitor(
        run_id, sampling_interval=SECONDS, resume_logging=True, tracking_uri=address()
    )
    monitor.start()
    try:
        yield
    finally:
        monitor.finish()


def start_fold(client: MlflowClient, parent: str, fold: int) -> str:
    """Start the child run of a fold, or go on with the one that is there."""
    experiment_id = client.get_run(parent).info.experiment_id
    for run in _search(client, experiment_id, {PARENT: parent, FOLD: str(fold)}):
        return str(run.info.run_id)
    tags = {PARENT: parent, FOLD: str(fold)}
    child = client.create_run(experiment_id, tags=tags, run_name=f"fold {fold}")
    return str(child.info.run_id)


def log_fold(
    client: MlflowClient, parent: str, fold: int, history: pd.DataFrame, held_out: Figures
) -> None:
    """Log the whole curve of a fold and its held-out figures, and end its run."""
    child = start_fold(client, parent, fold)
    for record in history.to_dict("records"):
        log_epoch(client, child, {str(name): float(value) for name, value in record.items()})
    log(client, child, {f"held_out/{name}": value for name, value in held_out.items()})
    client.set_terminated(child, "FINISHED")


def log_epoch(client: MlflowClient, child: str, record: Mapping[str, float]) -> None:
    """Log the record of one epoch, unless the run holds it."""
    step = int(record["epoch"])
    if all(metric.step != step for metric in client.get_metric_history(child, "epoch")):
        log(client, child, record, step)


def log(client: MlflowClient, run_id: str, values: Mapping[str, float], step: int = 0) -> None:
    """Log metrics of one step; a step logged twice has the later values."""
    now = int(time.time() * 1000)
    client.log_batch(run_id, [Metric(k, float(v), now, step) for k, v in values.items()])


def end(client: MlflowClient, run_id: str, outcome: str | None) -> None:
    """End a training; `outcome` is the fingerprint of what it made, None if it failed."""
    if outcome:
        client.set_tag(run_id, OUTCOME, outcome)
    client.set_terminated(run_id, "FINISHED" if outcome else "FAILED")


@contextmanager
def evaluation_of(
    client: MlflowClient,
    params: Params,
    data: str,
    outcome: str,
    histories: Sequence[pd.DataFrame],
    held_out: Sequence[Figures],
) -> Iterator[str]:
    """Yield the parent run that evaluation belongs to, and note in the end that it was evaluated.

    That is the latest run whose training made `outcome`, or, where DVC restored the training from
    its cache or another evaluation was logged there, a new one with the curves of all folds.
    """
    run_id = _awaiting_evaluation(client, params, outcome)
    if run_id is None:
        run_id = start(client, params, data, key="")
        for fold, (history, figures) in enumerate(zip(histories, held_out, strict=True)):
            log_fold(client, run_id, fold, history, figures)
        end(client, run_id, outcome)
    yield run_id
    client.set_tag(run_id, EVALUATED, "true")


def log_report(client: MlflowClient, run_id: str, report: Mapping[str, Any]) -> None:
    """Log every figure of metrics.json under its path, such as test/accuracy; names as tags."""
    flat = _flatten("", dict(report), "/")
    names = {name: value for name, value in flat.items() if isinstance(value, str)}
    log(client, run_id, {name: float(flat[name]) for name in flat if name not in names})
    for name, value in names.items():
        client.set_tag(run_id, name, value)


def outcome_of(folds: Path) -> str:
    """Return the fingerprint of all that a training made."""
    return fingerprint(sorted(file for file in folds.rglob("*") if file.is_file()))


def fingerprint(files: Sequence[Path]) -> str:
    """Return a short name for the bytes of `files`, in their order."""
    digest = sha256()
    for file in files:
        with file.open("rb") as opened:
            while block := opened.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()[:16]


def describe(params: Params) -> dict[str, Any]:
    """Flatten all params that a run depends on, under the names that params.yaml gives them."""
    recipe = params.recipe
    groups: dict[str, Strict] = {
        "clean": params.clean, "split": params.split, "balance": params.balance,
        "recipe": recipe, "train": params.train, "evaluate": params.evaluate,
    }  # fmt: skip
    groups |= {f"descriptors.{name}": one for name, one in params.described.items()}
    if isinstance(recipe.sees, Square) and recipe.sees.input == "ela":
        groups["ela"] = params.ela
    flat: dict[str, Any] = {"dataset": params.dataset, "model": params.model}
    for name, group in groups.items():
        flat |= _flatten(name, group.model_dump())
    return flat


def _flatten(prefix: str, value: Any, separator: str = ".") -> dict[str, Any]:
    if not isinstance(value, dict) or not value:
        return {prefix: value}
    flat: dict[str, Any] = {}
    for name, inner in value.items():
        flat |= _flatten(f"{prefix}{separator}{name}".removeprefix(separator), inner, separator)
    return flat


def evaluated(params: Params, outcome: str) -> bool:
    """Say whether the store holds an evaluation of what a training made."""
    client = connect()
    wanted = {OUTCOME: outcome, EVALUATED: "true"}
    return bool(_search(client, experiment(client, params), wanted))


def _awaiting_evaluation(client: MlflowClient, params: Params, outcome: str) -> str | None:
    for run in _search(client, experiment(client, params), {OUTCOME: outcome}):
        if EVALUATED not in run.data.tags:
            return str(run.info.run_id)
    return None


def _search(client: MlflowClient, experiment_id: str, tags: Mapping[str, str]) -> list[Run]:
    wanted = " and ".join(f"tags.`{name}` = '{value}'" for name, value in tags.items())
    found = client.search_runs([experiment_id], wanted, order_by=["attributes.start_time DESC"])
    return list(found)


def _commit() -> str:
    baseline = os.environ.get("DVC_EXP_BASELINE_REV")
    if baseline:
        return baseline
    git = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=root(), capture_output=True, text=True, check=False
    )
    return git.stdout.strip() or "none"


def _without_secrets(text: str) -> str:
    return re.sub(r"//[^/@\s]*@", "//", text)
