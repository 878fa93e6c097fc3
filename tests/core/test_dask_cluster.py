"""A cluster writes the same bytes as this machine: real schedulers, workers and kills."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from loopback import free_port
from networks import clean_environment
from project_copy import BACKBONE, environment, run_stages, set_params

from realart.core import dask_cluster
from realart.core.errors import RealartError
from realart.core.parallel import batches, map_parallel
from realart.models.trained_model import TrainedModel
from realart.serving import predict

pytestmark = pytest.mark.slow

REPOSITORY = Path(__file__).parents[2]
SECONDS = 60


@contextmanager
def started(folder: Path, *options: str) -> Iterator[str]:
    """Start a scheduler and, with `options`, workers; yield its address."""
    address = f"tcp://127.0.0.1:{free_port()}"
    same = {name: value for name, value in os.environ.items() if name.startswith("OPENBLAS_")}
    quick = {"DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "1"}
    variables = clean_environment(HOME=str(folder), PYTHONPATH=str(REPOSITORY), **same, **quick)
    dask = [sys.executable, "-m", "dask"]
    commands = [[*dask, "scheduler", "--host", address, "--no-dashboard"]]
    if options:
        commands.append([*dask, "worker", address, "--no-dashboard", *options])
    with (folder / "log").open("w") as log:
        processes = [
            subprocess.Popen(command, cwd=folder, env=variables, stderr=log, start_new_session=True)
            for command in commands
        ]
        (folder / "scheduler.pid").write_text(str(processes[0].pid))
        try:
            wait_for(lambda: "Scheduler at" in (folder / "log").read_text())
            yield address
        finally:
            for process in reversed(processes):
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def wait_for(condition: Callable[[], bool]) -> None:
    """Wait until `condition` holds."""
    end = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.fixture(scope="module")
def two_workers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Start a cluster of two workers, as in docs/team.md."""
    folder = tmp_path_factory.mktemp("cluster")
    with started(folder, "--nworkers", "2", "--nthreads", "1") as address:
        with at(address):
            dask_cluster.get_client(address).wait_for_workers(2, timeout=SECONDS)
        yield address


@contextmanager
def at(address: str) -> Iterator[None]:
    """Run the parallel map on the cluster at `address`."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv(dask_cluster.ADDRESS, address)
        yield
        dask_cluster.get_client(address).close()
        dask_cluster.get_client.cache_clear()


@pytest.fixture
def there(two_workers: str) -> Iterator[str]:
    """Run the parallel map of a test on the cluster of two workers."""
    with at(two_workers):
        yield two_workers


@pytest.mark.parametrize("count", [0, 1, 5, 333])
def test_results_come_in_order_from_other_processes(there: str, count: int) -> None:
    ours = os.getpid()
    found = list(map_parallel(lambda item: (item, os.getpid() != ours), range(count), "work"))
    assert found == [(item, True) for item in range(count)]
    in_batches = list(batches(lambda item: -item, range(count), 8, "work"))
    assert [-item for batch in in_batches for item in batch] == list(range(count))
    assert all(len(batch) == 8 for batch in in_batches[:-1])


def test_few_items_are_shared_by_all(there: str) -> None:
    assert len(set(map_parallel(lambda _: time.sleep(0.1) or os.getpid(), range(6), "work"))) == 2


def test_few_tasks_run_ahead_of_the_caller(there: str, tmp_path: Path) -> None:
    """Results that nobody takes would fill the memory of this process or of the workers."""
    work = map_parallel(lambda item: (tmp_path / f"{item}").touch(), range(2000), "work")
    next(work)
    time.sleep(1)
    assert (
        len(list(tmp_path.iterdir()))
        <= 2 * dask_cluster.TASKS_PER_WORKER * dask_cluster.LARGEST_TASK
    )
    work.close()
    time.sleep(0.5)
    assert list(map_parallel(lambda item: item, [1], "work")) == [1]


def test_a_worker_that_is_killed_costs_its_task_only(there: str, tmp_path: Path) -> None:
    def work(item: int) -> int:
        if item == 77:
            try:
                (tmp_path / "killed").touch(exist_ok=False)
                os.kill(os.getpid(), signal.SIGKILL)
            except FileExistsError:
                pass
        return -item

    assert list(map_parallel(work, range(200), "work")) == [-item for item in range(200)]
    assert (tmp_path / "killed").exists()


def test_a_task_that_kills_every_worker_is_one_line(there: str) -> None:
    with pytest.raises(RealartError, match="several workers were killed by one task of 'work'"):
        list(map_parallel(lambda _: os.kill(os.getpid(), signal.SIGKILL), [1], "work"))


def test_an_error_in_the_work_ends_it(there: str) -> None:
    def fail(item: int) -> None:
        raise RealartError(f"item {item} is bad")

    with pytest.raises(RealartError, match=r"^item 7 is bad$"):
        list(map_parallel(fail, [7], "work"))


def test_a_timeout_raised_by_the_work_comes_through(there: str) -> None:
    def fail(item: int) -> None:
        raise TimeoutError(f"storage does not answer for {item}")

    with pytest.raises(TimeoutError, match="for 0"):
        list(map_parallel(fail, range(3), "work"))


def test_a_worker_of_another_version_is_named(there: str, monkeypatch: pytest.MonkeyPatch) -> None:
    other = {**dask_cluster.software_versions(), "pillow": "1.2.3"}
    monkeypatch.setattr(dask_cluster, "software_versions", lambda: other)
    with pytest.raises(RealartError, match=r"worker at tcp://127.* has pillow .*, this .* 1\.2\.3"):
        list(map_parallel(lambda item: item, [1], "work"))


def test_a_folder_that_workers_lack_is_named(there: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "cwd", lambda: Path("/nowhere/at/all"))
    with pytest.raises(RealartError, match="has no folder /nowhere/at/all: keep the project on"):
        list(map_parallel(lambda item: item, [1], "work"))


def test_a_worker_of_several_threads_is_refused(tmp_path: Path) -> None:
    with (
        started(tmp_path, "--nworkers", "1", "--nthreads", "2") as address,
        at(address),
        pytest.raises(RealartError, match="2 threads: start it with --nthreads 1"),
    ):
        list(map_parallel(lambda item: item, [1], "work"))


def test_a_scheduler_without_workers_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dask_cluster, "TIMEOUT", 2)
    with (
        started(tmp_path) as address,
        at(address),
        pytest.raises(RealartError, match=f"at {address} has no worker: start some with"),
    ):
        list(map_parallel(lambda item: item, [1], "work"))


def test_the_loss_of_all_workers_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dask_cluster, "TIMEOUT", 2)
    with (
        started(tmp_path, "--nworkers", "1", "--nthreads", "1", "--no-nanny") as address,
        at(address),
        pytest.raises(RealartError, match="has no worker"),
    ):
        list(map_parallel(lambda _: os.kill(os.getpid(), signal.SIGKILL), range(3), "work"))


def test_an_unreachable_scheduler_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dask_cluster, "TIMEOUT", 1)
    monkeypatch.setenv(dask_cluster.ADDRESS, "tcp://127.0.0.1:9")
    with pytest.raises(RealartError, match=r"no Dask scheduler answers at tcp://127\.0\.0\.1:9"):
        list(map_parallel(lambda item: item, [1], "work"))


def test_a_scheduler_that_goes_away_is_named(tmp_path: Path) -> None:
    with started(tmp_path, "--nworkers", "1", "--nthreads", "1") as address, at(address):
        work = map_parallel(lambda _: time.sleep(0.2), range(500), "work")
        next(work)
        os.kill(int((tmp_path / "scheduler.pid").read_text()), signal.SIGKILL)
        with pytest.raises(RealartError, match=f"the Dask scheduler at {address} went away"):
            list(work)


def everything(project: Path) -> dict[str, bytes]:
    """Return every output by its path."""
    return {
        str(file.relative_to(project)): file.read_bytes()
        for name in ("data", "models", "metrics")
        for file in sorted((project / name).rglob("*"))
        if file.is_file() and not file.name.startswith(".git")
    }


def assert_same(found: dict[str, bytes], expected: dict[str, bytes]) -> None:
    """Compare outputs, and name the files that differ."""
    assert sorted(found) == sorted(expected)
    differ = [name for name in found if found[name] != expected[name]]
    assert not differ, differ


AGAIN = ("clean", "split", "balance", "ela", "audit", "features", "evaluate", "robustness")


def test_stages_write_the_same_bytes(
    there: str, trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = tmp_path / "project"
    shutil.copytree(trained, project)
    for name in ("data/clean", "data/balanced", "data/ela", "data/features", "models/final"):
        shutil.rmtree(project / name)
    run_stages(monkeypatch, project, *AGAIN)
    assert_same(everything(project), everything(trained))


LAYERS = {
    "sees": {"features": ["layers"]},
    "head": {"name": "logistic", "grid": {"C": [1.0]}},
}
DESCRIBED = {
    "backbone": {**BACKBONE, "arguments": {"alpha": 0.25}},
    "layers": ["conv_pw_2_relu"],
    "pooling": ["mean", "std"],
    "size": 32,
    "shape": "pad",
    "views": 2,
}


@pytest.mark.parametrize(
    ("model", "values"),
    [
        ("tiny", {}),
        ("layers", {"recipes.layers": LAYERS, "descriptors.layers": DESCRIBED}),
    ],
)
def test_features_of_networks_are_the_same(
    two_workers: str,
    trained: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    model: str,
    values: dict[str, Any],
) -> None:
    project = tmp_path / "project"
    shutil.copytree(trained, project)
    set_params(project, {"model": model, **values})
    run_stages(monkeypatch, project, "features")
    expected = everything(project)
    with at(two_workers):
        run_stages(monkeypatch, project, "features")
    assert_same(everything(project), expected)
    assert [name for name in expected if name.startswith("data/features/") and ".npy" in name]


def test_a_stage_outlives_a_killed_worker(there: str, trained: Path, tmp_path: Path) -> None:
    project = tmp_path / "project"
    shutil.copytree(trained, project)
    shutil.rmtree(project / "data/clean")
    workers = dask_cluster.get_client(there).run(os.getpid)
    stage = subprocess.Popen(
        [sys.executable, "-m", "stages.clean"],
        cwd=project,
        env=environment(project, **{dask_cluster.ADDRESS: there}),
    )
    written = project / "data/.clean.partial/pictures"
    wait_for(lambda: written.is_dir() and len(list(written.iterdir())) > 5)
    os.kill(next(iter(workers.values())), signal.SIGKILL)
    assert stage.wait(SECONDS) == 0
    assert_same(everything(project), everything(trained))
    assert set(dask_cluster.get_client(there).run(os.getpid).values()) != set(workers.values())


def test_predictions_are_the_same(
    there: str, inside: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = [*sorted((inside / "data/clean/pictures").iterdir())[:20], inside / "params.yaml"]
    model = TrainedModel(inside / "models/final")
    found = list(predict.predict(files, model))
    monkeypatch.delenv(dask_cluster.ADDRESS)
    for prediction, expected in zip(found, predict.predict(files, model), strict=True):
        assert (prediction.path, prediction.verdict, prediction.error) == (
            expected.path,
            expected.verdict,
            expected.error,
        )
        assert prediction.probability_ai == pytest.approx(expected.probability_ai, abs=1e-12)
    assert [bool(prediction.error) for prediction in found] == [False] * 20 + [True]
