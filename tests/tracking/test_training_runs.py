"""Runs of trainings in a real SQLite store: parents and folds, resumed by id, logged once."""

from dataclasses import replace
from pathlib import Path

import pytest
from mlflow import MlflowClient
from networks import PARAMS, REPOSITORY
from tracked_training import (
    FOLDS,
    HISTORY,
    RESULTS,
    all_runs,
    assert_complete,
    begin_training,
    fold_runs,
    log_training,
)

from realart.core import yaml12
from realart.params import Params
from realart.tracking import run_description, store, training_runs
from realart.tracking.training_runs import MetricEvent, TrainingRuns

pytestmark = pytest.mark.slow


def test_a_training_is_a_parent_with_a_child_for_each_fold(
    client: MlflowClient, params: Params
) -> None:
    parent = log_training(client, params, "mine", "outcome")
    assert_complete(client, params, parent)
    run = client.get_run(parent)
    assert len(all_runs(client, params)) == 1 + FOLDS
    assert run.info.run_name == f"{params.model} on {params.dataset}"
    assert run.data.tags["data_fingerprint"] == "data"
    assert run.data.tags["mlflow.source.name"] == "stages/train.py"
    assert run.data.tags["mlflow.user"]
    assert training_runs.PARENT not in run.data.tags
    assert client.get_experiment_by_name(f"realart-{params.dataset}")
    folds = sorted(fold_runs(client, params, parent).items())
    assert [fold.info.run_name for _, fold in folds] == ["fold 0", "fold 1"]
    for _, fold in folds:
        assert fold.data.params == run.data.params
        assert fold.data.tags["mlflow.user"] == run.data.tags["mlflow.user"]


def test_the_run_of_an_experiment_is_tagged_with_its_name(
    client: MlflowClient, params: Params, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DVC_EXP_NAME", "muggy-newt")
    monkeypatch.setenv("DVC_EXP_BASELINE_REV", "0123abc")
    run = client.get_run(begin_training(client, params).parent)
    assert run.info.run_name == f"{params.model} on {params.dataset}"
    assert run.data.tags["dvc_experiment"] == "muggy-newt"
    assert run.data.tags["mlflow.source.git.commit"] == "0123abc"


def test_folds_of_a_failed_training_have_failed(client: MlflowClient, params: Params) -> None:
    """Not those that had finished; the others run again when the training is resumed."""
    runs = begin_training(client, params, "mine")
    runs.log(training_runs.fold_events(0, RESULTS[0])[-1])
    runs.log(MetricEvent(training_runs.now(), 1, {"loss": float("nan")}, 0))
    runs.log(training_runs.end_event(""))
    statuses = {
        fold: run.info.status for fold, run in fold_runs(client, params, runs.parent).items()
    }
    assert statuses == {"0": "FINISHED", "1": "FAILED"}
    begin_training(client, params, "mine").log(MetricEvent(training_runs.now(), 1))
    assert fold_runs(client, params, runs.parent)["1"].info.status == "RUNNING"


def test_a_training_that_an_earlier_release_began_is_resumed(
    client: MlflowClient, params: Params
) -> None:
    """Its run has another name and other tags, and its folds no params."""
    experiment = store.experiment_id(client, params.dataset)
    tags = {training_runs.TRAINING: "mine", training_runs.KEY: "key", "commit": "none"}
    run = client.create_run(experiment, tags=tags, run_name="platy-wart")
    fold = {training_runs.PARENT: run.info.run_id, training_runs.FOLD: "0"}
    client.create_run(experiment, tags=fold, run_name="fold 0")
    assert log_training(client, params, "mine", "outcome") == run.info.run_id
    assert_complete(client, params, run.info.run_id)
    for resumed in fold_runs(client, params, run.info.run_id).values():
        assert resumed.data.params["model"] == params.model


@pytest.mark.parametrize("failed", [False, True])
def test_an_interrupted_training_is_resumed_in_its_run(
    client: MlflowClient, params: Params, failed: bool
) -> None:
    first = begin_training(client, params, "mine")
    first.log(training_runs.epoch_event(0, HISTORY.to_dict("records")[0]))
    if failed:
        first.log(training_runs.end_event(""))
        assert client.get_run(first.parent).info.status == "FAILED"
    child = fold_runs(client, params, first.parent)["0"].info.run_id
    assert begin_training(client, params, "another").parent != first.parent
    assert log_training(client, params, "mine", "outcome") == first.parent
    assert fold_runs(client, params, first.parent)["0"].info.run_id == child
    assert_complete(client, params, first.parent)


def test_a_finished_training_stays_one_run(client: MlflowClient, params: Params) -> None:
    """As when it was killed before it could forget its id."""
    first = log_training(client, params, "mine", "outcome")
    assert begin_training(client, params, "mine").is_complete("outcome")
    assert not begin_training(client, params, "mine").is_complete("another outcome")
    assert log_training(client, params, "mine", "outcome") == first
    assert_complete(client, params, first)
    assert log_training(client, params, "another", "outcome") != first


def test_a_run_without_an_id_is_always_new(client: MlflowClient, params: Params) -> None:
    assert len({begin_training(client, params).parent for _ in range(3)}) == 3


def test_an_epoch_is_a_point_and_keeps_its_time(client: MlflowClient, params: Params) -> None:
    records = HISTORY.to_dict("records")
    for again in range(2):  # in one process, and in one that goes on
        runs = begin_training(client, params, "mine")
        for record in records * 2:
            runs.log(
                replace(
                    training_runs.epoch_event(0, record), at=1000 + again + int(record["epoch"])
                )
            )
    (child,) = fold_runs(client, params, runs.parent).values()
    points = client.get_metric_history(child.info.run_id, "loss")
    assert [(point.step, point.value, point.timestamp) for point in points] == [
        (0, 0.9, 1000), (1, 0.5, 1001), (2, 0.4, 1002),
    ]  # fmt: skip


def test_an_event_is_logged_once(client: MlflowClient, params: Params) -> None:
    """So that what may have arrived can be sent again."""
    runs = begin_training(client, params, "mine")
    began = client.get_run(runs.parent).info.start_time
    events = [
        MetricEvent(began + 3500, metrics={"used": 0.5}),
        MetricEvent(began + 7000, 0, {"held_out/auc": 0.8}, 0, "FINISHED"),
        MetricEvent(began + 9000, status="FINISHED", outcome="outcome"),
    ]
    for event in events * 2:
        runs.log(event)
    (used,) = client.get_metric_history(runs.parent, "used")
    assert (used.step, used.timestamp) == (3, began + 3500)
    (child,) = fold_runs(client, params, runs.parent).values()
    assert len(client.get_metric_history(child.info.run_id, "held_out/auc")) == 1
    assert child.info.end_time == began + 7000
    assert client.get_run(runs.parent).info.end_time == began + 9000


def test_missing_params_are_logged_when_a_training_is_resumed(
    client: MlflowClient, params: Params
) -> None:
    training = training_runs.training_record(params, "data", "key", "mine")
    experiment = store.experiment_id(client, params.dataset)
    run = client.create_run(experiment, tags=training.tags)
    assert TrainingRuns(client, training).parent == run.info.run_id
    assert client.get_run(run.info.run_id).data.params == training.params


def test_params_bear_the_names_of_params_yaml() -> None:
    published = yaml12.load((REPOSITORY / "params.yaml").read_text(), "params.yaml")
    flat = run_description.flat_params(PARAMS.model_copy(update={"model": "cnn"}))
    assert flat["dataset"] == published["dataset"]
    for group in ("clean", "split", "balance", "train", "evaluate"):
        group_params = {name: value for name, value in flat.items() if name.startswith(f"{group}.")}
        assert group_params == {
            f"{group}.{name}": value for name, value in published[group].items()
        }
    recipe = published["recipes"]["cnn"]
    assert flat["recipe.sees.size"] == recipe["sees"]["size"]
    assert flat["recipe.optimizer.name"] == recipe["optimizer"]["name"]
    assert flat["recipe.layers"] == recipe["layers"]
    assert not any(name.startswith("ela.") for name in flat)


def test_params_of_a_recipe_on_vectors_include_its_descriptors() -> None:
    flat = run_description.flat_params(PARAMS.model_copy(update={"model": "mobilenetv2_svm"}))
    assert flat["recipe.head.name"] == "svm"
    assert flat["descriptors.mobilenetv2.backbone.name"] == "MobileNetV2"
    assert flat["descriptors.mobilenetv2.size"] == 320
    assert not any(name.startswith("descriptors.forensic") for name in flat)


def test_params_of_an_ela_recipe_include_those_of_its_maps(
    client: MlflowClient, params: Params
) -> None:
    params = params.model_copy(update={"model": "cnn_ela"})
    assert run_description.flat_params(params)["ela.quality"] == PARAMS.ela.quality
    noted = client.get_run(begin_training(client, params).parent).data.params
    assert noted == {
        name: str(value) for name, value in run_description.flat_params(params).items()
    }


def test_an_outcome_fingerprint_depends_on_bytes_alone(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name / "0").mkdir(parents=True)
        (tmp_path / name / "0/best").write_bytes(b"weights" * 300_000)
    assert training_runs.outcome_fingerprint(tmp_path / "one") == training_runs.outcome_fingerprint(
        tmp_path / "two"
    )
    (tmp_path / "two/0/best").write_bytes(b"weights" * 299_999 + b"weightz")
    assert training_runs.outcome_fingerprint(tmp_path / "one") != training_runs.outcome_fingerprint(
        tmp_path / "two"
    )
