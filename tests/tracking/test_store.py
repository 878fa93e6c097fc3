"""The store: made once by whoever comes first, quiet, and named when it can't be used."""

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

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from networks import PARAMS, REPOSITORY, clean_environment, python

from realart.core.errors import RealartError
from realart.core.project import root
from realart.params import Params
from realart.tracking import mlflow_runs, store
from realart.tracking.store import StoreUnavailableError

AT_ONCE = """
import os, sys, time
from pathlib import Path
from realart.params import load_params
from realart.tracking import store, mlflow_runs

params = load_params()
for round in range(int(sys.argv[1])):
    folder = Path(sys.argv[2]) / str(round)
    folder.mkdir(exist_ok=True)
    (folder / f"ready-{os.getpid()}").touch()
    while len(list(folder.glob("ready-*"))) < int(sys.argv[3]):
        time.sleep(0.001)
    os.environ["DVC_ROOT"] = str(folder)
    runs = mlflow_runs.Runs(store.connect(), mlflow_runs.training(params, "data"))
    runs.log(mlflow_runs.MetricEvent(mlflow_runs.now(), metrics={"loss": 1.0}))
    runs.log(mlflow_runs.ended("outcome"))
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
        found = client.get_experiment_by_name(f"realart-{PARAMS.dataset}")
        assert found
        stored = client.search_runs([found.experiment_id])
        assert [run.info.status for run in stored] == ["FINISHED"] * count


def test_artifacts_lie_beside_the_store(client: MlflowClient, params: Params) -> None:
    run = client.get_run(mlflow_runs.Runs(client, mlflow_runs.training(params, "data")).parent)
    folder = root() / "mlruns/artifacts"
    assert run.info.artifact_uri.startswith(folder.as_uri())
    (root() / "note.txt").write_text("kept")
    client.log_artifact(run.info.run_id, str(root() / "note.txt"))
    assert [file.read_text() for file in folder.rglob("note.txt")] == ["kept"]


def test_an_empty_address_is_none(
    client: MlflowClient, params: Params, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "")
    run = client.get_run(mlflow_runs.Runs(client, mlflow_runs.training(params, "data")).parent)
    assert run.info.artifact_uri.startswith((root() / "mlruns/artifacts").as_uri())


def test_a_server_that_is_not_there_is_named_without_its_password(
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


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1))
@pytest.mark.parametrize("scheme", ["https", "postgresql+psycopg", "mysql+pymysql"])
def test_no_password_is_shown(scheme: str, password: str) -> None:
    password = f"secret{password}"
    address = f"{scheme}://me:{password}@db.example.org/art"
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("MLFLOW_TRACKING_URI", address)
        if "?" not in password:
            assert store.named() == f"{scheme}://db.example.org/art"
        said = [store.named()]
        for message in (f"no route to {address}", f"{address}/api: refused", f"at {address}?x=1"):
            with pytest.raises(StoreUnavailableError) as shown, store.used():
                raise MlflowException(message)
            said += [str(shown.value), shown.value.reason]
    assert not any("secret" in one for one in said), said


def test_options_that_may_hold_a_password_are_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "postgresql://db/art?user=me&password=secret")
    assert store.named() == "postgresql://db/art"


def test_a_store_that_is_none_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    (tmp_path / "mlruns").mkdir()
    (tmp_path / "mlruns/mlflow.db").write_bytes(b"this is no database" * 100)
    with pytest.raises(StoreUnavailableError, match=r"mlflow\.db"):
        store.connect()


def test_an_experiment_that_was_deleted_is_named(client: MlflowClient, params: Params) -> None:
    client.delete_experiment(store.experiment(client, params.dataset))
    with pytest.raises(RealartError, match=params.dataset):
        store.experiment(client, params.dataset)


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
from realart.params import load_params
from realart.tracking import store, mlflow_runs
runs = mlflow_runs.Runs(store.connect(), mlflow_runs.training(load_params(), "data"))
runs.log(mlflow_runs.MetricEvent(mlflow_runs.now(), 0, {"loss": 1.0}))
runs.log(mlflow_runs.ended("outcome"))
"""


def test_nobody_is_told_of_a_run(tmp_path: Path) -> None:
    with listening() as (proxy, asked):
        proxies = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), proxy)
        result = python(QUIET, DVC_ROOT=str(tmp_path), HOME=str(tmp_path), **proxies)
        assert result.returncode == 0, result.stderr
    assert asked == []
    assert os.environ["MLFLOW_DISABLE_TELEMETRY"] == "true"
