"""The tags that MLflow's users look for."""

import subprocess
from pathlib import Path

import pytest
from networks import python

from realart.tracking import run_description

pytestmark = pytest.mark.slow

STANDARD = {
    "mlflow.user": "me",
    "mlflow.source.name": "stages/train.py",
    "mlflow.source.type": "LOCAL",
    "mlflow.source.git.commit": "0123abc",
    "dvc_experiment": "muggy-newt",
}
ENVIRONMENT = {
    "DVC_EXP_BASELINE_REV": "0123abc",
    "DVC_EXP_NAME": "muggy-newt",
    "MLFLOW_TRACKING_USERNAME": "me",
}
SCRIPT = """
import sys
sys.argv = ["train.py"]
from realart.tracking.run_description import standard_tags
print(standard_tags("stages/train.py"))
"""


def test_standard_tags(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    assert run_description.standard_tags("stages/train.py") == STANDARD


def test_a_remote_with_a_token_is_no_tag(tmp_path: Path) -> None:
    """Fresh, since MLflow looks once in a process."""
    (tmp_path / "train.py").touch()
    remote = "https://me:secret@git.example.org/art.git"
    identity = ["-c", "user.name=me", "-c", "user.email=me@example.org"]
    for command in (
        ["init", "-q"], ["add", "-A"], [*identity, "commit", "-qm", "start"],
        ["remote", "add", "origin", remote],
    ):  # fmt: skip
        subprocess.run(["git", *command], cwd=tmp_path, check=True)
    done = python(SCRIPT, cwd=tmp_path, HOME=str(tmp_path), **ENVIRONMENT)
    assert done.stdout == f"{STANDARD}\n", done.stderr
