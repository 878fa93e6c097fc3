"""A team's MLflow server may go away, be full or deny access: in the end everything is logged."""

import itertools
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock, Timeout
from loopback import NOTHING_LISTENS
from mlflow import MlflowClient
from mlflow.entities import Run
from project_copy import environment, run_stages, set_params
from servers import PASSWORD, SECONDS, Server, mlflow_server, open_folder, postgres
from small_disk import small_disk

from realart.core import yaml12
from realart.params import load_params
from realart.tracking import (
    background_logger,
    evaluation_runs,
    kept_trainings,
    outbox,
    training_runs,
)
from realart.tracking.store import StoreUnavailableError
from realart.tracking.training_runs import MetricEvent
from stages import report

pytestmark = pytest.mark.slow

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
    patched.setattr(background_logger, "RETRY_SECONDS", 0.2)


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


def training_runs_of(client: MlflowClient, dataset: str) -> list[Run]:
    """Return the runs of trainings on a set."""
    experiment = client.get_experiment_by_name(f"realart-{dataset}")
    found = client.search_runs([experiment.experiment_id]) if experiment else []
    return [run for run in found if training_runs.FOLD not in run.data.tags]


def folds(client: MlflowClient, run: Run) -> list[Run]:
    wanted = f"tags.`{training_runs.PARENT}` = '{run.info.run_id}'"
    return list(client.search_runs([run.info.experiment_id], wanted))


def assert_complete(client: MlflowClient, run: Run) -> None:
    """Nothing of a run is missing."""
    assert run.info.status == "FINISHED"
    assert run.data.tags[evaluation_runs.EVALUATED]
    assert run.data.params["model"]
    assert {f"test/{name}" for name in ("accuracy", "auc", "recall")} <= set(run.data.metrics)
    assert {file.path for file in client.list_artifacts(run.info.run_id)} >= ARTIFACTS
    assert [fold.info.status for fold in folds(client, run)] == ["FINISHED", "FINISHED"]
    for info in (run.info, *(fold.info for fold in folds(client, run))):
        assert info.start_time <= info.end_time
    assert all("held_out/auc" in fold.data.metrics for fold in folds(client, run))
    (version,) = client.search_model_versions(f"run_id = '{run.info.run_id}'")
    assert version.source


def test_two_machines_at_the_same_time_lose_nothing(
    up: Server, trained: Path, tmp_path: Path
) -> None:
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
        _, errors = machine.communicate(timeout=SECONDS)
        assert machine.returncode == 0, errors
    client = MlflowClient(up.address)
    found = training_runs_of(client, "shared")
    assert sorted(run.data.params["train.seed"] for run in found) == ["0", "1"]
    for run in found:
        assert_complete(client, run)
    assert {
        version.version for version in client.search_model_versions("name = 'realart-shared'")
    } == {"1", "2"}


def test_a_restarted_server_has_every_epoch(
    up: Server, project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(project)
    monkeypatch.setenv("DVC_ROOT", str(project))
    params, epochs = load_params(), itertools.count()
    record = training_runs.training_record(params, "data", "key", "id")
    client, printed = MlflowClient(up.address), ""
    with background_logger.log_in_background(record) as logger:

        def train_until(condition: Callable[[], bool]) -> None:
            def trained() -> bool:
                log_epoch({"epoch": next(epochs), "loss": 0.5})
                return condition()

            wait_for(trained)

        def has_printed(expected: str) -> bool:
            nonlocal printed
            printed += capsys.readouterr().err
            return expected in printed

        def has_a_fold() -> bool:
            return any(folds(client, run) for run in training_runs_of(client, params.dataset))

        log_epoch = logger.begin_fold(0)
        train_until(has_a_fold)
        up.kill()
        train_until(lambda: has_printed("can't be used"))
        up.start()
        train_until(lambda: has_printed("can be used again"))
        logger.outcome = "outcome"
    (run,) = training_runs_of(client, params.dataset)
    assert run.info.status == "FINISHED"
    (fold,) = folds(client, run)
    points = client.get_metric_history(fold.info.run_id, "loss")
    assert [point.step for point in points] == list(range(next(epochs)))
    times = [point.timestamp for point in points]
    assert times == sorted(times)
    assert times[-1] <= run.info.end_time
    assert not (project / ".realart/unsent").exists()


def wait_for(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.05)


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


@contextmanager
def locked_while_logging(patched: pytest.MonkeyPatch, project: Path) -> Iterator[None]:
    """Try for each event that is logged to send, too: both would make a run of what they find."""
    log, events = training_runs.TrainingRuns.log, []

    def alone(runs: training_runs.TrainingRuns, event: MetricEvent) -> None:
        with pytest.raises(Timeout):
            FileLock(project / ".realart/send.lock").acquire(blocking=False)
        events.append(event)
        log(runs, event)

    with patched.context() as context:
        context.setattr(training_runs.TrainingRuns, "log", alone)
        yield
    assert events


def test_runs_made_without_the_server_are_sent_later(
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
    printed = capsys.readouterr()
    away = f"MLflow at {NOTHING_LISTENS} can't be used ("
    assert f"train: {away}" in printed.err
    assert f"report: metrics/report.html; the run is kept, since {away}" in printed.out
    assert printed.out.endswith("`realart send` sends it\n")
    monkeypatch.setenv("DVC_EXP_NAME", "solid-newt")
    set_params(project, {"evaluate.reencode": 71})  # another evaluation of the same training
    without_server(monkeypatch, project, "report")
    monkeypatch.delenv("DVC_EXP_NAME")
    assert kept(project) == ["run", "run", "training"]
    with pytest.MonkeyPatch.context() as away:
        away.setenv("MLFLOW_TRACKING_URI", NOTHING_LISTENS)
        with pytest.raises(StoreUnavailableError):
            list(outbox.send())
    assert kept(project) == ["run", "run", "training"]
    (file,) = project.glob(".realart/unsent/*/*.json")
    record, _ = kept_trainings.read(file)
    assert training_runs_of(client, dataset) == []
    with locked_while_logging(monkeypatch, project):
        first, second = outbox.send()
    assert first.startswith(f"muggy-newt: registered as realart-{dataset}, version 1")
    assert second.startswith(f"solid-newt: registered as realart-{dataset}, version 2")
    assert_nothing_kept(project)
    runs = training_runs_of(client, dataset)
    named = {run.data.tags["dvc_experiment"]: run for run in runs}
    assert sorted(named) == ["muggy-newt", "solid-newt"]
    for run in named.values():
        assert_complete(client, run)
        assert run.data.tags["mlflow.source.git.commit"] == "0123abc"
    assert named["muggy-newt"].info.start_time == record.began


def test_a_report_by_hand_is_not_logged(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(project)
    monkeypatch.setenv("DVC_ROOT", str(project))
    monkeypatch.delenv("DVC_STAGE", raising=False)
    report.main()
    assert "not logged to MLflow, since this stage was started by hand" in capsys.readouterr().out
    assert not (project / "mlruns").exists()
    assert_nothing_kept(project)


def test_a_kept_evaluation_is_logged_to_the_run_of_its_training(
    up: Server, project: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    client = MlflowClient(up.address)
    run_stages(monkeypatch, project, "train")
    (trained,) = training_runs_of(client, request.node.name)
    without_server(monkeypatch, project, "report")
    assert kept(project) == ["run"]
    assert len(list(outbox.send())) == 1
    (run,) = training_runs_of(client, request.node.name)
    assert run.info.run_id == trained.info.run_id
    assert_complete(client, run)
    assert_nothing_kept(project)


def test_a_report_logs_what_its_training_could_not(
    up: Server, project: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    client = MlflowClient(up.address)
    without_server(monkeypatch, project, "train")
    assert kept(project) == ["training"]
    (file,) = project.glob(".realart/unsent/*/*.json")
    content = file.read_bytes()
    with locked_while_logging(monkeypatch, project):
        run_stages(monkeypatch, project, "report")
    (run,) = training_runs_of(client, request.node.name)
    assert_complete(client, run)
    file.parent.mkdir()
    file.write_bytes(content)  # as if it had been killed before it took the file away
    assert list(outbox.send()) == []
    assert_nothing_kept(project)
    assert len(training_runs_of(client, request.node.name)) == 1


@pytest.mark.parametrize("place", ["own", "other"])
def test_artifacts_of_a_plain_database_lie_in_the_project(
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
        (run,) = training_runs_of(client, dataset)
        assert_complete(client, run)
        client.download_artifacts(run.info.run_id, "report.html", str(tmp_path))
    assert (project / "mlruns/artifacts").is_dir()


def test_a_refused_training_does_not_hold_up_the_rest(
    up: Server, project: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    without_server(monkeypatch, project, "train", "report")
    bad = project / ".realart/unsent/0/bad.json"
    (file,) = project.glob(".realart/unsent/*/*.json")
    record, events = kept_trainings.read(file)
    kept_trainings.write(bad, replace(record, id="", name="x" * 9999, tags={"": "no name"}), events)
    with pytest.raises(StoreUnavailableError):
        list(outbox.send())
    (run,) = training_runs_of(MlflowClient(up.address), request.node.name)
    assert_complete(MlflowClient(up.address), run)
    assert [path.name for path in (project / ".realart/unsent").iterdir()] == ["0"]


def test_a_wrong_password_is_reported_and_never_shown(
    up: Server,
    project: Path,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", WRONG)
    run_stages(monkeypatch, project, "train", "report")
    printed = "".join(capsys.readouterr())
    assert printed.count("can't be used") == 2
    assert "not authenticated" in printed
    assert WRONG not in printed
    with pytest.raises(StoreUnavailableError, match="not authenticated"):
        list(outbox.send())
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", PASSWORD)
    assert len(list(outbox.send())) == 1
    (run,) = training_runs_of(MlflowClient(up.address), request.node.name)
    assert_complete(MlflowClient(up.address), run)
    assert_nothing_kept(project)


def test_runs_are_kept_while_the_disk_of_the_server_is_full(
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
            (run,) = training_runs_of(MlflowClient(server.address), request.node.name)
            assert_complete(MlflowClient(server.address), run)
            assert_nothing_kept(project)


def test_what_is_damaged_is_put_aside_and_all_else_is_sent(
    project: Path,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A report would meet it, too, before it logs its run."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    without_server(monkeypatch, project, "train", "report")
    (place,) = project.glob(".realart/unsent/*")
    (training,), (evaluation,) = place.glob("*.json"), filter(Path.is_dir, place.iterdir())
    (place / "a.json").write_bytes(training.read_bytes()[:-20])
    (place / "b.json").write_text("{}")
    (place / "c.json").write_bytes(b"\xff")
    for name, damaged in (("0-a", outbox.RECORD), ("0-b", "metrics/evaluation.json")):
        copy = shutil.copytree(evaluation, place / name)
        (copy / damaged).write_bytes(b"")
    capsys.readouterr()
    assert len(list(outbox.send())) == 1
    aside = {"a.json.damaged", "b.json.damaged", "c.json.damaged", "0-a.damaged", "0-b.damaged"}
    assert {path.name for path in place.iterdir()} == aside
    lines = capsys.readouterr().err.splitlines()
    for name in aside:
        (line,) = (line for line in lines if f"it is now {name}" in line)
        assert line.startswith(f"realart: {place / name.removesuffix('.damaged')} is damaged (")
    client = MlflowClient(f"sqlite:///{project / 'mlruns/mlflow.db'}")
    (run,) = training_runs_of(client, request.node.name)
    assert_complete(client, run)
    assert list(outbox.send()) == []
