"""A team's MLflow: its server may go, be full or refuse us, and is told everything in the end."""

import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock, Timeout
from loopback import NOTHING_LISTENS
from mlflow import MlflowClient
from mlflow.entities import Run
from project_copy import TINY, environment, run_stages, set_params
from servers import PASSWORD, SECONDS, Server, mlflow_server, open_folder, postgres
from small_disk import small_disk

from realart.core import yaml12
from realart.params import load_params
from realart.tracking import background_logger, mlflow_runs, outbox
from realart.tracking.store import StoreUnavailableError

WRONG = "wrong password"
ARTIFACTS = {"report.html", "scores.csv", "plots", "images", "tables", "audit", "robustness"}


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """Run MLflow's server, with a password, on PostgreSQL."""
    with open_folder() as folder:
        (folder / "database").mkdir()
        with postgres(folder / "database") as database, mlflow_server(folder, database) as server:
            yield server


@pytest.fixture
def up(server: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """Use the server, which is up before and after the test."""
    use(monkeypatch, server)
    yield server
    if not server.process:
        server.start()


def use(patched: pytest.MonkeyPatch, server: Server) -> None:
    """Let runs go to a server, and fail at once when it is away."""
    for name, value in server.access().items():
        patched.setenv(name, value)
    patched.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    patched.setattr(background_logger, "PAUSE", 0.2)


@pytest.fixture
def project(trained: Path, tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    return copied(trained, tmp_path / "project", request.node.name.partition("[")[0])


def copied(project: Path, target: Path, dataset: str, **changes: Any) -> Path:
    """Copy a project whose stages have run, all but the last, under a name of its own."""
    shutil.copytree(project, target, ignore=shutil.ignore_patterns("mlruns", ".realart"))
    local = yaml12.load((target / "params.yaml").read_text(), "params.yaml")["datasets"]["local"]
    set_params(target, {f"datasets.{dataset}": local, "datasets.second": local})
    set_params(target, {"dataset": dataset, **changes})
    return target


def known(client: MlflowClient, dataset: str) -> list[Run]:
    """Return the runs of trainings on a set."""
    experiment = client.get_experiment_by_name(f"realart-{dataset}")
    found = client.search_runs([experiment.experiment_id]) if experiment else []
    return [run for run in found if mlflow_runs.FOLD not in run.data.tags]


def folds(client: MlflowClient, run: Run) -> list[Run]:
    wanted = f"tags.`{mlflow_runs.PARENT}` = '{run.info.run_id}'"
    return list(client.search_runs([run.info.experiment_id], wanted))


def assert_whole(client: MlflowClient, run: Run) -> None:
    """Nothing of a run is missing."""
    assert run.info.status == "FINISHED"
    assert run.data.tags[mlflow_runs.EVALUATED]
    assert run.data.params["model"]
    assert {f"test/{name}" for name in ("accuracy", "auc", "recall")} <= set(run.data.metrics)
    assert {file.path for file in client.list_artifacts(run.info.run_id)} >= ARTIFACTS
    assert [fold.info.status for fold in folds(client, run)] == ["FINISHED", "FINISHED"]
    for one in (run, *folds(client, run)):
        assert one.info.start_time <= one.info.end_time
    assert all("held_out/auc" in fold.data.metrics for fold in folds(client, run))
    (version,) = client.search_model_versions(f"run_id = '{run.info.run_id}'")
    assert version.source


def test_two_machines_at_once_lose_nothing(up: Server, trained: Path, tmp_path: Path) -> None:
    """Both find a server that knows neither their experiment nor their model yet."""
    machines = []
    for number in range(2):
        (tmp_path / f"{number}").mkdir()
        project = copied(
            trained, tmp_path / f"{number}/project", "shared", **{"train.seed": number}
        )
        stages = "import stages.train, stages.report; stages.train.main(); stages.report.main()"
        machines.append(
            subprocess.Popen(
                [sys.executable, "-c", stages],
                cwd=project,
                env=environment(project, **up.access()),
                stderr=subprocess.PIPE,
                text=True,
            )
        )
    for machine in machines:
        _, complaints = machine.communicate(timeout=SECONDS)
        assert machine.returncode == 0, complaints
    client = MlflowClient(up.address)
    found = known(client, "shared")
    assert sorted(run.data.params["train.seed"] for run in found) == ["0", "1"]
    for run in found:
        assert_whole(client, run)
    assert {
        version.version for version in client.search_model_versions("name = 'realart-shared'")
    } == {"1", "2"}


SLOW = """
import time
import stages.features, stages.train
from realart.tracking import background_logger, mlflow_runs
background_logger.PAUSE = 0.2
of_epoch = mlflow_runs.epoch
def epoch(fold, record):
    time.sleep(0.3)
    return of_epoch(fold, record)
mlflow_runs.epoch = epoch
"""
"""A training that takes its time, but in which a server is not waited for long."""


def test_a_server_that_is_started_again_knows_every_epoch(
    up: Server, project: Path, request: pytest.FixtureRequest
) -> None:
    epochs = 15
    set_params(
        project, {"model": "tiny", "recipes.tiny": {**TINY, "epochs": epochs, "patience": epochs}}
    )
    stages = SLOW + "stages.features.main(); stages.train.main()"
    impatient = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0"}
    client = MlflowClient(up.address)
    with subprocess.Popen(
        [sys.executable, "-c", stages],
        cwd=project,
        env=environment(project, **up.access(), **impatient),
        stderr=subprocess.PIPE,
        text=True,
    ) as training:
        wait_for(lambda: any(folds(client, run) for run in known(client, request.node.name)))
        up.kill()
        assert training.stderr
        wait_for_line(training.stderr, "can't be used")
        training.send_signal(signal.SIGSTOP)  # it would be done before the server is
        up.start()
        training.send_signal(signal.SIGCONT)
        wait_for_line(training.stderr, "can be used again")
        assert training.wait(SECONDS) == 0
    (run,) = known(client, request.node.name)
    assert run.info.status == "FINISHED"
    for fold in folds(client, run):
        points = client.get_metric_history(fold.info.run_id, "loss")
        assert [point.step for point in points] == list(range(epochs))
        times = [point.timestamp for point in points]
        assert times == sorted(times)
        assert times[-1] <= fold.info.end_time
    assert not (project / ".realart/unsent").exists()


def wait_for(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.05)


def wait_for_line(said: Any, expected: str) -> None:
    lines = []
    for line in said:
        lines.append(line)
        if expected in line:
            return
    raise AssertionError("".join(lines))


def without_server(patched: pytest.MonkeyPatch, project: Path, *stages: str) -> None:
    """Run stages where nobody listens."""
    with pytest.MonkeyPatch.context() as away:
        away.setenv("MLFLOW_TRACKING_URI", NOTHING_LISTENS)
        run_stages(patched, project, *stages)


def kept(project: Path) -> list[str]:
    """Return what is kept of the one outcome of a project."""
    (place,) = (project / ".realart/unsent").iterdir()
    return sorted("run" if path.is_dir() else "training" for path in place.iterdir())


def assert_nothing_kept(project: Path) -> None:
    assert list((project / ".realart/unsent").glob("*")) == []
    assert list(outbox.send()) == []


def test_what_was_made_without_the_server_is_sent_later(
    up: Server,
    project: Path,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
    capsys: pytest.CaptureFixture[str],
) -> None:
    client, dataset = MlflowClient(up.address), request.node.name
    monkeypatch.setenv("DVC_EXP_NAME", "muggy-newt")
    monkeypatch.setenv("DVC_EXP_BASELINE_REV", "0123abc")
    without_server(monkeypatch, project, "train", "report")
    said = capsys.readouterr()
    away = f"MLflow at {NOTHING_LISTENS} can't be used ("
    assert f"train: {away}" in said.err
    assert f"report: metrics/report.html; the run is kept, since {away}" in said.out
    assert said.out.endswith("`realart send` sends it\n")
    monkeypatch.setenv("DVC_EXP_NAME", "solid-newt")
    set_params(project, {"evaluate.sure": 0.8})  # another evaluation of the same training
    without_server(monkeypatch, project, "report")
    monkeypatch.delenv("DVC_EXP_NAME")
    assert kept(project) == ["run", "run", "training"]
    with pytest.MonkeyPatch.context() as away:
        away.setenv("MLFLOW_TRACKING_URI", NOTHING_LISTENS)
        with pytest.raises(StoreUnavailableError):
            list(outbox.send())
    assert kept(project) == ["run", "run", "training"]
    (file,) = project.glob(".realart/unsent/*/*.json")
    training, _ = background_logger.load(file)
    assert known(client, dataset) == []
    first, second = outbox.send()
    assert first.startswith(f"muggy-newt: registered as realart-{dataset}, version 1")
    assert second.startswith(f"solid-newt: registered as realart-{dataset}, version 2")
    assert_nothing_kept(project)
    named = {run.info.run_name: run for run in known(client, dataset)}
    assert sorted(named) == ["muggy-newt", "solid-newt"]
    for name, run in named.items():
        assert_whole(client, run)
        assert (run.data.tags["dvc_experiment"], run.data.tags["commit"]) == (name, "0123abc")
    assert named["muggy-newt"].info.start_time == training.began


def test_nothing_is_sent_by_two_at_once(
    up: Server, project: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    """A `report` beside a `realart send` would log what both find, and make two runs of it."""
    logged, among = mlflow_runs.Runs.log, []

    def alone(runs: mlflow_runs.Runs, said: mlflow_runs.MetricEvent) -> None:
        with pytest.raises(Timeout):
            FileLock(project / ".realart/send.lock").acquire(blocking=False)
        among.append(said)
        logged(runs, said)

    for send in (lambda: run_stages(monkeypatch, project, "report"), lambda: list(outbox.send())):
        without_server(monkeypatch, project, "train")
        assert kept(project) == ["training"]
        with monkeypatch.context() as patched:
            patched.setattr(mlflow_runs.Runs, "log", alone)
            send()
        assert among
        among.clear()
        assert_nothing_kept(project)


def test_a_report_adds_to_what_was_told_before_the_server_went(
    up: Server, project: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    client = MlflowClient(up.address)
    run_stages(monkeypatch, project, "train")
    (told,) = known(client, request.node.name)
    without_server(monkeypatch, project, "report")
    assert kept(project) == ["run"]
    assert len(list(outbox.send())) == 1
    (run,) = known(client, request.node.name)
    assert run.info.run_id == told.info.run_id
    assert_whole(client, run)
    assert_nothing_kept(project)


def test_a_report_tells_what_its_training_could_not(
    up: Server, project: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    client = MlflowClient(up.address)
    without_server(monkeypatch, project, "train")
    assert kept(project) == ["training"]
    (file,) = project.glob(".realart/unsent/*/*.json")
    content = file.read_bytes()
    run_stages(monkeypatch, project, "report")
    (run,) = known(client, request.node.name)
    assert_whole(client, run)
    file.parent.mkdir()
    file.write_bytes(content)  # as if it had been killed before it took the file away
    assert list(outbox.send()) == []
    assert_nothing_kept(project)
    assert len(known(client, request.node.name)) == 1


@pytest.mark.parametrize("place", ["own", "other"])
def test_a_database_without_a_server_has_its_artifacts_in_the_project(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    """Not in a folder that is gone when what is kept there was sent."""
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    address = {"own": "", "other": f"sqlite:///{tmp_path / 'other.db'}"}[place]
    monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
    datasets = [load_params(project / "params.yaml").dataset, "second"]
    for dataset in datasets:
        set_params(project, {"dataset": dataset})
        without_server(monkeypatch, project, "train", "report")
    assert len(list(outbox.send())) == 2
    assert_nothing_kept(project)
    client = MlflowClient(address or f"sqlite:///{project / 'mlruns/mlflow.db'}")
    for dataset in datasets:
        (run,) = known(client, dataset)
        assert_whole(client, run)
        client.download_artifacts(run.info.run_id, "report.html", str(tmp_path))
    assert (project / "mlruns/artifacts").is_dir()


def test_what_is_refused_does_not_hold_up_the_rest(
    up: Server, project: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    without_server(monkeypatch, project, "train", "report")
    bad = project / ".realart/unsent/0/bad.json"
    (file,) = project.glob(".realart/unsent/*/*.json")
    training, said = background_logger.load(file)
    background_logger.save(
        bad, replace(training, id="", name="x" * 9999, tags={"": "no name"}), said
    )
    with pytest.raises(StoreUnavailableError):
        list(outbox.send())
    (run,) = known(MlflowClient(up.address), request.node.name)
    assert_whole(MlflowClient(up.address), run)
    assert [path.name for path in (project / ".realart/unsent").iterdir()] == ["0"]


def test_a_wrong_password_is_said_and_not_told(
    up: Server,
    project: Path,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", WRONG)
    run_stages(monkeypatch, project, "train", "report")
    said = "".join(capsys.readouterr())
    assert said.count("can't be used") == 2
    assert "not authenticated" in said
    assert WRONG not in said
    with pytest.raises(StoreUnavailableError, match="not authenticated"):
        list(outbox.send())
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", PASSWORD)
    assert len(list(outbox.send())) == 1
    (run,) = known(MlflowClient(up.address), request.node.name)
    assert_whole(MlflowClient(up.address), run)
    assert_nothing_kept(project)


def test_a_server_whose_disk_is_full_is_told_when_there_is_room(
    project: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with small_disk(tmp_path / "disk", 1 << 27) as disk:
        if not disk:
            pytest.skip("this machine lets nobody mount a disk")
        database = f"sqlite:///{disk.inside / 'mlflow.db'}"
        with mlflow_server(disk.inside, database, disk) as server:
            use(monkeypatch, server)
            disk.leave(0)
            run_stages(monkeypatch, project, "train")
            assert "can't be used" in capsys.readouterr().err
            assert kept(project) == ["training"]
            disk.empty()
            disk.leave(1 << 20)  # for all but the model
            run_stages(monkeypatch, project, "report")
            assert "`realart send` sends it" in capsys.readouterr().out
            assert kept(project) == ["run"]
            disk.empty()
            server.wait()  # a process of it may have died
            assert len(list(outbox.send())) == 1
            (run,) = known(MlflowClient(server.address), request.node.name)
            assert_whole(MlflowClient(server.address), run)
            assert_nothing_kept(project)
