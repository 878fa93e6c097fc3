"""Runs in a real SQLite store: who is whose child, what is used again, what is logged once."""

from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pandas as pd
import pytest
from mlflow import MlflowClient
from mlflow.entities import Run
from networks import PARAMS, REPOSITORY

from realart.core import yaml12
from realart.params import Params
from realart.tracking import mlflow_runs, store
from realart.tracking.mlflow_runs import MetricEvent, Runs
from realart.training.folds import FoldResult

FIGURES = {"accuracy": 0.75, "auc": 0.8}
HISTORY = pd.DataFrame(
    {"epoch": [0, 1, 2], "phase": [0, 0, 0], "loss": [0.9, 0.5, 0.4], "accuracy": [0.5, 0.6, 0.7],
     "val_loss": [1.0, 0.8, 0.9], "val_accuracy": [0.4, 0.6, 0.5]}
)  # fmt: skip
FOLDS = 2
LEARNT = [FoldResult(HISTORY, pd.DataFrame(), FIGURES)] * FOLDS


def runs(client: MlflowClient, params: Params) -> list[Run]:
    return list(client.search_runs([store.experiment(client, params.dataset)]))


def children(client: MlflowClient, params: Params, parent: str) -> dict[str, Run]:
    found = [run for run in runs(client, params) if run.data.tags.get(mlflow_runs.PARENT) == parent]
    named = {run.data.tags[mlflow_runs.FOLD]: run for run in found}
    assert len(named) == len(found)
    return named


def curve(client: MlflowClient, run_id: str, name: str) -> dict[int, float]:
    """Return the value of each step, of which there is one."""
    history = client.get_metric_history(run_id, name)
    values = {metric.step: metric.value for metric in history}
    assert len(values) == len(history)
    return values


def begun(client: MlflowClient, params: Params, id: str = "") -> Runs:
    return Runs(client, mlflow_runs.training(params, "data", "key", id))


def trained(client: MlflowClient, params: Params, id: str, outcome: str) -> str:
    """Track a whole training, as the stage does."""
    runs = begun(client, params, id)
    for fold in range(FOLDS):
        runs.log(MetricEvent(mlflow_runs.now(), fold))
        for record in HISTORY.to_dict("records"):
            runs.log(mlflow_runs.epoch(fold, record))
        for said in mlflow_runs.fold_ended(fold, HISTORY, FIGURES):
            runs.log(said)
    runs.log(mlflow_runs.ended(outcome))
    return runs.parent


def evaluated(client: MlflowClient, params: Params, outcome: str, id: str = "") -> str:
    training = mlflow_runs.training(params, "data", id=id or uuid4().hex)
    with mlflow_runs.evaluation_of(client, training, outcome, LEARNT) as run_id:
        mlflow_runs.log_report(client, run_id, {"test": {"accuracy": 0.5, "confusion": {"tp": 3}}})
    return run_id


def assert_complete(client: MlflowClient, params: Params, parent: str) -> None:
    folds = children(client, params, parent)
    assert sorted(folds) == ["0", "1"]
    for run in folds.values():
        assert run.info.status == "FINISHED"
        assert curve(client, run.info.run_id, "val_loss") == {0: 1.0, 1: 0.8, 2: 0.9}
        assert run.data.metrics["held_out/auc"] == 0.8
    assert client.get_run(parent).info.status == "FINISHED"
    assert client.get_run(parent).data.params["model"] == params.model


def test_a_training_is_a_parent_with_a_child_for_each_fold(
    client: MlflowClient, params: Params
) -> None:
    parent = trained(client, params, "mine", "outcome")
    assert_complete(client, params, parent)
    run = client.get_run(parent)
    assert len(runs(client, params)) == 1 + FOLDS
    assert run.info.run_name == params.model
    assert run.data.tags["data_fingerprint"] == "data"
    assert mlflow_runs.PARENT not in run.data.tags
    assert client.get_experiment_by_name(f"realart-{params.dataset}")
    assert [fold.info.run_name for _, fold in sorted(children(client, params, parent).items())] == [
        "fold 0", "fold 1",
    ]  # fmt: skip


def test_the_run_of_an_experiment_bears_its_name(
    client: MlflowClient, params: Params, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DVC_EXP_NAME", "muggy-newt")
    monkeypatch.setenv("DVC_EXP_BASELINE_REV", "0123abc")
    run = client.get_run(begun(client, params).parent)
    assert run.info.run_name == run.data.tags["dvc_experiment"] == "muggy-newt"
    assert run.data.tags["commit"] == "0123abc"


@pytest.mark.parametrize("failed", [False, True])
def test_an_unfinished_training_goes_on_in_its_run(
    client: MlflowClient, params: Params, failed: bool
) -> None:
    first = begun(client, params, "mine")
    first.log(mlflow_runs.epoch(0, HISTORY.to_dict("records")[0]))
    if failed:
        first.log(mlflow_runs.ended(""))
        assert client.get_run(first.parent).info.status == "FAILED"
    child = children(client, params, first.parent)["0"].info.run_id
    assert begun(client, params, "another").parent != first.parent
    assert trained(client, params, "mine", "outcome") == first.parent
    assert children(client, params, first.parent)["0"].info.run_id == child
    assert_complete(client, params, first.parent)


def test_a_finished_training_stays_one_run(client: MlflowClient, params: Params) -> None:
    """As when it was killed before it could forget its id."""
    first = trained(client, params, "mine", "outcome")
    assert begun(client, params, "mine").complete("outcome")
    assert not begun(client, params, "mine").complete("another outcome")
    assert trained(client, params, "mine", "outcome") == first
    assert_complete(client, params, first)
    assert trained(client, params, "another", "outcome") != first


def test_a_run_without_an_id_is_always_new(client: MlflowClient, params: Params) -> None:
    assert len({begun(client, params).parent for _ in range(3)}) == 3


def test_an_epoch_is_one_point_of_the_curve_and_keeps_its_time(
    client: MlflowClient, params: Params
) -> None:
    records = HISTORY.to_dict("records")
    for again in range(2):  # in one process, and in one that goes on
        runs = begun(client, params, "mine")
        for record in records * 2:
            runs.log(replace(mlflow_runs.epoch(0, record), at=1000 + again + int(record["epoch"])))
    (child,) = children(client, params, runs.parent).values()
    points = client.get_metric_history(child.info.run_id, "loss")
    assert [(point.step, point.value, point.timestamp) for point in points] == [
        (0, 0.9, 1000), (1, 0.5, 1001), (2, 0.4, 1002),
    ]  # fmt: skip


def test_what_is_said_twice_is_logged_once(client: MlflowClient, params: Params) -> None:
    """So that what may have arrived can be sent again."""
    runs = begun(client, params, "mine")
    began = client.get_run(runs.parent).info.start_time
    said = [
        MetricEvent(began + 3500, metrics={"used": 0.5}),
        MetricEvent(began + 7000, 0, {"held_out/auc": 0.8}, 0, "FINISHED"),
        MetricEvent(began + 9000, status="FINISHED", outcome="outcome"),
    ]
    for one in said * 2:
        runs.log(one)
    (used,) = client.get_metric_history(runs.parent, "used")
    assert (used.step, used.timestamp) == (3, began + 3500)
    (child,) = children(client, params, runs.parent).values()
    assert len(client.get_metric_history(child.info.run_id, "held_out/auc")) == 1
    assert child.info.end_time == began + 7000
    assert client.get_run(runs.parent).info.end_time == began + 9000


def test_params_that_did_not_arrive_are_logged_when_it_goes_on(
    client: MlflowClient, params: Params
) -> None:
    training = mlflow_runs.training(params, "data", "key", "mine")
    experiment = store.experiment(client, params.dataset)
    run = client.create_run(experiment, tags=training.tags)
    assert Runs(client, training).parent == run.info.run_id
    assert client.get_run(run.info.run_id).data.params == training.params


def test_an_evaluation_belongs_to_the_run_that_was_trained(
    client: MlflowClient, params: Params
) -> None:
    parent = trained(client, params, "mine", "outcome")
    trained(client, params, "another", "other outcome")
    assert evaluated(client, params, "outcome") == parent
    run = client.get_run(parent)
    assert run.data.metrics["test/accuracy"] == 0.5
    assert run.data.metrics["test/confusion/tp"] == 3
    assert len(runs(client, params)) == 2 * (1 + FOLDS)


def test_each_further_evaluation_is_a_complete_run_of_its_own(
    client: MlflowClient, params: Params
) -> None:
    parents = [trained(client, params, "mine", "outcome")]
    for _ in range(3):
        parents.append(evaluated(client, params, "outcome"))
    assert parents[0] == parents[1]
    assert len(set(parents)) == 3
    for parent in set(parents):
        assert_complete(client, params, parent)
        assert client.get_run(parent).data.metrics["test/accuracy"] == 0.5


def test_an_evaluation_by_other_params_is_a_run_of_its_own(
    client: MlflowClient, params: Params
) -> None:
    """As of an experiment whose training DVC restored from its cache."""
    parent = trained(client, params, "mine", "outcome")
    evaluate = params.evaluate.model_copy(update={"sure": 0.5})
    other = evaluated(client, params.model_copy(update={"evaluate": evaluate}), "outcome")
    assert other != parent
    assert client.get_run(other).data.params["evaluate.sure"] == "0.5"
    assert_complete(client, params, other)
    assert evaluated(client, params, "outcome") == parent


def test_an_evaluation_that_is_logged_again_stays_where_it_is(
    client: MlflowClient, params: Params
) -> None:
    """As of one that is kept, by a `realart send` that was killed before it took it away."""
    parent = trained(client, params, "mine", "outcome")
    for _ in range(2):
        assert evaluated(client, params, "outcome", "kept") == parent
    other = evaluated(client, params, "outcome", "kept later")
    assert other != parent
    assert evaluated(client, params, "outcome", "kept later") == other
    assert len(runs(client, params)) == 2 * (1 + FOLDS)


def test_an_evaluation_that_failed_is_made_up_for_in_its_run(
    client: MlflowClient, params: Params
) -> None:
    training = mlflow_runs.training(params, "data", id="one")
    with (
        pytest.raises(OSError, match="disk full"),
        mlflow_runs.evaluation_of(client, training, "outcome", LEARNT) as first,
    ):
        raise OSError("disk full")
    assert evaluated(client, params, "outcome") == first
    assert_complete(client, params, first)


def test_params_bear_the_names_of_params_yaml() -> None:
    published = yaml12.load((REPOSITORY / "params.yaml").read_text(), "params.yaml")
    described = mlflow_runs.describe(PARAMS.model_copy(update={"model": "cnn"}))
    assert described["dataset"] == published["dataset"]
    for group in ("clean", "split", "balance", "train", "evaluate"):
        flat = {name: value for name, value in described.items() if name.startswith(f"{group}.")}
        assert flat == {f"{group}.{name}": value for name, value in published[group].items()}
    recipe = published["recipes"]["cnn"]
    assert described["recipe.sees.size"] == recipe["sees"]["size"]
    assert described["recipe.optimizer.name"] == recipe["optimizer"]["name"]
    assert described["recipe.layers"] == recipe["layers"]
    assert not any(name.startswith("ela.") for name in described)


def test_params_of_a_recipe_on_vectors_hold_those_of_its_descriptors() -> None:
    described = mlflow_runs.describe(PARAMS.model_copy(update={"model": "mobilenetv2_svm"}))
    assert described["recipe.head.name"] == "svm"
    assert described["descriptors.mobilenetv2.backbone.name"] == "MobileNetV2"
    assert described["descriptors.mobilenetv2.size"] == 320
    assert not any(name.startswith("descriptors.forensic") for name in described)


def test_params_of_an_ela_recipe_hold_those_of_the_maps(
    client: MlflowClient, params: Params
) -> None:
    params = params.model_copy(update={"model": "cnn_ela"})
    assert mlflow_runs.describe(params)["ela.quality"] == PARAMS.ela.quality
    noted = client.get_run(begun(client, params).parent).data.params
    assert noted == {name: str(value) for name, value in mlflow_runs.describe(params).items()}


def test_an_outcome_is_its_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name / "0").mkdir(parents=True)
        (tmp_path / name / "0/best").write_bytes(b"weights" * 300_000)
    assert mlflow_runs.outcome_of(tmp_path / "one") == mlflow_runs.outcome_of(tmp_path / "two")
    (tmp_path / "two/0/best").write_bytes(b"weights" * 299_999 + b"weightz")
    assert mlflow_runs.outcome_of(tmp_path / "one") != mlflow_runs.outcome_of(tmp_path / "two")
