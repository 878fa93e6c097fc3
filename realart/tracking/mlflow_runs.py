"""Runs in MLflow: a parent for each training with its figures and model, a child for each fold."""

import os
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import pandas as pd
from mlflow import MlflowClient
from mlflow.entities import Metric, Param, Run

from realart.core.hashing import short_digest
from realart.core.project import root
from realart.metrics.classification import Figures
from realart.params import Params, Strict
from realart.tracking import store
from realart.training.folds import FoldResult

PARENT = "mlflow.parentRunId"
ID = "realart.training"  # which training it was: an interrupted one goes on
KEY = "realart.key"  # what decided it
OUTCOME = "realart.outcome"  # what it made
EVALUATED = "realart.evaluated"
FOLD = "realart.fold"


@dataclass(frozen=True)
class TrainingRecord:
    """What MLflow is told of a training when it begins; `began` in milliseconds since 1970.

    One that was interrupted goes on in the run that has its `id`; without an id it is always new.
    `held_out_sets` has the set that a fold holds out whole, by the number of the fold.
    """

    id: str
    dataset: str
    name: str
    began: int
    params: dict[str, str]
    tags: dict[str, str]
    held_out_sets: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class MetricEvent:
    """Metrics of a training or of one of its folds, and when: `at`, in milliseconds since 1970.

    Without a step they count in seconds since the training began. A status ends the run, and
    `outcome` is the fingerprint of what a training has made.
    """

    at: int
    fold: int | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    step: int | None = None
    status: Literal["", "FINISHED", "FAILED"] = ""
    outcome: str = ""


def training(params: Params, data: str, key: str = "", id: str = "") -> TrainingRecord:
    """Describe a training that begins now, on data of the fingerprint `data`, decided by `key`."""
    experiment = os.environ.get("DVC_EXP_NAME")
    tags = {ID: id, KEY: key, "data_fingerprint": data, "commit": commit()}
    if experiment:
        tags["dvc_experiment"] = experiment
    described = {name: str(value)[:6000] for name, value in describe(params).items()}
    name = experiment or params.model
    held_out_sets = {str(fold): name for fold, name in params.held_out_sets.items()}
    return TrainingRecord(id, params.dataset, name, now(), described, tags, held_out_sets)


def epoch(fold: int, record: Mapping[Any, float]) -> MetricEvent:
    """Say what an epoch gave."""
    metrics = {str(name): float(value) for name, value in record.items()}
    return MetricEvent(now(), fold, metrics, step=int(record["epoch"]))


def fold_ended(fold: int, history: pd.DataFrame, held_out: Figures) -> list[MetricEvent]:
    """Say the whole curve of a fold and its held-out figures, and that it has ended."""
    figures = {f"held_out/{name}": value for name, value in held_out.items()}
    epochs = [epoch(fold, record) for record in history.to_dict("records")]
    return [*epochs, MetricEvent(now(), fold, figures, step=0, status="FINISHED")]


def ended(outcome: str) -> MetricEvent:
    """Say that a training has ended; `outcome` is the fingerprint of what it made, or empty."""
    if outcome:
        return MetricEvent(now(), status="FINISHED", outcome=outcome)
    return MetricEvent(now(), status="FAILED")


class Runs:
    """The runs of one training, found or made when something is said of them."""

    def __init__(self, client: MlflowClient, training: TrainingRecord) -> None:
        self._client, self._training = client, training
        self._folds: dict[int, tuple[str, set[int]]] = {}

    @cached_property
    def parent(self) -> str:
        """The run of the training, which may go on where it was interrupted."""
        return str(self._parent.info.run_id)

    def log(self, said: MetricEvent) -> None:
        """Log what is said; what is said twice at the same time, or of an epoch, is logged once."""
        run, step = self.parent, said.step
        if said.fold is not None:
            run, epochs = self._fold(said.fold, said.at)
            if "epoch" in said.metrics and step in epochs:
                return
        if step is None:
            step = max(0, said.at - self._parent.info.start_time) // 1000
        if said.metrics:
            log(self._client, run, said.metrics, step, said.at)
        if "epoch" in said.metrics:
            epochs.add(step)
        if said.status:
            self._client.set_terminated(run, said.status, said.at)
        if said.outcome:  # last: it says that all was told
            self._client.set_tag(run, OUTCOME, said.outcome)

    def complete(self, outcome: str) -> bool:
        """Say whether the store knows the training to its end, with this outcome."""
        experiment = store.experiment(self._client, self._training.dataset)
        wanted = {ID: self._training.id, OUTCOME: outcome}
        return bool(_search(self._client, experiment, wanted))

    @cached_property
    def _parent(self) -> Run:
        client, begun = self._client, self._training
        experiment = store.experiment(client, begun.dataset)
        begun_before = _search(client, experiment, {ID: begun.id}) if begun.id else []
        if begun_before:
            run = begun_before[0]
            client.update_run(run.info.run_id, "RUNNING")
        else:
            run = client.create_run(experiment, begun.began, begun.tags, begun.name)
        if not run.data.params:
            params = [Param(name, value) for name, value in begun.params.items()]
            client.log_batch(run.info.run_id, params=params)
        return run

    def _fold(self, fold: int, began: int) -> tuple[str, set[int]]:
        """Return the run of a fold, which may begin now, and the epochs that it knows."""
        if fold not in self._folds:
            experiment = self._parent.info.experiment_id
            tags = {PARENT: self.parent, FOLD: f"{fold}"}
            for run in _search(self._client, experiment, tags):
                known = self._client.get_metric_history(run.info.run_id, "epoch")
                break
            else:
                held_out = self._training.held_out_sets.get(str(fold))
                name = f"fold {fold}, {held_out} held out" if held_out else f"fold {fold}"
                run = self._client.create_run(experiment, began, tags, name)
                known = []
            self._folds[fold] = (run.info.run_id, {metric.step for metric in known})
        return self._folds[fold]


def log(
    client: MlflowClient, run: str, metrics: Mapping[str, float], step: int = 0, at: int = 0
) -> None:
    """Log metrics of one step, at a time in milliseconds since 1970 or now.

    A step logged twice has the later values.
    """
    at = at or now()
    client.log_batch(run, [Metric(name, float(value), at, step) for name, value in metrics.items()])


@contextmanager
def evaluation_of(
    client: MlflowClient,
    training: TrainingRecord,
    outcome: str,
    learnt: Sequence[FoldResult],
) -> Iterator[str]:
    """Yield the parent run that evaluation belongs to, and note in the end that it was evaluated.

    That is the latest run with these params whose training made `outcome`, or, where DVC restored
    the training from its cache or another evaluation was logged there, a new one of `training` with
    all its curves. An evaluation that is logged again, known by the id of `training`, stays where
    it is.
    """
    run = _awaiting_evaluation(client, training, outcome)
    if run is None:
        runs = Runs(client, training)
        for fold, one in enumerate(learnt):
            for said in fold_ended(fold, one.history, one.figures):
                runs.log(said)
        runs.log(ended(outcome))
        run = runs.parent
    yield run
    client.set_tag(run, EVALUATED, training.id)


def log_report(client: MlflowClient, run_id: str, report: Mapping[str, Any]) -> None:
    """Log every figure of metrics.json under its path, such as test/accuracy; names as tags."""
    flat = _flatten("", dict(report), "/")
    names = {name: value for name, value in flat.items() if isinstance(value, str)}
    log(client, run_id, {name: float(flat[name]) for name in flat if name not in names})
    for name, value in names.items():
        client.set_tag(run_id, name, value)


def outcome_of(folds: Path) -> str:
    """Return the fingerprint of all that a training made."""
    return short_digest(sorted(file for file in folds.rglob("*") if file.is_file()))


def describe(params: Params) -> dict[str, Any]:
    """Flatten all params that a run depends on, under the names that params.yaml gives them."""
    recipe = params.recipe
    groups: dict[str, Strict] = {
        "clean": params.clean, "split": params.split, "balance": params.balance,
        "recipe": recipe, "train": params.train, "evaluate": params.evaluate,
    }  # fmt: skip
    groups |= {f"descriptors.{name}": one for name, one in params.recipe_descriptors.items()}
    if recipe.sees.of_ela:
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


def commit() -> str:
    """Return the commit that a run is made from."""
    baseline = os.environ.get("DVC_EXP_BASELINE_REV")
    if baseline:
        return baseline
    git = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=root(), capture_output=True, text=True, check=False
    )
    return git.stdout.strip() or "none"


def now() -> int:
    """Return the time in milliseconds since 1970, as MLflow counts it."""
    return int(time.time() * 1000)


def evaluated(params: Params, outcome: str) -> bool:
    """Say whether the store holds an evaluation of what a training made."""
    client = store.connect()
    found = _search(client, store.experiment(client, params.dataset), {OUTCOME: outcome})
    return any(EVALUATED in run.data.tags for run in found)


def _awaiting_evaluation(
    client: MlflowClient, training: TrainingRecord, outcome: str
) -> str | None:
    found = _search(client, store.experiment(client, training.dataset), {OUTCOME: outcome})
    logged = [run for run in found if run.data.tags.get(EVALUATED) == training.id]
    waiting = [
        run
        for run in found
        if EVALUATED not in run.data.tags and run.data.params == training.params
    ]
    return next((str(run.info.run_id) for run in [*logged, *waiting]), None)


def _search(client: MlflowClient, experiment_id: str, tags: Mapping[str, str]) -> list[Run]:
    wanted = " and ".join(f"tags.`{name}` = '{value}'" for name, value in tags.items())
    found = client.search_runs([experiment_id], wanted, order_by=["attributes.start_time DESC"])
    return list(found)
