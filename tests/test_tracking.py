"""Runs in real SQLite stores: who is whose child, what is used again, and many at once."""

import http.server
import os
import socketserver
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import pytest
import yaml
from mlflow import MlflowClient
from mlflow.entities import Run
from networks import KNOBS, REPOSITORY, clean_environment, python

from realart import tracking
from realart.errors import RealartError

FIGURES = {"accuracy": 0.75, "auc": 0.8}
HISTORY = pd.DataFrame(
    {"epoch": [0, 1, 2], "phase": [0, 0, 0], "loss": [0.9, 0.5, 0.4], "accuracy": [0.5, 0.6, 0.7],
     "val_loss": [1.0, 0.8, 0.9], "val_accuracy": [0.4, 0.6, 0.5]}
)  # fmt: skip
FOLDS = 2


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Create one store, which takes seconds; each test has an experiment of its own."""
    folder = tmp_path_factory.mktemp("project")
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("DVC_ROOT", str(folder))
        patched.delenv("MLFLOW_TRACKING_URI", raising=False)
        tracking.connect()
    return folder


@pytest.fixture
def client(store: Path, monkeypatch: pytest.MonkeyPatch) -> MlflowClient:
    monkeypatch.setenv("DVC_ROOT", str(store))
    for name in ("MLFLOW_TRACKING_URI", "DVC_EXP_NAME", "DVC_EXP_BASELINE_REV"):
        monkeypatch.delenv(name, raising=False)
    return tracking.connect()


@pytest.fixture
def params(request: pytest.FixtureRequest) -> tracking.Params:
    return KNOBS.model_copy(update={"dataset": request.node.name.replace("[", "-").strip("]")})


def runs(client: MlflowClient, params: tracking.Params) -> list[Run]:
    return list(client.search_runs([tracking.experiment(client, params)]))


def children(client: MlflowClient, params: tracking.Params, parent: str) -> dict[str, Run]:
    found = [run for run in runs(client, params) if run.data.tags.get(tracking.PARENT) == parent]
    named = {run.data.tags[tracking.FOLD]: run for run in found}
    assert len(named) == len(found)
    return named


def curve(client: MlflowClient, run_id: str, name: str) -> dict[int, float]:
    """Return the value of each step, of which there is one."""
    history = client.get_metric_history(run_id, name)
    values = {metric.step: metric.value for metric in history}
    assert len(values) == len(history)
    return values


def trained(client: MlflowClient, params: tracking.Params, key: str, outcome: str) -> str:
    """Track a whole training, as the stage does."""
    parent = tracking.start(client, params, "data", key)
    for fold in range(FOLDS):
        child = tracking.start_fold(client, parent, fold)
        for record in HISTORY.to_dict("records"):
            tracking.log_epoch(client, child, record)
        tracking.log_fold(client, parent, fold, HISTORY, FIGURES)
    tracking.end(client, parent, outcome)
    return parent


def evaluated(client: MlflowClient, params: tracking.Params, outcome: str) -> str:
    both = [HISTORY] * FOLDS, [FIGURES] * FOLDS
    with tracking.evaluation_of(client, params, "data", outcome, *both) as run_id:
        tracking.log_report(client, run_id, {"test": {"accuracy": 0.5, "confusion": {"tp": 3}}})
    return run_id


def assert_complete(client: MlflowClient, params: tracking.Params, parent: str) -> None:
    folds = children(client, params, parent)
    assert sorted(folds) == ["0", "1"]
    for run in folds.values():
        assert run.info.status == "FINISHED"
        assert curve(client, run.info.run_id, "val_loss") == {0: 1.0, 1: 0.8, 2: 0.9}
        assert run.data.metrics["held_out/auc"] == 0.8
    assert client.get_run(parent).info.status == "FINISHED"
    assert client.get_run(parent).data.params["model"] == params.model


def test_what_a_training_takes_of_the_machine_is_logged(
    client: MlflowClient, params: tracking.Params, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL", "0.2")
    parent = tracking.start(client, params, "data", "key")
    used = "system/cpu_utilization_percentage"
    for steps in (1, 2):  # the second goes on where the first was broken off
        until = time.monotonic() + 60
        with tracking.watched(parent):
            while len(curve(client, parent, used)) < steps and time.monotonic() < until:
                time.sleep(0.1)
    found = client.get_run(parent).data.metrics
    assert sorted(curve(client, parent, used))[:2] == [0, 1]
    assert 0 <= found[used] <= 100
    assert found["system/system_memory_usage_megabytes"] > 0


def test_a_training_is_a_parent_with_a_child_for_each_fold(
    client: MlflowClient, params: tracking.Params
) -> None:
    parent = trained(client, params, "key", "outcome")
    assert_complete(client, params, parent)
    run = client.get_run(parent)
    assert len(runs(client, params)) == 1 + FOLDS
    assert run.info.run_name == params.model
    assert run.data.tags["data_fingerprint"] == "data"
    assert tracking.PARENT not in run.data.tags
    assert client.get_experiment_by_name(f"realart-{params.dataset}")
    assert [fold.info.run_name for _, fold in sorted(children(client, params, parent).items())] == [
        "fold 0", "fold 1",
    ]  # fmt: skip


def test_the_run_of_an_experiment_bears_its_name(
    client: MlflowClient, params: tracking.Params, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DVC_EXP_NAME", "muggy-newt")
    monkeypatch.setenv("DVC_EXP_BASELINE_REV", "0123abc")
    run = client.get_run(tracking.start(client, params, "data", "key"))
    assert run.info.run_name == run.data.tags["dvc_experiment"] == "muggy-newt"
    assert run.data.tags["commit"] == "0123abc"


@pytest.mark.parametrize("failed", [False, True])
def test_an_unfinished_training_goes_on_in_its_run(
    client: MlflowClient, params: tracking.Params, failed: bool
) -> None:
    first = tracking.start(client, params, "data", "key")
    child = tracking.start_fold(client, first, 0)
    tracking.log_epoch(client, child, HISTORY.to_dict("records")[0])
    if failed:
        tracking.end(client, first, None)
        assert client.get_run(first).info.status == "FAILED"
    assert tracking.start(client, params, "data", "another key") != first
    assert trained(client, params, "key", "outcome") == first
    assert children(client, params, first)["0"].info.run_id == child
    assert_complete(client, params, first)


def test_a_finished_training_is_not_gone_on_with(
    client: MlflowClient, params: tracking.Params
) -> None:
    first = trained(client, params, "key", "outcome")
    second = tracking.start(client, params, "data", "key")
    assert second != first
    assert tracking.start(client, params, "data", "key") == second
    assert client.get_run(first).info.status == "FINISHED"


def test_a_run_without_a_key_is_always_new(client: MlflowClient, params: tracking.Params) -> None:
    assert len({tracking.start(client, params, "data", "") for _ in range(3)}) == 3


def test_an_epoch_logged_twice_is_one_point_of_the_curve(
    client: MlflowClient, params: tracking.Params
) -> None:
    child = tracking.start_fold(client, tracking.start(client, params, "data", "key"), 0)
    for record in HISTORY.to_dict("records") * 2:
        tracking.log_epoch(client, child, record)
        time.sleep(0.002)
    points = client.get_metric_history(child, "loss")
    assert [(point.step, point.value) for point in points] == [(0, 0.9), (1, 0.5), (2, 0.4)]


def test_an_evaluation_belongs_to_the_run_that_was_trained(
    client: MlflowClient, params: tracking.Params
) -> None:
    parent = trained(client, params, "key", "outcome")
    trained(client, params, "other key", "other outcome")
    assert evaluated(client, params, "outcome") == parent
    run = client.get_run(parent)
    assert run.data.metrics["test/accuracy"] == 0.5
    assert run.data.metrics["test/confusion/tp"] == 3
    assert len(runs(client, params)) == 2 * (1 + FOLDS)


def test_each_further_evaluation_is_a_complete_run_of_its_own(
    client: MlflowClient, params: tracking.Params
) -> None:
    parents = [trained(client, params, "key", "outcome")]
    for _ in range(3):
        parents.append(evaluated(client, params, "outcome"))
    assert parents[0] == parents[1]
    assert len(set(parents)) == 3
    for parent in set(parents):
        assert_complete(client, params, parent)
        assert client.get_run(parent).data.metrics["test/accuracy"] == 0.5


def test_an_evaluation_that_failed_is_made_up_for_in_its_run(
    client: MlflowClient, params: tracking.Params
) -> None:
    both = [HISTORY] * FOLDS, [FIGURES] * FOLDS
    with (
        pytest.raises(OSError, match="disk full"),
        tracking.evaluation_of(client, params, "data", "outcome", *both) as first,
    ):
        raise OSError("disk full")
    assert evaluated(client, params, "outcome") == first
    assert_complete(client, params, first)


def test_params_bear_the_names_of_params_yaml() -> None:
    published = yaml.safe_load((REPOSITORY / "params.yaml").read_text())
    described = tracking.describe(KNOBS.model_copy(update={"model": "cnn"}))
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
    described = tracking.describe(KNOBS.model_copy(update={"model": "mobilenetv2_svm"}))
    assert described["recipe.head.name"] == "svm"
    assert described["descriptors.mobilenetv2.backbone.name"] == "MobileNetV2"
    assert described["descriptors.mobilenetv2.size"] == 320
    assert not any(name.startswith("descriptors.forensic") for name in described)


def test_params_of_an_ela_recipe_hold_those_of_the_maps(
    client: MlflowClient, params: tracking.Params
) -> None:
    knobs = params.model_copy(update={"model": "cnn_ela"})
    assert tracking.describe(knobs)["ela.quality"] == KNOBS.ela.quality
    noted = client.get_run(tracking.start(client, knobs, "data", "")).data.params
    assert noted == {name: str(value) for name, value in tracking.describe(knobs).items()}


def test_an_outcome_is_its_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name / "0").mkdir(parents=True)
        (tmp_path / name / "0/best").write_bytes(b"weights" * 300_000)
    assert tracking.outcome_of(tmp_path / "one") == tracking.outcome_of(tmp_path / "two")
    (tmp_path / "two/0/best").write_bytes(b"weights" * 299_999 + b"weightz")
    assert tracking.outcome_of(tmp_path / "one") != tracking.outcome_of(tmp_path / "two")


AT_ONCE = """
import os, sys, time
from pathlib import Path
from realart import params, tracking

knobs = params.load()
for round in range(int(sys.argv[1])):
    folder = Path(sys.argv[2]) / str(round)
    folder.mkdir(exist_ok=True)
    (folder / f"ready-{os.getpid()}").touch()
    while len(list(folder.glob("ready-*"))) < int(sys.argv[3]):
        time.sleep(0.001)
    os.environ["DVC_ROOT"] = str(folder)
    client = tracking.connect()
    run = tracking.start(client, knobs, "data", "")
    tracking.log(client, run, {"loss": 1.0})
    tracking.end(client, run, "outcome")
"""


def test_many_processes_may_create_the_store_at_once(tmp_path: Path) -> None:
    rounds, count = 1, 3
    command = [sys.executable, "-c", AT_ONCE, str(rounds), str(tmp_path), str(count)]
    processes = [
        subprocess.Popen(
            command, cwd=REPOSITORY, env=clean_environment(), stderr=subprocess.PIPE, text=True
        )
        for _ in range(count)
    ]
    for process in processes:
        _, complaints = process.communicate(timeout=120)
        assert process.returncode == 0, complaints
    for number in range(rounds):
        uri = f"sqlite:///{tmp_path / str(number)}/mlruns/mlflow.db"
        client = MlflowClient(uri)
        found = client.get_experiment_by_name(f"realart-{KNOBS.dataset}")
        assert found
        stored = client.search_runs([found.experiment_id])
        assert [run.info.status for run in stored] == ["FINISHED"] * count


def test_artifacts_lie_beside_the_store(client: MlflowClient, params: tracking.Params) -> None:
    run = client.get_run(tracking.start(client, params, "data", ""))
    folder = tracking.root() / "mlruns/artifacts"
    assert run.info.artifact_uri.startswith(folder.as_uri())
    (tracking.root() / "note.txt").write_text("kept")
    client.log_artifact(run.info.run_id, str(tracking.root() / "note.txt"))
    assert [file.read_text() for file in folder.rglob("note.txt")] == ["kept"]


def test_an_empty_address_is_none(
    client: MlflowClient, params: tracking.Params, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "")
    run = client.get_run(tracking.start(client, params, "data", ""))
    assert run.info.artifact_uri.startswith((tracking.root() / "mlruns/artifacts").as_uri())


def test_a_server_that_is_not_there_is_named_without_its_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://user:secret@127.0.0.1:9")
    start = time.monotonic()
    with pytest.raises(RealartError) as refusal:
        tracking.connect()
    assert time.monotonic() - start < 20
    assert "127.0.0.1:9" in str(refusal.value)
    assert "MLFLOW_TRACKING_URI" in str(refusal.value)
    assert "secret" not in str(refusal.value)


def test_a_store_that_is_none_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    (tmp_path / "mlruns").mkdir()
    (tmp_path / "mlruns/mlflow.db").write_bytes(b"this is no database" * 100)
    with pytest.raises(RealartError, match=r"mlflow\.db"):
        tracking.connect()


def test_an_experiment_that_was_deleted_is_named(
    client: MlflowClient, params: tracking.Params
) -> None:
    client.delete_experiment(tracking.experiment(client, params))
    with pytest.raises(RealartError, match=params.dataset):
        tracking.start(client, params, "data", "key")


class _Proxy(http.server.BaseHTTPRequestHandler):
    """Notes who was to be reached, and lets nobody through."""

    def do_CONNECT(self) -> None:
        self.server.asked.append(self.path)  # type: ignore[attr-defined]
        self.send_error(403)

    do_GET = do_POST = do_HEAD = do_CONNECT  # noqa: N815

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def listening() -> Iterator[tuple[str, list[str]]]:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Proxy) as server:
        server.daemon_threads = True
        server.asked = asked = []  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}", asked
        server.shutdown()


QUIET = """
import mlflow  # as stages do, before the module that turns its telemetry off
from realart import params, tracking
client = tracking.connect()
run = tracking.start(client, params.load(), "data", "key")
tracking.log(client, tracking.start_fold(client, run, 0), {"loss": 1.0})
tracking.end(client, run, "outcome")
"""


def test_nobody_is_told_of_a_run(tmp_path: Path) -> None:
    with listening() as (proxy, asked):
        proxies = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), proxy)
        result = python(QUIET, DVC_ROOT=str(tmp_path), HOME=str(tmp_path), **proxies)
        assert result.returncode == 0, result.stderr
    assert asked == []
    assert os.environ["MLFLOW_DISABLE_TELEMETRY"] == "true"
