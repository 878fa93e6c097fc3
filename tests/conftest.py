"""What all tests share: examples without a time limit, since two cores are at times busy."""

import os
from pathlib import Path

import pytest
from hypothesis import settings
from project_copy import run_stages, set_params, tiny_project
from threadpoolctl import threadpool_limits

# Tests run side by side: threads that wait for each other's cores take many times as long.
os.environ.setdefault("OMP_NUM_THREADS", "1")
threadpool_limits(int(os.environ["OMP_NUM_THREADS"]))  # what pytest's plugins have imported, too

settings.register_profile("realart", deadline=None, database=None, max_examples=60)
settings.load_profile("realart")

STAGES = (
    "download", "clean", "split", "balance", "ela", "audit", "features", "train", "evaluate",
    "robustness",
)  # fmt: skip


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a project whose stages have run, all but the last: not to be changed by anybody."""
    project = tiny_project(tmp_path_factory.mktemp("trained"), pictures=64)
    colour = {"sees": {"features": ["colour"]}, "head": {"name": "svm", "grid": {"C": [1.0]}}}
    set_params(
        project,
        {
            "model": "colour",
            "recipes.colour": colour,
            "descriptors.colour": {"families": ["colour", "patterns"]},
        },
    )
    with pytest.MonkeyPatch.context() as patched:
        patched.delenv("MLFLOW_TRACKING_URI", raising=False)
        run_stages(patched, project, *STAGES)
    return project


@pytest.fixture
def inside(trained: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in that project."""
    monkeypatch.chdir(trained)
    monkeypatch.setenv("DVC_ROOT", str(trained))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    return trained
