"""The store: created once, silent towards others, and named without secrets in errors."""

import http.server
import os
import socket
import socketserver
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from networks import PARAMS, REPOSITORY, clean_environment, python

from realart.core.errors import RealartError
from realart.core.project import root
from realart.params import Params
from realart.tracking import pages, store, training_runs
from realart.tracking.store import StoreUnavailableError

pytestmark = pytest.mark.slow

AT_ONCE = """
import os, sys, time
from pathlib import Path
from realart.params import load_params
from realart.tracking import pages, store, training_runs

params = load_params()
for round in range(int(sys.argv[1])):
    folder = Path(sys.argv[2]) / str(round)
    folder.mkdir(exist_ok=True)
    (folder / f"ready-{os.getpid()}").touch()
    while len(list(folder.glob("ready-*"))) < int(sys.argv[3]):
        time.sleep(0.001)
    os.environ["DVC_ROOT"] = str(folder)
    record = training_runs.training_record(params, "data")
    runs = training_runs.TrainingRuns(store.connect(), record)
    runs.log(training_runs.MetricEvent(training_runs.now(), metrics={"loss": 1.0}))
    runs.log(training_runs.end_event("outcome"))
"""


def test_processes_may_create_the_store_at_the_same_time(tmp_path: Path) -> None:
    """In a folder whose name means something in an address, without which it is no part of one."""
    rounds, count = 1, 2
    top = tmp_path / "a?b%41#c"
    top.mkdir()
    command = [sys.executable, "-c", AT_ONCE, str(rounds), str(top), str(count)]
    processes = [
        subprocess.Popen(
            command, cwd=REPOSITORY, env=clean_environment(), stderr=subprocess.PIPE, text=True
        )
        for _ in range(count)
    ]
    for process in processes:
        _, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors
    for number in range(rounds):
        uri = f"sqlite+pysqlite:///{quote(str(top / str(number)))}/mlruns/mlflow.db"
        client = MlflowClient(uri)
        found = client.get_experiment_by_name(f"realart-{PARAMS.dataset}")
        assert found
        stored = client.search_runs([found.experiment_id])
        assert [run.info.status for run in stored] == ["FINISHED"] * count
    assert [path for path in tmp_path.iterdir() if path != top] == []


def test_artifacts_lie_beside_the_store(client: MlflowClient, params: Params) -> None:
    run = client.get_run(
        training_runs.TrainingRuns(client, training_runs.training_record(params, "data")).parent
    )
    folder = root() / "mlruns/artifacts"
    assert run.info.artifact_uri.startswith(folder.as_uri())
    (root() / "note.txt").write_text("kept")
    client.log_artifact(run.info.run_id, str(root() / "note.txt"))
    assert [file.read_text() for file in folder.rglob("note.txt")] == ["kept"]


def test_an_empty_uri_stands_for_the_own_store(
    client: MlflowClient, params: Params, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "")
    run = client.get_run(
        training_runs.TrainingRuns(client, training_runs.training_record(params, "data")).parent
    )
    assert run.info.artifact_uri.startswith((root() / "mlruns/artifacts").as_uri())


def test_a_missing_server_is_named_without_its_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://user:secret@127.0.0.1:9")
    start = time.monotonic()
    with pytest.raises(StoreUnavailableError) as refusal:
        store.connect()
    assert time.monotonic() - start < 20
    assert "127.0.0.1:9" in str(refusal.value)
    assert "MLFLOW_TRACKING_URI" in str(refusal.value)
    assert "secret" not in str(refusal.value)


@pytest.mark.parametrize("scheme", ["http", "postgresql+psycopg"])
def test_a_store_that_never_answers_is_asked_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    """It is given up after `CONNECT_SECONDS`, and not after the minutes that MLflow waits."""
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    monkeypatch.setenv("PGCONNECT_TIMEOUT", "2")  # the shortest that libpq knows
    monkeypatch.setattr(store, "CONNECT_SECONDS", 2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"{scheme}://me:secret@{address}/art")
        with pytest.raises(StoreUnavailableError, match=f"{address}.*(timed out|timeout expired)"):
            store.connect()
        silent.settimeout(0)
        silent.accept()
        with pytest.raises(BlockingIOError):  # nobody asked a second time
            silent.accept()


def test_a_missing_driver_and_a_folder_without_rights_make_a_store_unavailable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    (tmp_path / "mlruns").touch()
    with pytest.raises(StoreUnavailableError, match="mlruns"):
        store.connect()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "postgresql+pg8000://127.0.0.1/art")
    with pytest.raises(StoreUnavailableError, match="No module named 'pg8000'"):
        store.connect()


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1))
@pytest.mark.parametrize("scheme", ["https", "postgresql+psycopg", "mysql+pymysql"])
def test_no_password_is_shown(scheme: str, password: str) -> None:
    password = f"secret{password}"
    address = f"{scheme}://me:{password}@db.example.org/art"
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("MLFLOW_TRACKING_URI", address)
        shown = [store.redacted_uri()]
        for message in (f"no route to {address}", f"{address}/api: refused", f"at {address}?x=1"):
            with pytest.raises(StoreUnavailableError) as error, store.translated_errors():
                raise MlflowException(message)
            shown += [str(error.value), error.value.reason]
    assert not any("secret" in message for message in shown), shown


def test_a_damaged_store_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    (tmp_path / "mlruns").mkdir()
    (tmp_path / "mlruns/mlflow.db").write_bytes(b"this is no database" * 100)
    with pytest.raises(StoreUnavailableError, match=r"mlflow\.db"):
        store.connect()


def test_a_store_that_may_not_be_written_is_one_error(
    own_store: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    database = own_store / "mlruns/mlflow.db"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///file:{database}?mode=ro&uri=true")
    client = store.connect()
    with (
        pytest.raises(StoreUnavailableError, match="attempt to write a readonly database"),
        store.translated_errors(),
    ):
        store.experiment_id(client, "never")
    assert capfd.readouterr().err == ""


def test_an_experiment_opens_as_one_of_trainings(client: MlflowClient, params: Params) -> None:
    """Also one that an earlier release made; what a user chose stays."""
    name = f"realart-{params.dataset}"
    client.create_experiment(name, tags={pages.KIND_TAG: "classification", pages.VIEW_TAG: "{}"})
    store.experiment_id(client, params.dataset)
    tags = client.get_experiment_by_name(name).tags
    assert tags[pages.KIND_TAG] == "classification"
    assert "oof/auc" in tags[pages.VIEW_TAG]
    new = client.get_experiment(store.experiment_id(client, "opens-as-trainings"))
    assert new.tags[pages.KIND_TAG] == "custom_model_development"
    assert new.tags[pages.VIEW_TAG] == tags[pages.VIEW_TAG]


def test_a_deleted_experiment_is_named(client: MlflowClient, params: Params) -> None:
    client.delete_experiment(store.experiment_id(client, params.dataset))
    with pytest.raises(RealartError, match=params.dataset):
        store.experiment_id(client, params.dataset)


class _Proxy(http.server.BaseHTTPRequestHandler):
    """Notes who was to be reached, and lets nobody through."""

    def do_CONNECT(self) -> None:
        self.server.requested.append(self.path)  # type: ignore[attr-defined]
        self.send_error(403)

    do_GET = do_POST = do_HEAD = do_CONNECT  # noqa: N815

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def listening() -> Iterator[tuple[str, list[str]]]:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Proxy) as server:
        server.daemon_threads = True
        server.requested = requested = []  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}", requested
        server.shutdown()


QUIET = """
import mlflow  # as stages do, before the module that turns its telemetry off
from realart.params import load_params
from realart.tracking import pages, store, training_runs
record = training_runs.training_record(load_params(), "data")
runs = training_runs.TrainingRuns(store.connect(), record)
runs.log(training_runs.MetricEvent(training_runs.now(), 0, {"loss": 1.0}))
runs.log(training_runs.end_event("outcome"))
"""


def test_a_run_sends_no_telemetry(tmp_path: Path) -> None:
    with listening() as (proxy, requested):
        proxies = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), proxy)
        result = python(QUIET, DVC_ROOT=str(tmp_path), HOME=str(tmp_path), **proxies)
        assert result.returncode == 0, result.stderr
    assert requested == []
    assert os.environ["MLFLOW_DISABLE_TELEMETRY"] == "true"
