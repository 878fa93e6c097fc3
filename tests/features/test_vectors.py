"""Recipes on feature vectors, from pictures to verdicts."""

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import graphs
import numpy as np
import pytest
from networks import clean_environment
from project_copy import BACKBONE, TINY, run_stages, set_params, tiny_project

from realart.core import tables
from realart.core.errors import RealartError
from realart.features import preprocessing, vectors
from realart.metrics import classification
from realart.models import trained_model
from realart.serving import predict

pytestmark = pytest.mark.slow

DEEP = {
    "backbone": BACKBONE,
    "layers": ["conv_pw_2_relu", "conv_pw_4_relu"],
    "pooling": ["mean", "std"],
    "size": 32,
    "shape": "crop",
    "views": 3,
}
BOTH = {"features": ["deep", "measured"]}
SVM = {"name": "svm", "grid": {"C": [1.0, 10.0], "gamma": [1.0]}}
RECIPES: dict[str, Any] = {
    "svm": {"sees": BOTH, "head": SVM},
    "boosting": {"sees": {"features": ["measured"]}, "head": {"name": "boosting", "grid": {}}},
    "network": {**TINY, "sees": BOTH, "layers": [{"BatchNormalization": {"momentum": 0.5}}]},
    "encoder": {"sees": {"features": ["encoded"]}, "head": SVM},
}


def encoder(file: Path) -> dict[str, Any]:
    """Describe by a small random encoder, whose path is relative to the project."""
    return {
        "encoder": {
            "file": file.name,
            "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
            "licence": "MIT",
            "mean": [0.5, 0.5, 0.5],
            "std": [0.5, 0.5, 0.5],
        },
        "taps": [{"block": 1, "pooling": ["mean", "std"]}],
        "size": 48,
        "shape": "crop",
        "views": 2,
        "precision": "bfloat16",
    }


@pytest.fixture(scope="module")
def project_with(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Return a function of a recipe's name to a project where all stages have run with it."""
    project = tiny_project(tmp_path_factory.mktemp("user"), pictures=64)
    set_params(project, {f"recipes.{name}": recipe for name, recipe in RECIPES.items()})
    measured = {"families": ["colour", "patterns"]}
    encoded = encoder(graphs.convolutional(project / "encoder.onnx"))
    described = {"deep": DEEP, "measured": measured, "encoded": encoded}
    set_params(project, {f"descriptors.{name}": part for name, part in described.items()})
    with pytest.MonkeyPatch.context() as patched:
        run_stages(patched, project, "download", "clean", "split", "balance", "ela", "audit")

    @cache
    def with_recipe(name: str) -> Path:
        own = Path(shutil.copytree(project, project.parent / name))
        set_params(own, {"model": name, "evaluate.final": "best_fold"})
        with pytest.MonkeyPatch.context() as patched:
            run_stages(patched, own, "features", "train", "evaluate")
        return own

    return with_recipe


@pytest.mark.parametrize("name", list(RECIPES))
def test_the_final_model_scores_pictures_as_its_fold_did(
    project_with: Callable[[str], Path], name: str
) -> None:
    project = project_with(name)
    held_out = [
        tables.read(project / f"models/folds/{k}/scores.csv", tables.SCORES) for k in (0, 1)
    ]
    figures = [
        classification.figures(tables.is_ai(table["label"]), table["score"].to_numpy())
        for table in held_out
    ]
    scores = held_out[classification.best_fold(figures)]
    final = trained_model.TrainedModel(project / "models/final")
    rows = tables.read(project / "data/balanced/rows.csv", tables.ROWS).set_index("row", drop=False)
    files = preprocessing.files(rows.loc[scores["row"]], project / "data", final.input)
    batch = preprocessing.stack([preprocessing.from_stored(file, final.input) for file in files])
    expected = final.decision_rule.calibration(scores["score"].to_numpy())
    assert expected.std() > 1e-5
    np.testing.assert_allclose(final.scores(*batch), expected, rtol=0, atol=expected.std() / 50)
    assert name in ("network", "encoder") or max(fold["auc"] for fold in figures) > 0.6


def test_each_row_has_the_vector_of_its_picture(project_with: Callable[[str], Path]) -> None:
    project = project_with("svm")
    final = trained_model.TrainedModel(project / "models/final")
    rows = tables.read(project / "data/balanced/rows.csv", tables.ROWS)
    file = project / "data" / rows["file"].iloc[-1]
    vector = vectors.extract(
        preprocessing.stack([preprocessing.from_stored(file, final.input)]),
        final.input.parts,
        final.feature_extractors,
    )
    stored = [block[-1] for block in vectors.read(project / "data/features")]
    assert len(rows) == len(vectors.read(project / "data/features")[0])
    np.testing.assert_allclose(vector[0], np.concatenate(stored), rtol=1e-3, atol=1e-4)


def test_a_classifier_does_not_depend_on_its_held_out_fold(
    project_with: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other vectors in a fold change the classifiers of the other folds only."""
    project = Path(shutil.copytree(project_with("boosting"), tmp_path / "project"))
    before = [(project / f"models/folds/{k}/head.npz").read_bytes() for k in (0, 1)]
    rows = tables.read(project / "data/balanced/rows.csv", tables.ROWS)
    file = project / "data/features" / vectors.ROWS.format(0)
    values = np.load(file)
    values[rows["fold"] == 0] = np.random.default_rng(0).normal(size=values.shape[1])
    np.save(file, values)
    run_stages(monkeypatch, project, "train")
    after = [(project / f"models/folds/{k}/head.npz").read_bytes() for k in (0, 1)]
    assert after[0] == before[0]
    assert after[1] != before[1]


@pytest.mark.parametrize("name", ["boosting", "encoder"])
def test_measurements_and_encoders_predict_without_keras(
    project_with: Callable[[str], Path], name: str
) -> None:
    project = project_with(name)
    picture = next((project / "data/clean/pictures").iterdir())
    code = (
        "import sys; sys.argv[0] = 'realart'; from realart import cli\n"
        "try: cli.main()\n"
        "except SystemExit as end: assert not end.code\n"
        "print(sorted({'keras', 'tensorflow'} & set(sys.modules)))"
    )
    lines = subprocess.run(
        [sys.executable, "-c", code, "predict", picture],
        cwd=project,
        env=clean_environment(DVC_ROOT=str(project)),
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    assert lines[-1] == "[]"
    (prediction,) = predict.predict([picture], trained_model.TrainedModel(project / "models/final"))
    assert lines[0].split()[:2] == [prediction.verdict, f"p(ai)={prediction.probability_ai:.3f}"]


def test_an_encoder_needs_its_file_for_features_only(
    project_with: Callable[[str], Path], tmp_path: Path
) -> None:
    project = Path(shutil.copytree(project_with("encoder"), tmp_path / "project"))
    code = "import sys, runpy; runpy.run_module('stages.features', run_name='__main__')\n"
    command = [sys.executable, "-c", code + "assert not {'keras', 'tensorflow'} & set(sys.modules)"]
    environment = clean_environment(DVC_ROOT=str(project), PYTHONPATH=str(Path.cwd()))
    subprocess.run(command, cwd=project, env=environment, check=True)
    (project / "encoder.onnx").unlink()
    picture = next((project / "data/clean/pictures").iterdir())
    assert predict.predict([picture], trained_model.TrainedModel(project / "models/final"))
    failed = subprocess.run(
        command, cwd=project, env=environment, capture_output=True, text=True, check=False
    )
    assert "descriptors.encoded.encoder.file 'encoder.onnx' is no file" in failed.stderr
    assert (project / "data/features/vectors-0.npy").is_file()


def test_a_damaged_classifier_is_an_error(project_with: Callable[[str], Path]) -> None:
    project = project_with("boosting")
    head = project / "models/final/0.npz"
    intact = head.read_bytes()
    for damaged in (intact[:100], b""):
        head.write_bytes(damaged)
        with pytest.raises(RealartError, match=r"0\.npz was changed after training \("):
            trained_model.TrainedModel(project / "models/final")
    head.write_bytes(intact)
