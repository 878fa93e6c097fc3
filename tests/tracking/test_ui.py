"""MLflow's pages: on loopback unless told otherwise, and not where a server has its own."""

import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import psutil
import pytest
from loopback import free_port
from networks import clean_environment

from realart.core.errors import RealartError
from realart.tracking import ui

pytestmark = pytest.mark.slow

COMMAND = [sys.executable, "-c", "from realart.cli import main; main()", "ui"]
SECONDS = 120


def test_pages_listen_on_loopback_alone(own_store: Path) -> None:
    port = free_port()
    with subprocess.Popen(
        [*COMMAND, "--port", str(port)],
        cwd=own_store,
        env=clean_environment(HOME=str(own_store)),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            assert process.stdout
            assert process.stdout.readline() == f"MLflow: http://127.0.0.1:{port}\n"
            until = time.monotonic() + SECONDS
            while not answers(port):
                assert time.monotonic() < until
                time.sleep(0.2)
            family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(True)]
            listening = [
                connection.laddr.ip
                for member in family
                for connection in member.net_connections()
                if connection.status == psutil.CONN_LISTEN
            ]
            assert set(listening) == {"127.0.0.1"}
        finally:
            for member in [*psutil.Process(process.pid).children(True), process]:
                member.kill()


def answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5):
            return True
    except (urllib.error.URLError, OSError):
        return False


def test_a_server_is_named_for_its_own_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "https://me:secret@mlflow.example.org")
    with pytest.raises(RealartError, match=r"at https://mlflow\.example\.org: open its pages"):
        ui.serve("127.0.0.1", 5000)
