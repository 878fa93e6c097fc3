"""Folds in parallel on simulated GPUs, by real processes: the bytes of one after the other."""

import importlib.util
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from threading import Event, Thread

import pandas as pd
import pytest
from mlflow import MlflowClient
from project_copy import TUNED, environment, run, run_stages, set_params, tiny_project
from simulated import FOUR_DEVICES, gpus, name
from small_disk import small_disk

from realart.core import devices
from realart.core.errors import RealartError
from realart.training import checkpoints, cv_network, parallel_folds

pytestmark = pytest.mark.slow

STAGES = ("download", "clean", "split", "balance", "ela", "features")
HOOK = """
import atexit, os, signal, sys, time
from pathlib import Path

begun = []

def hold(event, arguments):
    if event != "open" or not str(arguments[0]).endswith(".npz.partial"):
        return
    begun.append(arguments[0])
    device, fold = os.environ["CUDA_VISIBLE_DEVICES"], Path(arguments[0]).name[1]
    if len(begun) == 1:
        mine = Path(os.environ["HELD"]) / device
        mine.touch(exist_ok=False)
        if "MEET" not in os.environ:
            atexit.register(mine.unlink)
        while "MEET" in os.environ and len(os.listdir(mine.parent)) < 2:
            time.sleep(0.01)
    elif fold == os.environ.get("KILLED"):
        os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(hold)
"""
"""A process that uses a device makes a file, which must not be there, until it ends. With MEET the
file stays, and it waits for the file of another. The fold that KILLED names ends by its second
checkpoint.
"""


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a project in which all stages before `train` have run."""
    project = tiny_project(tmp_path_factory.mktemp("ready"))
    set_params(project, {"train.checkpoint_seconds": 0.0})
    with pytest.MonkeyPatch.context() as patched:
        run_stages(patched, project, *STAGES)
    return project


@pytest.fixture(scope="module")
def alone(ready: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Return the folds of one process without any device."""
    project = Path(shutil.copytree(ready, tmp_path_factory.mktemp("alone") / "project"))
    with pytest.MonkeyPatch.context() as patched:
        run_stages(patched, project, "train")
    return folds(project)


def on_gpus(folder: Path, count: int = 2, **more: str) -> dict[str, str]:
    """Return the environment of a machine with GPUs, and of the hook, whose files it makes."""
    for part in ("hook", "held"):
        (folder / part).mkdir(exist_ok=True)
    (folder / "hook/sitecustomize.py").write_text(HOOK)
    ours = {"PYTHONPATH": str(folder / "hook"), "HELD": str(folder / "held")}
    return {**gpus(folder, count), **ours, **more}


def folds(project: Path) -> dict[str, bytes]:
    top = project / "models/folds"
    return {
        str(file.relative_to(top)): file.read_bytes() for file in top.rglob("*") if file.is_file()
    }


def test_a_killed_parallel_fold_resumes_to_the_same_bytes(
    ready: Path, alone: dict[str, bytes], tmp_path: Path
) -> None:
    """It may use both devices, beside a training that may use only one, and never the same."""
    project = Path(shutil.copytree(ready, tmp_path / "first/project"))
    killed = run(project, "python", "-m", "stages.train", **on_gpus(tmp_path, MEET="1", KILLED="1"))
    assert killed.returncode == 2
    assert killed.stderr.startswith("realart: the process of fold 1 was killed (SIGKILL)")
    assert killed.stderr.count("\n") == 1
    (checkpoint,) = project.glob(".realart/checkpoints/*/1.npz")
    assert not folds(project)
    assert {file.name for file in (tmp_path / "held").iterdir()} == {name(0), name(1)}
    shutil.rmtree(tmp_path / "held")
    machine = on_gpus(tmp_path)
    second = Path(shutil.copytree(ready, tmp_path / "second/project"))
    both = [train(project, **machine), train(second, **machine, CUDA_VISIBLE_DEVICES=name(0))]
    outputs = [process.communicate() for process in both]
    for process, user, (_, errors) in zip(both, (project, second), outputs, strict=True):
        assert process.returncode == 0, errors
        assert folds(user) == alone
    assert not list((tmp_path / "held").iterdir())
    assert not checkpoint.exists()
    assert len([line for line in outputs[0][0].splitlines() if line.startswith("fold ")]) == 2
    client = MlflowClient(f"sqlite:///{project / 'mlruns/mlflow.db'}")
    for fold in (0, 1):
        history = pd.read_csv(project / f"models/folds/{fold}/history.csv")
        (logged,) = client.search_runs(["1"], f"tags.`realart.fold` = '{fold}'")
        values = client.get_metric_history(logged.info.run_id, "val_loss")
        assert [value.value for value in values] == history["val_loss"].tolist()


def train(project: Path, **more: str) -> "subprocess.Popen[str]":
    """Start a training."""
    return subprocess.Popen(
        ["python", "-m", "stages.train"],
        cwd=project,
        env=environment(project, **more),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_disk_that_fills_up_is_one_line_and_the_next_run_goes_on(
    ready: Path, tmp_path: Path
) -> None:
    """As a checkpoint is written, and then as weights are, by which HDF5 would crash."""
    with small_disk(tmp_path / "disk", 200 << 20) as disk:
        if not disk:
            pytest.skip("this machine lets nobody mount a disk")
        project = Path(shutil.copytree(ready, disk.outside / "project"))
        wide = [{"Flatten": {}}, {"Dense": {"units": 1000}}]  # 12 MB of weights, 49 of a checkpoint
        set_params(project, {"recipes.tiny.layers": wide})
        train = disk.entering("project", "python", "-m", "stages.train")
        store = f"sqlite:///{tmp_path / 'mlflow.db'}"  # elsewhere: it is to hear of the failure
        places = {"DVC_ROOT": str(disk.inside / "project"), "MLFLOW_TRACKING_URI": store}
        for seconds, room in ((0.0, 70 << 20), (600.0, 8 << 20)):
            set_params(project, {"train.checkpoint_seconds": seconds})
            disk.leave(room)
            done = run(ready, *train, **places)
            assert done.returncode == 2, done.stderr
            (line,) = done.stderr.splitlines()
            assert line.startswith("realart: the disk is full")
            disk.empty()
            (checkpoint,) = project.glob(".realart/checkpoints/*/*.npz")
            assert checkpoints.epoch(checkpoint) == 1
            runs = MlflowClient(store).search_runs(["1"])
            assert [found.info.status for found in runs] == ["FAILED", "FAILED"]
        done = run(ready, *train, **places)
        assert done.returncode == 0, done.stderr
        assert "going on from fold 0, epoch 1" in done.stdout
        runs = MlflowClient(store).search_runs(["1"])
        assert [found.info.status for found in runs] == ["FINISHED"] * 3
        assert {f"{fold}/best.weights.h5" for fold in (0, 1)} <= folds(project).keys()


def test_each_fold_is_distributed_over_its_own_devices(ready: Path, tmp_path: Path) -> None:
    if not importlib.util.find_spec("jax"):
        pytest.skip("jax is not installed")
    project = Path(shutil.copytree(ready, tmp_path / "project"))
    quick = {"recipes.tiny.layers": [{"GlobalAveragePooling2D": {}}], "recipes.tiny.epochs": 1}
    set_params(project, {"train.devices": 2, **quick})  # JAX compiles what it computes
    machine = on_gpus(tmp_path, 4, MEET="1", **FOUR_DEVICES)
    process = run(project, "python", "-m", "stages.train", **machine)
    assert process.returncode == 0, process.stderr
    used = {file.name for file in (tmp_path / "held").iterdir()}
    assert used == {f"{name(0)},{name(1)}", f"{name(2)},{name(3)}"}
    assert {file.split("/")[0] for file in folds(project)} == {"0", "1"}


def test_a_fold_by_other_code_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parallel_folds, "receive_job", lambda: ({"code": "before"}, print))
    with pytest.raises(RealartError, match=r"^the code was changed while folds were trained$"):
        cv_network._run_job()


def test_features_by_a_network_wait_for_a_device(
    ready: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    project = Path(shutil.copytree(ready, tmp_path / "project"))
    set_params(project, {"model": "tuned", "recipes.tuned": TUNED})
    machine = gpus(tmp_path, 2)
    monkeypatch.setattr(tempfile, "tempdir", machine["TMPDIR"])
    monkeypatch.setenv("PATH", machine["PATH"])
    taken = Event()

    def use_both() -> None:
        locks = devices.acquire([name(0), name(1)], 2)
        assert locks
        taken.set()
        time.sleep(1)
        devices.release(locks)

    Thread(target=use_both).start()
    assert taken.wait(60)
    run_stages(monkeypatch, project, "features")
    first, second = capsys.readouterr().out.splitlines()
    assert first == "features: waits until one of 2 devices is free"
    assert "computed once" in second
