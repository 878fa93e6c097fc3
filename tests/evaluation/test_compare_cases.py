"""Cases have their probabilities of two runs beside each other, those of one run alone included."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from realart.core import paths
from realart.evaluation import compare_cases

BEFORE = {"ai/a.png": {"score": 0.2, "right": 0.0}, "human/gone.png": {"score": 0.1, "right": 1.0}}
AFTER = {"ai/a.png": {"score": 0.9, "right": 1.0}, "human/new.png": {"score": 0.6, "right": 0.0}}
LINES = [
    "case ai/a.png: 0.200 (wrong) and 0.900 (right)",
    "case human/gone.png: 0.100 (right) and none",
    "case human/new.png: none and 0.600 (wrong)",
]


def test_every_case_has_a_line() -> None:
    assert list(compare_cases.compare(BEFORE, AFTER)) == LINES
    assert list(compare_cases.compare({}, {})) == []


@pytest.mark.slow
def test_cases_of_a_commit_and_of_the_workspace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    assert compare_cases.load("workspace") == {}
    paths.EVALUATION.parent.mkdir()
    paths.EVALUATION.write_text(json.dumps({"cases": BEFORE}))
    for command in (
        "git init -q", "dvc init -q", f"dvc add -q {paths.EVALUATION}", "git add .",
        "git -c user.name=a -c user.email=a@b commit -qm run",
    ):  # fmt: skip
        subprocess.run(command.split(), check=True)
    paths.EVALUATION.unlink()
    paths.EVALUATION.write_text(json.dumps({"cases": AFTER}))
    loaded = [compare_cases.load(name) for name in ("HEAD", "workspace", "no such experiment")]
    assert loaded == [BEFORE, AFTER, {}]
    shutil.rmtree(".dvc/cache")
    assert compare_cases.load("HEAD") == {}
