"""The runs of a training in MLflow: a parent with its params, and a child for each fold.

What happens in a training is data with a time (`MetricEvent`), not a call of MLflow: so it can wait
while the store can't be used, be kept in a file, and be logged twice without a trace.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from mlflow import MlflowClient
from mlflow.entities import Metric, Param, Run

from realart.core.hashing import short_digest
from realart.params import Params
from realart.tracking import run_description, store
from realart.training.folds import FoldResult

PARENT = "mlflow.parentRunId"
"""Tag of a fold's run: the id of its training's run."""
FOLD = "realart.fold"
"""Tag of a fold's run: the fold's number."""
TRAINING = "realart.training"
"""Tag: the id of the training, by which an interrupted one is resumed in its run."""
KEY = "realart.key"
"""Tag: the fingerprint of what decides the result of the training."""
OUTCOME = "realart.outcome"
"""Tag: the fingerprint of what the training made. It is set last, when all else is logged."""
SOURCE = "stages/train.py"
"""Script that makes trainings."""
MAX_PARAM = 6000
"""Characters of the longest value of a param that every store of MLflow takes."""


@dataclass(frozen=True)
class TrainingRecord:
    """What describes the run of a training from its beginning.

    Attributes
    ----------
    id
        A training that was interrupted is resumed in the run with the same id; without an id (""),
        a training always has a new run.
    dataset
        Names the experiment.
    name
        Of the run.
    began
        Milliseconds since 1970.
    params, tags
        Of the run.
    held_out_sets
        The set that a fold holds out as a whole, by the number of the fold, as text.
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
    """Metrics of a training or of one of its folds at a time, and whether its run ends with them.

    Attributes
    ----------
    at
        Milliseconds since 1970.
    fold
        Number of the fold, or None for the training itself.
    metrics
        Values by name.
    step
        Of the metrics; None stands for the seconds since the training began.
    status
        Ends the run, unless empty.
    outcome
        The fingerprint of what the training made, once it has.
    """

    at: int
    fold: int | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    step: int | None = None
    status: Literal["", "FINISHED", "FAILED", "KILLED"] = ""
    outcome: str = ""


def training_record(
    params: Params, data_fingerprint: str, key: str = "", id: str = ""
) -> TrainingRecord:
    """Describe a training that begins now.

    Parameters
    ----------
    params
        All params.
    data_fingerprint
        Of the rows that are trained on.
    key
        The fingerprint of what decides the result: code, params and data.
    id
        Of the training, by which it is found when it is resumed.
    """
    tags = {
        **run_description.standard_tags(SOURCE),
        TRAINING: id,
        KEY: key,
        "data_fingerprint": data_fingerprint,
    }
    flat = run_description.flat_params(params)
    values = {name: str(value)[:MAX_PARAM] for name, value in flat.items()}
    held_out_sets = {str(fold): name for fold, name in params.held_out_sets.items()}
    name = run_description.name(params)
    return TrainingRecord(id, params.dataset, name, now(), values, tags, held_out_sets)


def epoch_event(fold: int, epoch: Mapping[Any, float]) -> MetricEvent:
    """Return the event of an epoch of a fold, from its `EpochRecord`."""
    metrics = {str(name): float(value) for name, value in epoch.items()}
    return MetricEvent(now(), fold, metrics, step=int(epoch["epoch"]))


def fold_events(fold: int, result: FoldResult) -> list[MetricEvent]:
    """Return the events of all epochs of a fold, then that of its end with its held-out figures."""
    figures = {f"held_out/{name}": value for name, value in result.figures.items()}
    epochs = [epoch_event(fold, epoch) for epoch in result.history.to_dict("records")]
    return [*epochs, MetricEvent(now(), fold, figures, step=0, status="FINISHED")]


def end_event(outcome: str, *, interrupted: bool = False) -> MetricEvent:
    """Return the event of a training's end: without an `outcome` it was killed, or has failed."""
    if outcome:
        return MetricEvent(now(), status="FINISHED", outcome=outcome)
    return MetricEvent(now(), status="KILLED" if interrupted else "FAILED")


class TrainingRuns:
    """The runs of one training, which are found or created when something is logged."""

    def __init__(self, client: MlflowClient, record: TrainingRecord) -> None:
        self._client, self._record = client, record
        self._folds: dict[int, tuple[str, set[int]]] = {}

    @cached_property
    def parent(self) -> str:
        """The id of the run of the training: that which is resumed, or a new one."""
        return str(self._parent.info.run_id)

    def log(self, event: MetricEvent) -> None:
        """Log an event; the same one, or another of the same epoch, is logged only once."""
        run_id, step = self.parent, event.step
        is_epoch = "epoch" in event.metrics
        if event.fold is not None:
            run_id, epochs = self._fold(event.fold, event.at)
            if is_epoch and step in epochs:
                return
        if step is None:
            step = max(0, event.at - self._parent.info.start_time) // 1000
        if event.metrics:
            log_metrics(self._client, run_id, event.metrics, step, event.at)
        if is_epoch:
            epochs.add(step)
        if event.status:
            if event.fold is None:
                self._end_folds(event.status, event.at)
            self._client.set_terminated(run_id, event.status, event.at)
        if event.outcome:  # last: it means that all is logged
            self._client.set_tag(run_id, OUTCOME, event.outcome)

    def is_complete(self, outcome: str) -> bool:
        """Return whether the store has the training with all its events and with this outcome."""
        experiment = store.experiment_id(self._client, self._record.dataset)
        tags = {TRAINING: self._record.id, OUTCOME: outcome}
        return bool(runs_with_tags(self._client, experiment, tags))

    @cached_property
    def _parent(self) -> Run:
        client, record = self._client, self._record
        experiment = store.experiment_id(client, record.dataset)
        tags = {TRAINING: record.id}
        interrupted = runs_with_tags(client, experiment, tags) if record.id else []
        if interrupted:
            run = interrupted[0]
            client.update_run(run.info.run_id, "RUNNING")
        else:
            run = client.create_run(experiment, record.began, record.tags, record.name)
        self._log_missing_params(run)
        return run

    def _log_missing_params(self, run: Run) -> None:
        if not run.data.params:
            params = [Param(name, value) for name, value in self._record.params.items()]
            self._client.log_batch(run.info.run_id, params=params)

    def _fold(self, fold: int, began: int) -> tuple[str, set[int]]:
        """Return the id of a fold's run, which is created if absent, and its logged epochs."""
        if fold not in self._folds:
            run = self._resumed_fold(fold) or self._new_fold(fold, began)
            self._log_missing_params(run)
            epochs = self._client.get_metric_history(run.info.run_id, "epoch")
            self._folds[fold] = (run.info.run_id, {metric.step for metric in epochs})
        return self._folds[fold]

    def _resumed_fold(self, fold: int) -> Run | None:
        runs = self._fold_runs({FOLD: f"{fold}"})
        if runs and runs[0].info.status in ("FAILED", "KILLED"):
            self._client.update_run(runs[0].info.run_id, "RUNNING")
        return runs[0] if runs else None

    def _new_fold(self, fold: int, began: int) -> Run:
        held_out = self._record.held_out_sets.get(str(fold))
        name = f"fold {fold}, {held_out} held out" if held_out else f"fold {fold}"
        standard = {
            tag: text for tag, text in self._record.tags.items() if tag.startswith("mlflow.")
        }
        tags = {**standard, PARENT: self.parent, FOLD: f"{fold}"}
        return self._client.create_run(self._parent.info.experiment_id, began, tags, name)

    def _end_folds(self, status: str, at: int) -> None:
        """End the runs of folds that a training has begun and not ended."""
        for run in self._fold_runs({}):
            if run.info.status == "RUNNING":
                self._client.set_terminated(run.info.run_id, status, at)

    def _fold_runs(self, tags: Mapping[str, str]) -> list[Run]:
        experiment = self._parent.info.experiment_id
        return runs_with_tags(self._client, experiment, {PARENT: self.parent, **tags})


def log_metrics(
    client: MlflowClient, run_id: str, metrics: Mapping[str, float], step: int, at: int
) -> None:
    """Log metrics of one step, at a time in milliseconds since 1970."""
    values = [Metric(name, float(value), at, step) for name, value in metrics.items()]
    client.log_batch(run_id, values)


def runs_with_tags(client: MlflowClient, experiment_id: str, tags: Mapping[str, str]) -> list[Run]:
    """Return the runs of an experiment that have all these tags, the latest first."""
    filters = " and ".join(f"tags.`{name}` = '{value}'" for name, value in tags.items())
    return list(
        client.search_runs([experiment_id], filters, order_by=["attributes.start_time DESC"])
    )


def outcome_fingerprint(folds: Path) -> str:
    """Return the fingerprint of all that a training made, from the files in its folder."""
    return short_digest(sorted(file for file in folds.rglob("*") if file.is_file()))


def now() -> int:
    """Return the time in milliseconds since 1970, as MLflow counts it."""
    return int(time.time() * 1000)
