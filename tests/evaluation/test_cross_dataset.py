"""Other data sets are scored without the pictures that a run was trained on."""

import json
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from making import PARAMS, file, picture
from PIL import Image
from project_copy import ROOT

from realart.core import tables
from realart.core.errors import RealartError
from realart.data import sample
from realart.data.label_names import LabelMatcher
from realart.evaluation import cross_dataset, set_report
from realart.evaluation.cross_dataset import TrainedRun, evaluate, load_run, near_duplicate_mask
from realart.models import novelty
from realart.params import load_params

pytestmark = pytest.mark.slow

LABELS = PARAMS.datasets["local"].labels
LIMIT = 50
"""Too few pictures for baselines, which take seconds: `test_set_baselines.py` has them."""


@pytest.fixture
def run(inside: Path) -> TrainedRun:
    with load_run("workspace") as found:
        return found


def published(project: Path) -> dict[str, bytes]:
    """Return the files of the archive that the project was trained on."""
    with zipfile.ZipFile(project.parent / "pictures.zip") as archive:
        return {member.filename: archive.read(member) for member in archive.infolist()}


def kept(project: Path) -> pd.DataFrame:
    return tables.read(project / "data/clean/pictures.csv", tables.PICTURES)


def others(count: int = 12, seed: int = 9) -> dict[str, bytes]:
    """Paint pictures that no run was trained on."""
    painted = [sample.picture(number, seed) for number in range(count)]
    return {f"other/{file.name}": file.data for file in painted}


def zipped(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def test_the_own_set_has_the_scores_that_its_folds_gave(
    run: TrainedRun, inside: Path, tmp_path: Path
) -> None:
    report = evaluate(run, inside.parent / "pictures.zip", LABELS, tmp_path / "out", LIMIT)
    assert report["pictures"] == report["own"] == len(run.scores)
    scores = tables.read(tmp_path / "out/scores.csv", tables.PREDICTIONS).set_index("row")["score"]
    own = run.scores.set_index("row")["score"]
    np.testing.assert_array_equal(scores.loc[own.index], own)


def test_other_pictures_are_scored_by_the_final_model(run: TrainedRun, tmp_path: Path) -> None:
    files = others()
    report = evaluate(run, zipped(tmp_path / "new.zip", files), LABELS, tmp_path / "out", LIMIT)
    assert (report["pictures"], report["own"], report["left_out"]) == (len(files), 0, 0)
    scored = tables.read(tmp_path / "out/scores.csv", tables.PREDICTIONS)
    from realart.serving import predict

    for name, data in files.items():
        path = tmp_path / Path(name).name
        path.write_bytes(data)
        (answer,) = predict.predict([path], run.model)
        assert np.isclose(scored["score"], answer.probability_ai, atol=1e-9).any()
    right = (scored["score"] >= 0.5) == (scored["label"] == "ai")
    assert report["accuracy"] == pytest.approx(right.mean())
    assert json.loads((tmp_path / "out/metrics.json").read_text()) == report
    assert {"curves.png", "roc.csv", "calibration.png", "subgroups.csv"} <= {
        file.name for file in (tmp_path / "out").iterdir()
    }
    assert report["matched"]["pictures"] <= len(files)
    verdicts = predict.predict([tmp_path / Path(name).name for name in files], run.model, once=True)
    assert report["novel"] == sum(answer.reason == novelty.REASON for answer in verdicts)


def test_near_duplicates_of_own_pictures_are_left_out(
    run: TrainedRun, inside: Path, tmp_path: Path
) -> None:
    """Saved again, mirrored, shrunk: nearly the same, and another file."""
    first, second, third = (
        Image.open(inside / "data" / name).convert("RGB") for name in kept(inside)["file"][:3]
    )
    files = others() | {
        "other/painted/again.jpg": file(first, "JPEG", quality=70),
        "other/painted/mirrored.png": file(second.transpose(Image.Transpose.FLIP_LEFT_RIGHT)),
        "other/generated/small.webp": file(third.resize((third.width // 2, third.height // 2))),
        "other/generated/broken.png": b"broken",
    }
    report = evaluate(run, zipped(tmp_path / "new.zip", files), LABELS, tmp_path / "out", LIMIT)
    assert (report["pictures"], report["left_out"], report["rejected"]) == (12, 3, 1)


def test_a_set_of_nothing_new_of_a_class_is_refused(
    run: TrainedRun, inside: Path, tmp_path: Path
) -> None:
    ai = kept(inside).query("label == 'ai'")["file"].iloc[0]
    again = file(Image.open(inside / "data" / ai).convert("RGB"), "JPEG", quality=60)
    files = {name: data for name, data in others().items() if "painted" in name}
    data = zipped(tmp_path / "new.zip", files | {"other/generated/again.jpg": again})
    with pytest.raises(RealartError, match=r"no picture of class ai is left .* 1 are"):
        evaluate(run, data, LABELS, tmp_path / "out", LIMIT)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("folder", "label"), [("painted", "human"), ("generated", "ai")])
def test_a_set_of_one_class_has_the_rate_of_that_class(
    run: TrainedRun, tmp_path: Path, folder: str, label: str
) -> None:
    """At each operating point, with the number of unsure pictures, and nothing of two classes."""
    files = {name: data for name, data in others(40).items() if folder in name}
    data = zipped(tmp_path / "gallery.zip", files)
    (report,) = cross_dataset.matrix(["workspace"], [data], LABELS, tmp_path / "out", LIMIT)
    rate = {"human": "false_positive_rate", "ai": "recall"}[label]
    out = tmp_path / "out/workspace on gallery.zip"
    scores = tables.read(out / "scores.csv", tables.PREDICTIONS)["score"]
    assert (report["classes"], report["pictures"]) == (label, len(files))
    assert report[rate] == (scores >= 0.5).mean()
    for point, threshold in run.model.decision_rule.points.items():
        assert report["points"][point][rate] == (scores >= threshold).mean()
    unsure = sum(run.model.decision_rule.decide(score) == "unsure" for score in scores)
    assert report["decisions"]["unsure"] == unsure
    assert not {"accuracy", "auc", "matched", "sure"} & {*report}
    assert json.loads((out / "metrics.json").read_text()) == report
    json.dumps(report, allow_nan=False)
    summary = set_report.summary(report)
    assert f"{len(files)} pictures, all {label}): {rate.replace('_', ' ')} " in summary
    assert f"{unsure} unsure" in summary
    matrix = pd.read_csv(tmp_path / "out/matrix.csv")
    assert matrix[rate].tolist() == [report[rate]]
    assert matrix[["accuracy", "auc"]].isna().all(axis=None)


def test_what_is_no_set_is_named(run: TrainedRun, tmp_path: Path) -> None:
    (tmp_path / "set.txt").write_text("no zip")
    with pytest.raises(RealartError, match=r"set\.txt is neither a folder nor a zip"):
        evaluate(run, tmp_path / "set.txt", LABELS, tmp_path / "out", LIMIT)


def test_near_duplicates_are_matched_by_content(tmp_path: Path) -> None:
    names = [tmp_path / f"{number}.png" for number in range(6)]
    for number, name in enumerate(names):
        name.write_bytes(file(picture(number % 4)))
    assert near_duplicate_mask(names[:2], names[2:], 0.85).tolist() == [False, False, True, True]
    assert near_duplicate_mask(names[2:4], names[:2], 0.85).tolist() == [False, False]


def test_a_matrix_has_each_run_on_each_set(inside: Path, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    for name, data in others().items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    sets = [inside.parent / "pictures.zip", folder]
    reports = list(cross_dataset.matrix(["workspace"], sets, LABELS, tmp_path / "out", LIMIT))
    table = pd.read_csv(tmp_path / "out/matrix.csv")
    assert table["data"].tolist() == ["pictures.zip", "folder"]
    assert table["auc"].tolist() == pytest.approx([report["auc"] for report in reports])
    assert (table["low"] <= table["auc"]).all()
    with Image.open(tmp_path / "out/matrix.png") as image:
        assert image.width > 300
    with pytest.raises(RealartError, match="two sets are called folder"):
        list(cross_dataset.matrix(["workspace"], [folder, folder], LABELS, tmp_path / "out", LIMIT))


def test_labels_of_a_local_set_understand_the_sample() -> None:
    """The folders of the sample are understood by the labels of any local set."""
    params = load_params(ROOT / "params.yaml")
    for label in ("ai", "human"):
        (folder,) = getattr(params.datasets["sample"].labels, label)
        assert LabelMatcher(LABELS).match(folder).label == label
