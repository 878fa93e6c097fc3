"""What all tests share: examples without a time limit, since two cores are at times busy."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import joblib
import pytest
from hypothesis import settings
from made_once import made_once
from project_copy import COLOUR, STAGES, run_stages, set_params, tiny_project
from threadpoolctl import threadpool_limits

from realart.params import Params, load_params

# Tests run side by side: threads that wait for each other's cores take many times as long.
os.environ.setdefault("OMP_NUM_THREADS", "1")
threadpool_limits(int(os.environ["OMP_NUM_THREADS"]))  # what pytest's plugins have imported, too

os.environ.setdefault("KERAS_BACKEND", "tensorflow")  # known beforehand, it imports no JAX

PLACES = (
    "DASK_SCHEDULER_ADDRESS", "DVC_EXP_BASELINE_REV", "DVC_EXP_NAME", "DVC_ROOT",
    "MLFLOW_TRACKING_URI",
)  # fmt: skip
"""Where this project works and logs: no test is told by whoever starts it."""
for name in PLACES:
    os.environ.pop(name, None)

# Stages and commands leave it as it is if it is not Python's own: Ctrl-C is for pytest.
if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, lambda number, frame: signal.default_int_handler(number, frame))

# Processes inherit what is ignored, as by `nohup` or a shell's background, but no handler: theirs
# are as in a terminal, which is what tests send signals to.
for ignorable in (signal.SIGINT, signal.SIGHUP):
    if signal.getsignal(ignorable) is signal.SIG_IGN:
        signal.signal(ignorable, lambda number, frame: None)

settings.register_profile("realart", deadline=None, database=None, max_examples=25)
settings.load_profile("realart")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the module that makes what others copy, so that no worker waits for it."""
    items.sort(key=lambda item: item.path.name != "test_end_to_end.py")


@pytest.fixture(autouse=True)
def _places_stay() -> Iterator[None]:
    """Name the test that would send all later ones of its process elsewhere."""
    before = {name: os.environ.get(name) for name in PLACES}
    yield
    assert {name: os.environ.get(name) for name in PLACES} == before


@pytest.fixture(scope="session", autouse=True)
def _one_process() -> Iterator[None]:
    """Map in this process, which has imported all; tests of others ask for `loky` themselves."""
    with joblib.parallel_config("sequential"):
        yield


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a project whose stages have run, all but the last: not to be changed by anybody."""

    def train(folder: Path) -> None:
        project = tiny_project(folder, pictures=64)
        set_params(project, COLOUR)
        with pytest.MonkeyPatch.context() as patched:
            patched.delenv("MLFLOW_TRACKING_URI", raising=False)
            run_stages(patched, project, *STAGES)

    return made_once(tmp_path_factory, "trained", train) / "project"


@pytest.fixture
def inside(trained: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in that project."""
    monkeypatch.chdir(trained)
    monkeypatch.setenv("DVC_ROOT", str(trained))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    return trained


@pytest.fixture(scope="session")
def own_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder with MLflow's store, which takes seconds to make."""
    from realart.tracking import store

    folder = tmp_path_factory.mktemp("store")
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("DVC_ROOT", str(folder))
        patched.delenv("MLFLOW_TRACKING_URI", raising=False)
        store.connect()
    return folder


@pytest.fixture
def client(own_store: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Give a client of that store, which is the project's own as long as the test runs."""
    from realart.tracking import store

    monkeypatch.setenv("DVC_ROOT", str(own_store))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    return store.connect()


@pytest.fixture
def params(request: pytest.FixtureRequest) -> Params:
    """Give the project's params, with an experiment of its own for the test."""
    name = request.node.name.replace("[", "-").strip("]")
    return load_params(Path(__file__).parents[1] / "params.yaml").model_copy(
        update={"dataset": name}
    )
