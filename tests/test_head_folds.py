"""Heads learn without Keras, and go on with the folds that an interrupted run has finished."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from networks import python
from project_copy import run_stages

from realart import heads
from realart.errors import RealartError

KERAS = {"keras", "tensorflow", "jax", "torch"}
CODE = """
import sys
import stages.train, stages.evaluate
stages.train.main()
stages.evaluate.main()
print(*sorted(set(sys.argv[1:]) & set(sys.modules)))
"""


@pytest.fixture
def project(trained: Path, tmp_path: Path) -> Path:
    ignored = shutil.ignore_patterns("mlruns", ".realart", "models")
    return Path(shutil.copytree(trained, tmp_path / "project", ignore=ignored))


def models(project: Path) -> dict[str, bytes]:
    files = (file for file in (project / "models").rglob("*") if file.is_file())
    return {str(file.relative_to(project)): file.read_bytes() for file in files}


def test_a_head_is_trained_and_evaluated_without_keras(trained: Path, project: Path) -> None:
    done = python(CODE, *KERAS, cwd=project, LOKY_MAX_CPU_COUNT="1")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == ""
    assert models(project) == models(trained)


def test_a_finished_fold_is_not_learnt_again(
    trained: Path, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    learnt: list[Any] = []
    fit = heads.fit

    def once(*given: Any) -> Any:
        if learnt:
            raise RealartError("that is enough")
        learnt.append(given)
        return fit(*given)

    with monkeypatch.context() as patched:
        patched.setattr(heads, "fit", once)
        with pytest.raises(RealartError, match="enough"):
            run_stages(patched, project, "train")
    assert not (project / "models").exists()
    learnt.clear()
    with monkeypatch.context() as patched:
        patched.setattr(heads, "fit", once)
        run_stages(patched, project, "train")
    made, whole = models(project), models(trained)
    assert made == {file: whole[file] for file in whole if file.startswith("models/folds")}
    assert list((project / ".realart/checkpoints").iterdir()) == []
