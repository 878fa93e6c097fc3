"""Heads learn without Keras, and go on with the folds that an interrupted run has finished."""

import shutil
from contextlib import chdir
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient
from networks import python
from project_copy import run_stages

from realart.core.errors import RealartError
from realart.models import classifiers
from realart.tracking import training_runs
from realart.training import cross_validation
from stages import train

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


def folds(project: Path) -> dict[str, bytes]:
    whole = models(project)
    return {file: whole[file] for file in whole if file.startswith("models/folds")}


def test_a_head_is_trained_and_evaluated_without_keras(trained: Path, project: Path) -> None:
    done = python(CODE, *KERAS, cwd=project, LOKY_MAX_CPU_COUNT="1")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == ""
    assert models(project) == models(trained)


def test_equal_trainings_of_one_project_do_not_meet(
    trained: Path, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As of queued experiments that differ in what comes after `train`: one within the other."""
    fit, waiting = classifiers.fit, [Path(shutil.copytree(project, tmp_path / "other"))]

    def met(*given: Any) -> Any:
        while waiting:
            with chdir(waiting.pop()):
                train.main()
        return fit(*given)

    monkeypatch.chdir(project)
    monkeypatch.setenv("DVC_ROOT", str(project))
    monkeypatch.setattr(classifiers, "fit", met)
    train.main()
    assert models(project) == models(tmp_path / "other") == folds(trained)
    assert list((project / ".realart/checkpoints").iterdir()) == []
    client = MlflowClient(f"sqlite:///{project / 'mlruns/mlflow.db'}")
    ended = [run.data.tags.get(training_runs.OUTCOME) for run in client.search_runs(["1"])]
    assert len([one for one in ended if one]) == 2


def test_what_an_equal_training_has_left_is_gone_on_with(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DVC_ROOT", str(project))
    with cross_validation.unfinished("key") as one, cross_validation.unfinished("key") as other:
        assert one != other
        other.mkdir(parents=True)
    with cross_validation.unfinished("key") as left, cross_validation.unfinished("key") as further:
        assert (left, further) == (other, one)


def test_a_finished_fold_is_not_learnt_again(
    trained: Path, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    learnt: list[Any] = []
    fit = classifiers.fit

    def once(*given: Any) -> Any:
        if learnt:
            raise RealartError("that is enough")
        learnt.append(given)
        return fit(*given)

    with monkeypatch.context() as patched:
        patched.setattr(classifiers, "fit", once)
        with pytest.raises(RealartError, match="enough"):
            run_stages(patched, project, "train")
    assert not (project / "models").exists()
    learnt.clear()
    with monkeypatch.context() as patched:
        patched.setattr(classifiers, "fit", once)
        run_stages(patched, project, "train")
    assert models(project) == folds(trained)
    assert list((project / ".realart/checkpoints").iterdir()) == []
