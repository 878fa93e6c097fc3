"""MLflow's pages: on loopback unless told otherwise, and not where a server has its own."""

import shutil
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from loopback import free_port
from mlflow import MlflowClient
from networks import PARAMS, REPOSITORY, clean_environment
from playwright.sync_api import expect, sync_playwright
from tracked_training import log_evaluation, log_training

from realart.core.errors import RealartError
from realart.tracking import ui

pytestmark = pytest.mark.slow

IGNORING = ["sh", "-c", 'trap \'\' INT; exec "$0" "$@"']
"""Starts a command as a shell does in its background."""
COMMAND = [*IGNORING, sys.executable, "-c", "from realart.cli import main; main()", "ui"]
SECONDS = 120
BROWSER = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)


@pytest.fixture
def project(tmp_path: Path, client: MlflowClient) -> Path:
    """Give the files that make a project; its experiment has a run."""
    for name in ("params.yaml", "dvc.yaml"):
        shutil.copy(REPOSITORY / name, tmp_path)
    log_training(client, PARAMS, "ui", "ui")
    log_evaluation(client, PARAMS, "ui")
    return tmp_path


@pytest.fixture
def server(project: Path, own_store: Path) -> Iterator["subprocess.Popen[str]"]:
    with subprocess.Popen(
        [*COMMAND, "--port", str(free_port())],
        cwd=project,
        env=clean_environment(HOME=str(project), DVC_ROOT=str(own_store)),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        family = psutil.Process(process.pid)
        try:
            yield process
        finally:
            for member in [*family.children(True), process] if family.is_running() else []:
                member.kill()


def test_pages_are_named_when_they_answer_and_open_on_trainings(
    server: "subprocess.Popen[str]",
) -> None:
    assert server.stdout
    assert server.stderr
    assert server.stderr.readline() == "starting MLflow ...\n"
    page = server.stdout.readline().removeprefix("MLflow: ").strip()
    address = page.partition("/#")[0]
    assert answers(address)
    family = [psutil.Process(server.pid), *psutil.Process(server.pid).children(True)]
    assert {
        connection.laddr.ip
        for member in family
        for connection in member.net_connections()
        if connection.status == psutil.CONN_LISTEN
    } == {"127.0.0.1"}
    if BROWSER:
        assert_shows_trainings(page)
    server.terminate()
    assert server.wait(SECONDS) == 0
    assert server.stderr.read() == ""
    assert not answers(address)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_no_process_outlives_it(server: "subprocess.Popen[str]", how: signal.Signals) -> None:
    """However it ends, also where it was started with interrupts ignored."""
    assert server.stdout
    server.stdout.readline()
    family = psutil.Process(server.pid).children(recursive=True)
    assert family
    server.send_signal(how)
    assert server.wait(SECONDS) == (0 if how == signal.SIGINT else -how)
    _, alive = psutil.wait_procs(family, SECONDS)
    assert not alive


def assert_shows_trainings(address: str) -> None:
    """The page has the run, and the columns and charts of the project's view."""
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 2400, "height": 1200})
        expect.set_options(timeout=1000 * SECONDS)
        page.goto(address)
        for text in (f"{PARAMS.model} on {PARAMS.dataset}", "test/accuracy"):
            expect(page.get_by_text(text, exact=True).first).to_be_visible()
        browser.close()


def answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/health", timeout=5):
            return True
    except (urllib.error.URLError, OSError):
        return False


def test_a_used_port_is_one_error(client: MlflowClient, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as used:
        used.bind(("127.0.0.1", 0))
        used.listen()
        monkeypatch.setattr(ui, "_answers", lambda host, port: False)
        monkeypatch.setattr(signal, "signal", lambda number, handler: None)  # Ctrl-C is for pytest
        with pytest.raises(RealartError, match=r"did not start: .*in use"):
            ui.serve("127.0.0.1", used.getsockname()[1])


def test_a_server_is_named_for_its_own_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "https://me:secret@mlflow.example.org")
    with pytest.raises(RealartError, match=r"at https://mlflow\.example\.org: open its pages"):
        ui.serve("127.0.0.1", 5000)
