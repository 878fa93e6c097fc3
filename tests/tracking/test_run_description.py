"""The tags that MLflow's users look for."""

import pytest

from realart.tracking import run_description


def test_standard_tags(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DVC_EXP_BASELINE_REV", "0123abc")
    monkeypatch.setenv("DVC_EXP_NAME", "muggy-newt")
    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", "me")
    assert run_description.standard_tags("stages/train.py") == {
        "mlflow.user": "me",
        "mlflow.source.name": "stages/train.py",
        "mlflow.source.type": "LOCAL",
        "mlflow.source.git.commit": "0123abc",
        "dvc_experiment": "muggy-newt",
    }
