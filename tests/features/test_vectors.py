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
def ran(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Return what gives, for each recipe on vectors, a project where all stages have run."""
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
        set_params(own, {"model": name})
        with pytest.MonkeyPatch.context() as patched:
            run_stages(patched, own, "features", "train", "evaluate")
        return own

    return with_recipe


@pytest.mark.parametrize("name", list(RECIPES))
def test_the_final_model_scores_pictures_as_its_fold_did(
    ran: Callable[[str], Path], name: str
) -> None:
    project = ran(name)
    held_out = [
        tables.read(project / f"models/folds/{k}/scores.csv", tables.SCORES) for k in (0, 1)
    ]
    figures = [
        classification.figures(tables.is_ai(one["label"]), one["score"].to_numpy())
        for one in held_out
    ]
    scores = held_out[classification.best_fold(figures)]
    final = trained_model.TrainedModel(project / "models/final")
    rows = tables.read(project / "data/balanced/rows.csv", tables.ROWS).set_index("row", drop=False)
    files = preprocessing.files(rows.loc[scores["row"]], project / "data", final.input)
    seen = preprocessing.stack([preprocessing.from_stored(file, final.input) for file in files])
    assert scores["score"].std() > 0.01
    expected = final.verdicts.calibration(scores["score"].to_numpy())
    np.testing.assert_allclose(final.scores(*seen), expected, atol=1e-3)
    assert name in ("network", "encoder") or max(one["auc"] for one in figures) > 0.6


def test_each_row_has_what_its_descriptors_say(ran: Callable[[str], Path]) -> None:
    project = ran("svm")
    final = trained_model.TrainedModel(project / "models/final")
    rows = tables.read(project / "data/balanced/rows.csv", tables.ROWS)
    file = project / "data" / rows["file"].iloc[-1]
    said = vectors.describe(
        preprocessing.stack([preprocessing.from_stored(file, final.input)]),
        final.input.parts,
        final.describers,
    )
    kept = [one[-1] for one in vectors.read(project / "data/features")]
    assert len(rows) == len(vectors.read(project / "data/features")[0])
    np.testing.assert_allclose(said[0], np.concatenate(kept), rtol=1e-3, atol=1e-4)


def test_a_head_has_learnt_nothing_of_its_held_out_fold(
    ran: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other vectors and labels in a fold change no head but those of the other folds."""
    project = Path(shutil.copytree(ran("boosting"), tmp_path / "project"))
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
def test_measurements_and_encoders_need_no_keras(ran: Callable[[str], Path], name: str) -> None:
    project = ran(name)
    picture = next((project / "data/clean/pictures").iterdir())
    code = (
        "import sys; sys.argv[0] = 'realart'; from realart import cli\n"
        "try: cli.main()\n"
        "except SystemExit as end: assert not end.code\n"
        "print(sorted({'keras', 'tensorflow'} & set(sys.modules)))"
    )
    said = subprocess.run(
        [sys.executable, "-c", code, "predict", picture],
        cwd=project,
        env=clean_environment(DVC_ROOT=str(project)),
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    assert said[-1] == "[]"
    (one,) = predict.predict([picture], trained_model.TrainedModel(project / "models/final"))
    assert said[0].split()[:2] == [one.verdict, f"{one.probability:.3f}"]


def test_features_of_an_encoder_need_no_keras_and_its_file_only_to_be_made(
    ran: Callable[[str], Path], tmp_path: Path
) -> None:
    project = Path(shutil.copytree(ran("encoder"), tmp_path / "project"))
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


def test_a_damaged_head_is_named(ran: Callable[[str], Path]) -> None:
    project = ran("boosting")
    head = project / "models/final/0.npz"
    kept = head.read_bytes()
    for damaged in (kept[:100], b""):
        head.write_bytes(damaged)
        with pytest.raises(RealartError, match=r"0\.npz can't be loaded .*: run `dvc repro`"):
            trained_model.TrainedModel(project / "models/final")
    head.write_bytes(kept)
