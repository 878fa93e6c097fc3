"""What the stages print on standard error: nothing, as long as nothing is wrong."""

import sys
from pathlib import Path

import pytest
from project_copy import COLOUR, STAGES, run, set_params, tiny_project

BY_MODEL = (*STAGES[STAGES.index("features") :], "report")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    project = tiny_project(tmp_path_factory.mktemp("quiet"), pictures=64)
    set_params(project, COLOUR | {"model": "tiny"})
    return project


def test_stages_are_quiet(project: Path) -> None:
    """Two processes of joblib's, a network, then a classifier: each library has its say."""
    stages = [("tiny", stage) for stage in (*STAGES, "report")]
    stages += [("colour", stage) for stage in BY_MODEL]
    for model, stage in stages:
        set_params(project, {"model": model})
        command = (sys.executable, "-m", f"stages.{stage}")
        done = run(project, *command, DVC_ROOT=str(project), LOKY_MAX_CPU_COUNT="2")
        assert (stage, done.returncode, done.stderr) == (stage, 0, "")
        assert done.stdout.startswith((f"{stage}:", "fold 0", "labels of ")), done.stdout
