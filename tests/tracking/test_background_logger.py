"""MLflow is told what a training says, in order; a store that is away or hangs stops nothing."""

import socket
import threading
import time
from contextlib import suppress
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mlflow import MlflowClient

from realart.core.errors import RealartError
from realart.params import Params
from realart.tracking import background_logger, mlflow_runs, store
from realart.tracking.mlflow_runs import MetricEvent, TrainingRecord

HISTORY = pd.DataFrame({"epoch": [0, 1], "loss": [0.9, 0.5], "val_loss": [1.0, 0.8]})


def training(params: Params, id: str = "mine") -> TrainingRecord:
    return mlflow_runs.training(params, "data", "key", id)


def say_all(told: background_logger.BackgroundLogger) -> None:
    """Say what a training of one fold says."""
    told.log(*mlflow_runs.fold_ended(0, HISTORY, {"auc": 0.8}))
    told.outcome = "outcome"


def assert_told(client: MlflowClient, params: Params) -> str:
    """The store knows all of one training; return its run."""
    runs = client.search_runs([store.experiment(client, params.dataset)])
    named = {run.info.run_name: run for run in runs}
    assert len(runs) == len(named) == 2
    child, parent = named["fold 0"], named[params.model]
    assert child.info.status == parent.info.status == "FINISHED"
    points = client.get_metric_history(child.info.run_id, "val_loss")
    assert [(point.step, point.value) for point in points] == [(0, 1.0), (1, 0.8)]
    assert child.data.metrics["held_out/auc"] == 0.8
    assert parent.data.tags[mlflow_runs.OUTCOME] == "outcome"
    return str(parent.info.run_id)


def test_all_is_told(client: MlflowClient, params: Params, own_store: Path) -> None:
    with background_logger.logging_of(training(params)) as told:
        say_all(told)
    assert_told(client, params)
    assert not (own_store / ".realart/unsent").exists()


def test_what_fails_has_failed(client: MlflowClient, params: Params) -> None:
    with suppress(KeyboardInterrupt), background_logger.logging_of(training(params)) as told:
        told.log(mlflow_runs.epoch(0, HISTORY.to_dict("records")[0]))
        raise KeyboardInterrupt
    runs = client.search_runs([store.experiment(client, params.dataset)])
    assert sorted(run.info.status for run in runs) == ["FAILED", "RUNNING"]
    with background_logger.logging_of(training(params)) as told:  # it goes on
        say_all(told)
    assert_told(client, params)


def test_what_a_training_takes_of_the_machine_is_told(
    client: MlflowClient, params: Params, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL", "0.3")
    with background_logger.logging_of(training(params)) as told:
        say_all(told)
        time.sleep(1.5)
    parent = assert_told(client, params)
    used = client.get_metric_history(parent, "system/cpu_utilization_percentage")
    assert len(used) >= 2
    assert len({point.timestamp for point in used}) == len(used)
    began = client.get_run(parent).info.start_time
    assert all(point.step == (point.timestamp - began) // 1000 for point in used)
    assert all(0 <= point.value <= 100 for point in used)
    assert client.get_run(parent).data.metrics["system/system_memory_usage_megabytes"] > 0


def test_an_experiment_that_was_deleted_is_named_before_it_begins(
    client: MlflowClient, params: Params
) -> None:
    client.delete_experiment(store.experiment(client, params.dataset))
    with pytest.raises(RealartError, match="was deleted"):
        background_logger.BackgroundLogger(training(params))


def kept(folder: Path) -> list[MetricEvent]:
    (file,) = folder.glob(".realart/unsent/outcome/*.json")
    _, said = background_logger.load(file)
    return said


def test_what_could_not_be_told_is_kept(
    params: Params,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://user:secret@127.0.0.1:9")
    with background_logger.logging_of(training(params)) as told:
        say_all(told)
    said = kept(tmp_path)
    assert [one.metrics.get("val_loss") for one in said] == [None, 1.0, 0.8, None, None]
    assert said[-1].outcome == "outcome"
    first, last = capsys.readouterr().err.splitlines()
    assert first.startswith("train: MLflow at http://127.0.0.1:9 can't be used (")
    assert "refused" in first
    assert first.endswith("training goes on")
    assert last.endswith("was not told all: `realart send` sends the rest")


def test_what_fails_while_the_store_is_away_keeps_nothing(
    params: Params, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is trained again, and said again then."""
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    with pytest.raises(ValueError, match="bad"), background_logger.logging_of(training(params)):
        raise ValueError("bad")
    assert not (tmp_path / ".realart/unsent").exists()


def test_a_store_that_hangs_holds_nothing_up(
    params: Params, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(background_logger, "PATIENCE", 0.5)
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{server.getsockname()[1]}")
        begun = time.monotonic()
        with background_logger.logging_of(training(params)) as told:
            say_all(told)
        assert time.monotonic() - begun < store.HANGING
        assert len(kept(tmp_path)) == 5


@given(
    st.lists(
        st.builds(
            MetricEvent,
            st.integers(0, 2**42),
            st.none() | st.integers(0, 9),
            st.dictionaries(st.text(), st.floats(allow_nan=False)),
            st.none() | st.integers(0, 999),
            st.sampled_from(["", "FINISHED", "FAILED"]),
            st.text(),
        )
    )
)
def test_what_is_kept_is_what_was_said(
    tmp_path_factory: pytest.TempPathFactory, said: list[MetricEvent]
) -> None:
    file = tmp_path_factory.mktemp("kept") / "file"
    begun = TrainingRecord("id", "set", "name", 5, {"lr": "0.1"}, {"tag": "ü"})
    background_logger.save(file, begun, said)
    assert background_logger.load(file) == (begun, said)


def test_many_threads_may_say(client: MlflowClient, params: Params) -> None:
    with background_logger.logging_of(training(params)) as told:
        threads = [
            threading.Thread(
                target=lambda n=n: told.log(
                    MetricEvent(mlflow_runs.now(), metrics={f"said/{n}": n})
                )
            )
            for n in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        say_all(told)
    parent = client.get_run(assert_told(client, params))
    assert all(parent.data.metrics[f"said/{n}"] == n for n in range(8))
