"""A model is calibrated on pictures that its run has not seen, and stays whole beside it."""

import hashlib
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
from making import PARAMS
from PIL import Image

from realart.core import tables
from realart.core.errors import RealartError
from realart.data import sample
from realart.evaluation import calibrated_model
from realart.evaluation.cross_dataset import TrainedRun, load_run
from realart.models import novelty
from realart.models.trained_model import TrainedModel
from realart.params import Promise
from realart.serving import predict

pytestmark = pytest.mark.slow

LABELS = PARAMS.datasets["local"].labels
HUMANS, AIS = 17, 23
"""Of the first 40 pictures that `fill` paints."""
PROMISE = Promise(false_positive_rate=0.2, precision=0.8, confidence=0.9)


@pytest.fixture
def run(inside: Path) -> TrainedRun:
    with load_run("workspace") as found:
        return found


def fill(folder: Path, count: int = 40, only: str = "") -> Path:
    """Fill a folder with painted pictures that no run was trained on."""
    for number in range(count):
        painted = sample.picture(number, seed=9)
        if only in painted.name:
            path = folder / painted.name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(painted.data)
    return folder


def test_the_new_model_is_the_old_one_with_another_rule(run: TrainedRun, tmp_path: Path) -> None:
    data = fill(tmp_path / "mine")
    report = calibrated_model.calibrate(run, data, LABELS, PROMISE, tmp_path / "out")
    assert (report["human"], report["ai"], report["left_out"]) == (HUMANS, AIS, 0)
    new = TrainedModel(tmp_path / "out")
    assert new.decision_rule.promise() == report["promises"][1]
    assert f"{HUMANS} pictures of human art in mine" in report["promises"][0]
    path = next(data.rglob("*.*g"))
    (before,), (after,) = (predict.predict([path], model, once=True) for model in (run.model, new))
    assert before.probability_ai is not None
    assert after.probability_ai is not None
    old_rule, new_rule = run.model.decision_rule.calibration, new.decision_rule.calibration
    changed = new_rule.slope / old_rule.slope
    odds = np.log(before.probability_ai / (1 - before.probability_ai))
    expected = changed * (odds - old_rule.offset) + new_rule.offset
    assert np.log(after.probability_ai / (1 - after.probability_ai)) == pytest.approx(expected)
    card = (tmp_path / "out/README.md").read_text("utf-8")
    assert f"`mine`: {HUMANS} pictures of human art, {AIS} of ai" in card
    assert all(card.count(sentence) == 1 for sentence in report["promises"])
    assert card.count("## What it promises") == 1
    assert calibrated_model.summary(report).endswith("\n".join(report["promises"]))


def test_pictures_of_another_kind_are_not_novel_any_more(run: TrainedRun, tmp_path: Path) -> None:
    random = np.random.default_rng(5)
    for number in range(40):
        path = tmp_path / "mine" / ("ai", "human")[number % 2] / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(random.integers(0, 256, (160, 200, 3), np.uint8)).save(path)
    files = sorted((tmp_path / "mine").rglob("*.png"))
    assert {prediction.reason for prediction in predict.predict(files, run.model, once=True)} == {
        novelty.REASON
    }
    calibrated_model.calibrate(run, tmp_path / "mine", LABELS, PROMISE, tmp_path / "out")
    new = TrainedModel(tmp_path / "out")
    reasons = [prediction.reason for prediction in predict.predict(files, new, once=True)]
    assert reasons.count(novelty.REASON) <= 2


def test_no_picture_of_the_run_or_like_one_is_used(
    run: TrainedRun, inside: Path, tmp_path: Path
) -> None:
    data = fill(tmp_path / "mine")
    kept = tables.read(inside / "data/clean/pictures.csv", tables.PICTURES)
    with zipfile.ZipFile(inside.parent / "pictures.zip") as archive:
        published = kept["path"].iloc[0]
        (data / "painted").mkdir(exist_ok=True)
        (data / "painted" / Path(published).name).write_bytes(archive.read(published))
    again = Image.open(inside / "data" / kept["file"].iloc[1])
    again.save(data / "painted" / "again.jpg", quality=60)
    before = digests(inside / "models/final")
    report = calibrated_model.calibrate(run, data, LABELS, PROMISE, tmp_path / "out")
    assert (report["human"], report["ai"], report["left_out"]) == (HUMANS, AIS, 2)
    record = json.loads((tmp_path / "out/model.json").read_text())["calibrated_on"]
    assert record["left_out"] == 2
    assert digests(inside / "models/final") == before


def test_a_gallery_of_human_art_moves_low_fpr_alone(run: TrainedRun, tmp_path: Path) -> None:
    data = fill(tmp_path / "gallery", 60, only="painted")
    report = calibrated_model.calibrate(run, data, LABELS, PROMISE, tmp_path / "out")
    old, new = run.model.decision_rule, TrainedModel(tmp_path / "out").decision_rule
    assert (new.calibration, new.sure) == (old.calibration, old.sure)
    assert (tmp_path / "out" / novelty.FILE).read_bytes() == (
        run.model.folder / novelty.FILE
    ).read_bytes()
    assert report["promises"][0].startswith("low_fpr: at most 20 %")
    assert "human art alone moves no more than low_fpr" in calibrated_model.summary(report)


def test_pictures_of_the_run_are_refused_as_such(run: TrainedRun, tmp_path: Path) -> None:
    archive = Path("data/raw/archive.zip")
    with pytest.raises(RealartError, match=r"archive.zip has no human art that the run does not"):
        calibrated_model.calibrate(run, archive, LABELS, PROMISE, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_pictures_of_ai_alone_are_refused(run: TrainedRun, tmp_path: Path) -> None:
    data = fill(tmp_path / "feed", only="generated")
    with pytest.raises(RealartError, match=r"no human art in .*feed to calibrate on, 23 pictures"):
        calibrated_model.calibrate(run, data, LABELS, PROMISE, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def digests(folder: Path) -> dict[str, str]:
    return {
        file.name: hashlib.sha256(file.read_bytes()).hexdigest()
        for file in folder.iterdir()
        if file.is_file()
    }
