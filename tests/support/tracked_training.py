"""Trainings of two folds, logged as the stages log them, and what the store then holds of them."""

from uuid import uuid4

import pandas as pd
from mlflow import MlflowClient
from mlflow.entities import Run

from realart.params import Params
from realart.tracking import evaluation_runs, store, training_runs
from realart.tracking.training_runs import MetricEvent, TrainingRuns
from realart.training.folds import FoldResult

HISTORY = pd.DataFrame(
    {"epoch": [0, 1, 2], "phase": [0, 0, 0], "loss": [0.9, 0.5, 0.4], "accuracy": [0.5, 0.6, 0.7],
     "val_loss": [1.0, 0.8, 0.9], "val_accuracy": [0.4, 0.6, 0.5]}
)  # fmt: skip
FOLDS = 2
RESULTS = [FoldResult(HISTORY, pd.DataFrame(), {"accuracy": 0.75, "auc": 0.8})] * FOLDS


def begin_training(client: MlflowClient, params: Params, id: str = "") -> TrainingRuns:
    return TrainingRuns(client, training_runs.training_record(params, "data", "key", id))


def log_training(client: MlflowClient, params: Params, id: str, outcome: str) -> str:
    """Log a whole training, as the stage does; return the id of its run."""
    runs = begin_training(client, params, id)
    for fold, result in enumerate(RESULTS):
        runs.log(MetricEvent(training_runs.now(), fold))
        for epoch in HISTORY.to_dict("records"):
            runs.log(training_runs.epoch_event(fold, epoch))
        for event in training_runs.fold_events(fold, result):
            runs.log(event)
    runs.log(training_runs.end_event(outcome))
    return runs.parent


def log_evaluation(client: MlflowClient, params: Params, outcome: str, id: str = "") -> str:
    """Log an evaluation with two figures; return the id of its run."""
    record = training_runs.training_record(params, "data", id=id or uuid4().hex)
    with evaluation_runs.evaluation_run(client, record, outcome, RESULTS) as run_id:
        report = {"test": {"accuracy": 0.5, "confusion": {"tp": 3}}}
        evaluation_runs.log_report(client, run_id, report)
    return run_id


def all_runs(client: MlflowClient, params: Params) -> list[Run]:
    return list(client.search_runs([store.experiment_id(client, params.dataset)]))


def fold_runs(client: MlflowClient, params: Params, parent: str) -> dict[str, Run]:
    """Return the runs of a training's folds by the folds' numbers."""
    tag = training_runs.PARENT
    runs = [run for run in all_runs(client, params) if run.data.tags.get(tag) == parent]
    by_fold = {run.data.tags[training_runs.FOLD]: run for run in runs}
    assert len(by_fold) == len(runs)
    return by_fold


def curve(client: MlflowClient, run_id: str, name: str) -> dict[int, float]:
    """Return the value of each step, of which there is one."""
    history = client.get_metric_history(run_id, name)
    values = {metric.step: metric.value for metric in history}
    assert len(values) == len(history)
    return values


def assert_complete(client: MlflowClient, params: Params, parent: str) -> None:
    """All of a training is logged: its params, every epoch, the held-out figures, the end."""
    folds = fold_runs(client, params, parent)
    assert sorted(folds) == ["0", "1"]
    for run in folds.values():
        assert run.info.status == "FINISHED"
        assert curve(client, run.info.run_id, "val_loss") == {0: 1.0, 1: 0.8, 2: 0.9}
        assert run.data.metrics["held_out/auc"] == 0.8
    assert client.get_run(parent).info.status == "FINISHED"
    assert client.get_run(parent).data.params["model"] == params.model
