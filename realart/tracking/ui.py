"""MLflow's pages over the runs of the project's own store."""

import ctypes
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections import deque
from threading import Event, Thread

from mlflow import MlflowClient

from realart.core.errors import RealartError
from realart.params import load_params
from realart.tracking import evaluation_runs, pages, store

WAIT_SECONDS = 0.3
"""Until a server that does not answer yet is asked again."""
SETTINGS = {
    # A page over runs needs none of MLflow's job runners, eight processes of 250 MB.
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    "MLFLOW_LOGGING_LEVEL": "ERROR",
    "PYTHONWARNINGS": "ignore",
}
"""Environment of the server, unless the user's own has another."""
_LIBC = ctypes.CDLL(None)
_PR_SET_PDEATHSIG = 1
"""Of linux/prctl.h."""


def serve(host: str, port: int) -> None:
    """Run MLflow's server at an address of this machine, and print where it has the trainings.

    Raises
    ------
    RealartError
        The store can't be opened, or is a server with pages of its own; or MLflow's server ended
        by itself.
    """
    if store.tracking_uri().startswith("http"):
        raise RealartError(
            f"runs go to the server at {store.redacted_uri()}: open its pages in a browser, or "
            f"unset {store.URI_VARIABLE} to see the project's own store"
        )
    client = store.connect()
    with store.translated_errors():
        evaluation_runs.catch_up()
        page = pages.page(f"http://{host}:{port}", _experiment_id(client))
    answered, stopped, early = Event(), Event(), deque[str](maxlen=1)
    with _start(host, port) as server:

        def stop(*_: object) -> None:
            stopped.set()
            server.terminate()

        for ending in (signal.SIGINT, signal.SIGTERM):  # a shell's background ignores the first
            signal.signal(ending, stop)
        Thread(target=_pass_on, args=(server, answered, early), daemon=True).start()
        while server.poll() is None and not _answers(host, port):
            time.sleep(WAIT_SECONDS)
        if server.poll() is None:
            answered.set()
            print(f"MLflow: {page}", flush=True)
        server.wait()
    if not (answered.is_set() or stopped.is_set()):
        raise RealartError(f"MLflow's server at {host}:{port} did not start: {''.join(early)}")


def _experiment_id(client: MlflowClient) -> str | None:
    """Return the id of the experiment of the set in params.yaml, None outside of a project."""
    try:
        dataset = load_params().dataset
    except RealartError:
        return None
    return store.experiment_id(client, dataset)


def _start(host: str, port: int) -> subprocess.Popen[str]:
    # In the environment, since an argument with a password would show in the list of processes.
    uri = store.tracking_uri()
    stores = {"MLFLOW_BACKEND_STORE_URI": uri, "MLFLOW_REGISTRY_STORE_URI": uri}
    command = [sys.executable, "-m", "mlflow", "ui", "--host", host, "--port", str(port)]
    command += ["--workers", "1", "--uvicorn-opts", "--log-level warning"]
    return subprocess.Popen(
        command,
        env={**SETTINGS, **os.environ, **stores},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=_end_with_parent if sys.platform == "linux" else None,
    )


def _end_with_parent() -> None:
    """Have the system terminate this process when the one that started it ends, even if killed."""
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _pass_on(server: subprocess.Popen[str], answered: Event, early: deque[str]) -> None:
    """Print what a server reports once it answers; keep the last line before, as at a used port."""
    assert server.stderr
    for line in server.stderr:
        if answered.is_set():
            sys.stderr.write(line)
        elif line.strip():
            early.append(line)


def _answers(host: str, port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://{host}:{port}/health", timeout=5):
            return True
    except OSError:
        return False
