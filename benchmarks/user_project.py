"""A user's project for a set of pictures: its stages, its model and its server."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from benchmarks.faults import ROOT
from benchmarks.frozen import run
from benchmarks.recipes import set_param
from realart.data.sample import write_archive

STAGES = (
    "download", "clean", "split", "balance", "ela", "audit", "features", "train", "evaluate",
    "robustness", "report",
)  # fmt: skip
STORE = "sqlite:///mlruns/mlflow.db"
SECONDS = 120


def project(folder: Path, archive: Path, **values: Any) -> Path:
    """Make a project in `folder`, of `forensic` on `local`: a params.yaml with `values` set."""
    folder.mkdir()
    content = yaml.safe_load((ROOT / "params.yaml").read_text("utf-8"))
    del content["goals"]["cases"]  # they are not copied
    for name, value in {
        "dataset": "local", "model": "forensic", "datasets.local.path": str(archive.resolve()),
        **values,
    }.items():  # fmt: skip
        set_param(content, name, value)
    text = yaml.safe_dump(content, allow_unicode=True)
    (folder / "params.yaml").write_text(text, "utf-8")
    return folder


@cache
def trained_project(folder: Path) -> Path:
    """Train on 64 pictures of the sample, register the model, and return the project's folder."""
    write_archive(folder / "pictures.zip", 64)
    small = {"split.folds": 2, "split.slices": 2, "descriptors.forensic.families": ["colour"]}
    place = project(folder / "trained", folder / "pictures.zip", **small)
    for stage in STAGES:
        run(place, f"stages.{stage}")
    return place


def aliases(place: Path) -> str:
    """Return the aliases of the registered model of a project, as text."""
    code = (
        "import mlflow; client = mlflow.MlflowClient(); "
        "print([model.aliases for model in client.search_registered_models()][0])"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=place, env=environment(place), capture_output=True,
        text=True, check=True,
    )  # fmt: skip
    return result.stdout.strip()


def environment(place: Path) -> dict[str, str]:
    """Return the environment of a user of a project, with the tools of this Python."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    own = {"PYTHONPATH": str(ROOT), "DVC_ROOT": str(place), "MLFLOW_TRACKING_URI": STORE}
    return {**os.environ, **own, "PATH": path}


@contextmanager
def serving(place: Path) -> Iterator[int]:
    """Serve the first version of a project's model while the block runs; yield the port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = ["-m", "mlflow", "models", "serve", "--model-uri", "models:/realart-local/1"]
    options = ["--env-manager", "local", "--host", "127.0.0.1", "--port", str(port)]
    with (place / "served.log").open("w") as log:
        server = subprocess.Popen(
            [sys.executable, *command, *options], cwd=place, env=environment(place), stdout=log,
            stderr=log, start_new_session=True,
        )  # fmt: skip
    try:
        yield port
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(30)


def post(port: int, body: bytes) -> str:
    """Post to a server that may still be starting; return the body of the response or error."""
    address, kind = f"http://127.0.0.1:{port}/invocations", {"Content-Type": "application/json"}
    deadline = time.monotonic() + SECONDS
    while True:
        try:
            request = urllib.request.Request(address, body, kind)
            with urllib.request.urlopen(request, timeout=SECONDS) as response:
                return response.read().decode()
        except urllib.error.HTTPError as error:
            return error.read().decode()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.5)
