"""Classifiers are trained without Keras, and an interrupted cross-validation is resumed."""

import shutil
from contextlib import chdir
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from mlflow import MlflowClient
from networks import python
from project_copy import run_stages

from realart.core import paths
from realart.core.errors import RealartError
from realart.models import classifiers
from realart.tracking import training_runs
from realart.training import cross_validation
from stages import train

pytestmark = pytest.mark.slow

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
    ignored = shutil.ignore_patterns("mlruns", ".realart")
    project = Path(shutil.copytree(trained, tmp_path / "project", ignore=ignored))
    shutil.rmtree(project / "models")
    return project


def models(project: Path) -> dict[str, bytes]:
    files = (file for file in (project / "models").rglob("*") if file.is_file())
    return {str(file.relative_to(project)): file.read_bytes() for file in files}


def folds(project: Path) -> dict[str, bytes]:
    whole = models(project)
    return {file: whole[file] for file in whole if file.startswith("models/folds")}


def test_a_classifier_is_trained_and_evaluated_without_keras(trained: Path, project: Path) -> None:
    process = python(CODE, *KERAS, cwd=project, LOKY_MAX_CPU_COUNT="1")
    assert process.returncode == 0, process.stderr
    assert process.stdout.splitlines()[-1] == ""
    assert models(project) == models(trained)


def test_equal_trainings_of_one_project_do_not_share_a_folder(
    trained: Path, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As of queued experiments that differ in what comes after `train`: one within the other."""
    fit, waiting = classifiers.fit, [Path(shutil.copytree(project, tmp_path / "other"))]

    def nested(*arguments: Any) -> Any:
        while waiting:
            with chdir(waiting.pop()):
                train.main()
        return fit(*arguments)

    monkeypatch.chdir(project)
    monkeypatch.setenv("DVC_ROOT", str(project))
    monkeypatch.setenv("DVC_STAGE", "train")
    monkeypatch.setattr(classifiers, "fit", nested)
    train.main()
    assert models(project) == models(tmp_path / "other") == folds(trained)
    assert list((project / ".realart/checkpoints").iterdir()) == []
    client = MlflowClient(f"sqlite:///{project / 'mlruns/mlflow.db'}")
    ended = [run.data.tags.get(training_runs.OUTCOME) for run in client.search_runs(["1"])]
    assert len([outcome for outcome in ended if outcome]) == 2


def test_an_unfinished_training_is_resumed_in_its_folder(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DVC_ROOT", str(project))
    folder = cross_validation.checkpoint_folder
    with folder("key") as first, folder("key") as second:
        assert first != second
        second.mkdir(parents=True)
    with folder("key") as resumed, folder("key") as new:
        assert (resumed, new) == (second, first)


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
def test_a_feature_that_is_not_finite_names_its_file_and_picture(
    project: Path, monkeypatch: pytest.MonkeyPatch, number: float
) -> None:
    file = project / "data/features/vectors-0.npy"
    vectors = np.load(file)
    vectors[3, 5] = number
    np.save(file, vectors)
    picture = pd.read_csv(project / paths.ROWS)["file"][3]
    with pytest.raises(RealartError, match=rf"vectors-0\.npy has a feature of data/{picture} that"):
        run_stages(monkeypatch, project, "train")
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(RealartError, match=r"vectors-0\.npy is damaged .* data/features"):
        run_stages(monkeypatch, project, "train")


def test_what_is_damaged_of_an_unfinished_training_is_put_aside(
    trained: Path,
    project: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail(*arguments: Any) -> Any:
        raise RealartError("that is enough")

    with monkeypatch.context() as patched:
        patched.setattr(cross_validation, "publish", fail)
        with pytest.raises(RealartError, match="enough"):
            run_stages(patched, project, "train")
    (folder,) = (project / ".realart/checkpoints").glob("*/")
    (folder / "0/scores.csv").write_bytes(b"")
    (folder / "1/history.csv").unlink()
    (folder / "id").write_bytes(b"\0" * 32)
    capsys.readouterr()
    run_stages(monkeypatch, project, "train")
    assert models(project) == folds(trained)
    printed = capsys.readouterr().err
    for name in ("0", "1", "id"):
        assert f"it is now {name}.damaged" in printed


def test_a_finished_fold_is_not_trained_again(
    trained: Path, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[Any] = []
    fit = classifiers.fit

    def fit_once(*arguments: Any) -> Any:
        if calls:
            raise RealartError("that is enough")
        calls.append(arguments)
        return fit(*arguments)

    with monkeypatch.context() as patched:
        patched.setattr(classifiers, "fit", fit_once)
        with pytest.raises(RealartError, match="enough"):
            run_stages(patched, project, "train")
    assert not (project / "models").exists()
    calls.clear()
    with monkeypatch.context() as patched:
        patched.setattr(classifiers, "fit", fit_once)
        run_stages(patched, project, "train")
    assert models(project) == folds(trained)
    assert list((project / ".realart/checkpoints").iterdir()) == []
