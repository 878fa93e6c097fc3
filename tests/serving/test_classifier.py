"""The Python API predicts pictures of any kind as the command line predicts their files."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from making import file, picture
from networks import PARAMS, UNCALIBRATED_RULE, clean_environment, recipe, turn_a_delivery
from PIL import Image

import realart
from realart.core.errors import RealartError
from realart.features import preprocessing
from realart.models import trained_model
from realart.networks import builder
from realart.serving.classifier import PictureClassifier

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a model beside a picture."""
    folder = tmp_path_factory.mktemp("project")
    network_recipe = recipe(batch_size=3)
    parts = {"pixels": network_recipe.sees}
    spec = preprocessing.input_spec(PARAMS).model_copy(update={"parts": parts})
    (folder / "models/final").mkdir(parents=True)
    network = builder.build(network_recipe)
    trained_model.save(folder / "models/final", network_recipe, spec, [network], UNCALIBRATED_RULE)
    (folder / "picture.png").write_bytes(file(picture(0)))
    return folder


@pytest.fixture
def model(folder: Path, monkeypatch: pytest.MonkeyPatch) -> PictureClassifier:
    monkeypatch.chdir(folder)
    return realart.load()


def test_a_folder_is_named_by_text_or_path(folder: Path) -> None:
    for path in (str(folder / "models/final"), folder / "models/final"):
        (prediction,) = realart.load(path).predict(str(folder / "picture.png"), once=True)
        assert prediction.verdict in ("ai", "human")
    with pytest.raises(RealartError, match="no model in nowhere"):
        realart.load("nowhere")


def test_a_caution_is_a_warning(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder / "models/final", tmp_path / "final")
    manifest = json.loads((tmp_path / "final/model.json").read_text())
    (tmp_path / "final/model.json").write_text(json.dumps({**manifest, "caution": "mind this"}))
    with pytest.warns(UserWarning, match="mind this"):
        realart.load(tmp_path / "final")


def test_a_picture_of_any_kind_has_the_same_prediction(model: PictureClassifier) -> None:
    pixels = picture(0)
    data = Path("picture.png").read_bytes()
    image = Image.fromarray(pixels)
    pictures = ["picture.png", Path("picture.png"), data, image, pixels, Image.open("picture.png")]
    predictions = model.predict(pictures)
    assert [prediction.path for prediction in predictions] == ["picture.png"] * 2 + [""] * 4
    for prediction in predictions:
        assert prediction.error == ""
        assert prediction.probability_ai == pytest.approx(predictions[0].probability_ai, rel=1e-5)
        assert prediction.deliveries == pytest.approx(predictions[0].deliveries, rel=1e-5)
    for single in pictures:
        assert len(model.predict(single, once=True)) == 1
    assert len(model.predict(np.stack([pixels, pixels, pixels]), once=True)) == 3
    assert len(model.predict((path for path in ("picture.png", "gone.png")), once=True)) == 2
    assert model.predict([]) == []


def test_what_can_not_be_classified_has_an_error(model: PictureClassifier) -> None:
    predictions = model.predict(["gone.png", b"broken", picture(0, 8, 8)])
    errors = [prediction.error.split(":")[0] for prediction in predictions]
    assert errors == ["No such file or directory", "not a picture", "too small"]
    assert {prediction.probability_ai for prediction in predictions} == {None}
    with pytest.raises(RealartError, match="is no picture"):
        model.predict(picture(0).astype(float))


def test_reasons_are_given_for_unsure(model: PictureClassifier) -> None:
    data = Path("picture.png").read_bytes()
    turn_a_delivery(model.model, data)
    (unsure,) = model.predict(data)
    assert (unsure.verdict, unsure.reasons) == ("unsure", (unsure.reason,))
    (once,) = model.predict(data, once=True)
    assert once.reasons == ()


def test_the_import_is_cheap_and_typed() -> None:
    code = "import sys, realart; print(realart.__version__, realart.__all__, *sys.modules)"
    result = subprocess.run(
        [sys.executable, "-c", code], env=clean_environment(), capture_output=True, text=True
    )
    loaded = set(result.stdout.split())
    assert {realart.__version__, "realart"} <= loaded
    assert not loaded & {"numpy", "PIL", "pydantic", "keras", "realart.params"}
    assert (Path(realart.__file__).parent / "py.typed").is_file()
    assert all(hasattr(realart, name) for name in realart.__all__)
