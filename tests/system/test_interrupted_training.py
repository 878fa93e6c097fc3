"""A training that a signal has cut: its run is killed, and the next one says where it goes on."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from mlflow import MlflowClient
from project_copy import environment, run, run_stages, set_params, tiny_project

pytestmark = pytest.mark.slow

BEFORE = ("check", "download", "clean", "split", "balance", "ela", "features")


def statuses(project: Path) -> dict[str, str]:
    """Return the status of each run in the project's store, by its name."""
    client = MlflowClient(f"sqlite:///{project}/mlruns/mlflow.db")
    experiments = [experiment.experiment_id for experiment in client.search_experiments()]
    found = client.search_runs(experiments)
    by_name = {str(found_run.info.run_name): str(found_run.info.status) for found_run in found}
    assert len(by_name) == len(found)
    return by_name


def wait_for_checkpoint(project: Path, fold: int) -> None:
    deadline = time.monotonic() + 120
    while not list(project.glob(f".realart/checkpoints/*/{fold}.npz")):
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    project = tiny_project(tmp_path)
    settings = {"recipes.tiny.epochs": 150, "recipes.tiny.patience": 150}
    set_params(project, settings | {"train.checkpoint_seconds": 0.0})
    with pytest.MonkeyPatch.context() as patched:
        patched.delenv("MLFLOW_TRACKING_URI", raising=False)
        run_stages(patched, project, *BEFORE)
    return project


def cut(project: Path, fold: int, number: signal.Signals) -> tuple[int, str, str]:
    """Train until a fold has a checkpoint, and send a signal; return exit code and outputs."""
    with subprocess.Popen(
        [sys.executable, "-m", "stages.train"], cwd=project, env=environment(project), text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
    ) as process:  # fmt: skip
        wait_for_checkpoint(project, fold)
        os.killpg(process.pid, number)
        out, err = process.communicate(timeout=120)
    return process.returncode, out, err


def test_it_ends_with_a_line_and_goes_on(project: Path) -> None:
    code, _, err = cut(project, 0, signal.SIGTERM)
    assert (code, err) == (143, "realart: terminated: `dvc repro` goes on\n")
    assert statuses(project) == {"tiny on local": "KILLED", "fold 0": "KILLED"}

    code, out, err = cut(project, 1, signal.SIGINT)
    assert (code, err) == (130, "realart: interrupted: `dvc repro` goes on\n")
    assert out.startswith("train: going on from fold 0, epoch ")
    assert statuses(project) == {
        "tiny on local": "KILLED",
        "fold 0": "FINISHED",
        "fold 1": "KILLED",
    }

    done = run(project, "python", "-m", "stages.train")
    assert done.returncode == 0, done.stderr
    first, *_ = done.stdout.splitlines()
    assert first.startswith("train: going on from fold 1, epoch ")
    assert 0 < int(first.split()[-1]) <= 150
    assert set(statuses(project).values()) == {"FINISHED"}
    assert set(statuses(project)) == {"tiny on local", "fold 0", "fold 1"}
