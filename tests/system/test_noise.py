"""What the stages print on standard error: nothing, as long as nothing is wrong."""

from pathlib import Path

import pytest
from project_copy import STAGES, run, set_params
from reproduced import PROCESSES, Reproduced

pytestmark = pytest.mark.slow


def test_the_stages_of_a_network_are_quiet(reproduced: Reproduced) -> None:
    """All of them: DVC has printed what they did."""
    assert reproduced.stderr == ""
    for stage in (*STAGES, "report"):
        _, _, printed = reproduced.output.partition(f"> python -m stages.{stage}\n")
        assert printed.startswith((f"{stage}:", "fold 0", "labels of ")), printed[:200]


def test_the_stages_of_a_classifier_are_quiet(reproduced: Reproduced, tmp_path: Path) -> None:
    project = reproduced.copy("after", tmp_path)
    set_params(project, {"model": "colour"})
    for stage in ("features", "train", "evaluate", "robustness"):
        done = run(project, "python", "-m", f"stages.{stage}", DVC_ROOT=str(project), **PROCESSES)
        assert (stage, done.returncode, done.stderr) == (stage, 0, "")
        assert done.stdout.startswith((f"{stage}:", "fold 0")), done.stdout
