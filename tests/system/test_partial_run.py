"""A part of the pipeline runs on a fresh clone, whose cache has nothing of the committed lock."""

import shutil
from pathlib import Path

import pytest
from project_copy import ROOT, git_project, run

pytestmark = pytest.mark.slow


def test_a_fresh_clone_runs_any_part(tmp_path: Path) -> None:
    """One that makes nothing of what plots and metrics are read from."""
    shutil.copy(ROOT / "dvc.lock", tmp_path)
    project = git_project(tmp_path)
    assert "metrics/images" in (tmp_path / "dvc.lock").read_text()
    shutil.move(tmp_path / "dvc.lock", project)
    run(project, "git", "add", "dvc.lock")
    identity = ["-c", "user.name=somebody", "-c", "user.email=somebody@example.org"]
    run(project, "git", *identity, "commit", "-qm", "a run of somebody else")
    done = run(project, "dvc", "exp", "run", "-S", "balance.method=none", "split")
    assert done.returncode == 0, done.stderr
    assert "Ran experiment(s)" in done.stdout
    assert (project / "data/split.csv").is_file()
