"""Events reach MLflow in order; a store that is away or hangs never stops a training."""

import socket
import threading
import time
from contextlib import suppress
from pathlib import Path

import pandas as pd
import pytest
from mlflow import MlflowClient

from realart.core.errors import RealartError
from realart.params import Params
from realart.tracking import background_logger, kept_trainings, store, training_runs
from realart.tracking.training_runs import MetricEvent, TrainingRecord
from realart.training.folds import FoldResult

pytestmark = pytest.mark.slow

HISTORY = pd.DataFrame({"epoch": [0, 1], "loss": [0.9, 0.5], "val_loss": [1.0, 0.8]})


def record(params: Params, id: str = "mine") -> TrainingRecord:
    return training_runs.training_record(params, "data", "key", id)


def log_all(logger: background_logger.BackgroundLogger) -> None:
    """Log a training of one fold."""
    logger.end_fold(0, FoldResult(HISTORY, pd.DataFrame(), {"auc": 0.8}))
    logger.outcome = "outcome"


def assert_logged(client: MlflowClient, params: Params) -> str:
    """All of one training is logged; return the id of its run."""
    runs = client.search_runs([store.experiment_id(client, params.dataset)])
    named = {run.info.run_name: run for run in runs}
    assert len(runs) == len(named) == 2
    child, parent = named["fold 0"], named[f"{params.model} on {params.dataset}"]
    assert child.info.status == parent.info.status == "FINISHED"
    points = client.get_metric_history(child.info.run_id, "val_loss")
    assert [(point.step, point.value) for point in points] == [(0, 1.0), (1, 0.8)]
    assert child.data.metrics["held_out/auc"] == 0.8
    assert parent.data.tags[training_runs.OUTCOME] == "outcome"
    return str(parent.info.run_id)


def test_a_training_is_logged(client: MlflowClient, params: Params, own_store: Path) -> None:
    with background_logger.log_in_background(record(params)) as logger:
        log_all(logger)
    assert_logged(client, params)
    assert not (own_store / ".realart/unsent").exists()


@pytest.mark.parametrize(
    ("error", "status"), [(KeyboardInterrupt, "KILLED"), (RealartError, "FAILED")]
)
def test_a_training_that_did_not_end_is_resumed(
    client: MlflowClient, params: Params, error: type[BaseException], status: str
) -> None:
    """And its folds end with it."""
    with suppress(error), background_logger.log_in_background(record(params)) as logger:
        logger.log(training_runs.epoch_event(0, HISTORY.to_dict("records")[0]))
        raise error("cut")
    runs = client.search_runs([store.experiment_id(client, params.dataset)])
    assert [run.info.status for run in runs] == [status, status]
    with background_logger.log_in_background(record(params)) as logger:  # it goes on
        log_all(logger)
    assert_logged(client, params)


def test_a_training_by_hand_is_not_logged(
    client: MlflowClient,
    params: Params,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """It would be a run without an evaluation."""
    monkeypatch.delenv("DVC_STAGE", raising=False)
    with background_logger.log_pipeline(record(params)) as logger:
        log_all(logger)
    assert client.search_runs([store.experiment_id(client, params.dataset)]) == []
    assert "started by hand" in capsys.readouterr().err
    monkeypatch.setenv("DVC_STAGE", "train")
    with background_logger.log_pipeline(record(params)) as logger:
        log_all(logger)
    assert_logged(client, params)


def test_metrics_of_the_machine_are_logged(
    client: MlflowClient, params: Params, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL", "0.3")
    with background_logger.log_in_background(record(params)) as logger:
        log_all(logger)
        time.sleep(1.5)
    parent = assert_logged(client, params)
    used = client.get_metric_history(parent, "system/cpu_utilization_percentage")
    assert len(used) >= 2
    assert len({point.timestamp for point in used}) == len(used)
    began = client.get_run(parent).info.start_time
    assert all(point.step == (point.timestamp - began) // 1000 for point in used)
    assert all(0 <= point.value <= 100 for point in used)
    assert client.get_run(parent).data.metrics["system/system_memory_usage_megabytes"] > 0


def test_a_deleted_experiment_refuses_a_training(client: MlflowClient, params: Params) -> None:
    client.delete_experiment(store.experiment_id(client, params.dataset))
    with pytest.raises(RealartError, match="was deleted"):
        background_logger.BackgroundLogger(record(params))


def kept_events(folder: Path) -> list[MetricEvent]:
    (file,) = folder.glob(".realart/unsent/outcome/*.json")
    _, events = kept_trainings.read(file)
    return events


def test_events_are_kept_while_the_store_is_away(
    params: Params,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://user:secret@127.0.0.1:9")
    with background_logger.log_in_background(record(params)) as logger:
        log_all(logger)
    events = kept_events(tmp_path)
    assert [event.metrics.get("val_loss") for event in events] == [None, 1.0, 0.8, None, None]
    assert events[-1].outcome == "outcome"
    first, last = capsys.readouterr().err.splitlines()
    assert first.startswith("train: MLflow at http://127.0.0.1:9 can't be used (")
    assert "refused" in first
    assert first.endswith("training goes on")
    assert last.endswith("lacks a part of this training: `realart send` sends it")


def test_a_failed_training_keeps_nothing_while_the_store_is_away(
    params: Params, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is trained again, and logged then."""
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    with (
        pytest.raises(ValueError, match="bad"),
        background_logger.log_in_background(record(params)),
    ):
        raise ValueError("bad")
    assert not (tmp_path / ".realart/unsent").exists()


def test_a_store_that_hangs_does_not_hold_up_a_training(
    params: Params, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(background_logger, "WAIT_SECONDS", 0.5)
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{server.getsockname()[1]}")
        start = time.monotonic()
        with background_logger.log_in_background(record(params)) as logger:
            log_all(logger)
        assert time.monotonic() - start < store.REQUEST_SECONDS
        assert len(kept_events(tmp_path)) == 5


def test_many_threads_may_log(client: MlflowClient, params: Params) -> None:
    with background_logger.log_in_background(record(params)) as logger:
        threads = [
            threading.Thread(
                target=lambda n=n: logger.log(
                    MetricEvent(training_runs.now(), metrics={f"thread/{n}": n})
                )
            )
            for n in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        log_all(logger)
    parent = client.get_run(assert_logged(client, params))
    assert all(parent.data.metrics[f"thread/{n}"] == n for n in range(8))
