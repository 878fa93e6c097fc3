"""Explanations agree with `predict`, and are warm where the model depends on the picture."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from making import PARAMS, file, picture
from networks import UNCALIBRATED_RULE, recipe, turn_a_delivery
from PIL import Image
from test_gradcam import corner_network
from test_occlusion import cell_model, mean_of_cells, textured

from realart.core.errors import RealartError
from realart.data import decoding
from realart.data.decoding import UnusableFileError
from realart.data.headers import Header
from realart.features import preprocessing
from realart.features.ela import stored_map
from realart.models import trained_model
from realart.models.trained_model import TrainedModel
from realart.networks import builder
from realart.networks.backend import keras
from realart.params import PixelInput
from realart.serving import explain
from realart.serving.explain import Explanation
from realart.serving.predict import predict, predict_bytes

pytestmark = pytest.mark.slow

UNSHRUNK = PARAMS.clean.model_copy(update={"encoding": "original"})
WIDE, HIGH = (160, 96), (96, 160)


def saved_model(
    folder: Path, networks: list[keras.Model], shape: str = "squash", ela: bool = False
) -> TrainedModel:
    """Save networks with an input of 16 px, squares of that shape, as a model, and load it."""
    sees = PixelInput(input="ela" if ela else "rgb", size=16, shape=shape, backbone=None)
    network_recipe = recipe(outputs=networks[0].output_shape[-1]).model_copy(update={"sees": sees})
    spec = preprocessing.InputSpec(
        parts={"pixels": sees}, clean=UNSHRUNK, ela=PARAMS.ela if ela else None
    )
    folder.mkdir(exist_ok=True)
    trained_model.save(folder, network_recipe, spec, networks, UNCALIBRATED_RULE)
    return TrainedModel(folder)


def warm_centre(heat: np.ndarray) -> tuple[float, float]:
    """Return the centre of the warm places: shares of width and height."""
    y, x = np.nonzero(heat > 0.5 * heat.max())
    return (x.mean() + 0.5) / heat.shape[1], (y.mean() + 0.5) / heat.shape[0]


@pytest.mark.parametrize("size", [WIDE, HIGH])
@pytest.mark.parametrize(("row", "column"), [(0, 0), (1, 6), (6, 3)])
def test_the_heat_map_of_a_network_is_projected_onto_the_picture(
    tmp_path: Path, size: tuple[int, int], row: int, column: int
) -> None:
    """A place of the network's square is projected to its place in the picture, for each shape."""
    width, height = size
    for shape, (side_x, side_y) in {
        "squash": size, "crop": (min(size),) * 2, "pad": (max(size),) * 2,
    }.items():  # fmt: skip
        square_row, square_column = (
            (2 + row // 2, 2 + column // 2) if shape == "pad" else (row, column)
        )
        model = saved_model(tmp_path / shape, [corner_network(2, square_row, square_column)], shape)
        explanation = explain.explain(file(picture(0, *size)), model)
        assert explanation.heat.shape == (height, width)
        assert explanation.method == "Grad-CAM"
        assert explanation.heat.max() == pytest.approx(1)
        x = (width - side_x) / 2 + (square_column + 0.5) / 8 * side_x
        y = (height - side_y) / 2 + (square_row + 0.5) / 8 * side_y
        assert warm_centre(explanation.heat) == pytest.approx((x / width, y / height), abs=0.04)


def test_outside_of_the_centre_square_there_is_no_heat(tmp_path: Path) -> None:
    model = saved_model(tmp_path, [builder.build(recipe())], "crop")
    heat = explain.explain(file(picture(0, 200, 100)), model).heat
    assert heat[:, 52:148].any()
    assert not heat[:, :50].any()
    assert not heat[:, 150:].any()


def test_heat_maps_of_members_are_averaged(tmp_path: Path) -> None:
    """Two networks depend on one place, one on another."""
    places = [(0, 0), (7, 7), (0, 0)]
    model = saved_model(tmp_path, [corner_network(1, *place) for place in places])
    heat = explain.explain(file(np.full((128, 128, 3), 200, np.uint8)), model).heat
    assert heat[4, 4] == pytest.approx(1)
    assert heat[-4, -4] == pytest.approx(0.5, abs=0.01)
    assert heat[64, 64] == 0


def test_a_classifier_is_explained_by_occlusion(tmp_path: Path) -> None:
    model = cell_model(tmp_path, 3, count=2)
    model.input = model.input.model_copy(update={"clean": UNSHRUNK})
    explanation = explain.explain(file(textured(3)), model)
    assert explanation.method.startswith("occlusion")
    assert mean_of_cells(explanation.heat).argmax() == 3
    assert 0.9 < explanation.heat.max() <= 1


def test_small_changes_of_the_score_are_faint(tmp_path: Path) -> None:
    model = cell_model(tmp_path, 3, slope=0.01)
    heat = explain.explain(file(textured(3)), model).heat
    assert 0 < np.abs(heat).max() < 0.3


def test_a_network_without_feature_maps_is_explained_by_occlusion(tmp_path: Path) -> None:
    network = builder.build(recipe(layers=[{"Flatten": {}}]))
    assert explain.explain(file(picture(0)), saved_model(tmp_path, [network])).method.startswith(
        "occ"
    )


def test_a_constant_model_has_no_heat(tmp_path: Path) -> None:
    network = builder.build(recipe())
    network.layers[-1].kernel.assign(np.zeros(network.layers[-1].kernel.shape))
    explanation = explain.explain(file(picture(0)), saved_model(tmp_path, [network]))
    assert not explanation.heat.any()
    assert not explain.explain(
        file(picture(0)), cell_model(tmp_path / "classifier", None)
    ).heat.any()


@pytest.mark.parametrize("ela", [False, True], ids=["rgb", "ela"])
def test_probability_and_decision_are_those_of_predict(tmp_path: Path, ela: bool) -> None:
    model = saved_model(tmp_path, [builder.build(recipe())], ela=ela)
    path = tmp_path / "picture.png"
    for seed in range(3):
        path.write_bytes(file(picture(seed, *WIDE)))
        explanation = explain.explain(path.read_bytes(), model)
        (prediction,) = predict([path], model)
        assert explanation.probability_ai == pytest.approx(prediction.probability_ai, rel=1e-5)
        assert explanation.verdict == prediction.verdict
        assert np.array_equal(explanation.image, picture(seed, *WIDE))
        assert explanation.ela == stored_map(explanation.image, PARAMS.ela)


def test_a_delivery_that_is_decided_the_other_way_is_named(tmp_path: Path) -> None:
    model, data = cell_model(tmp_path, 3), file(textured(3))
    turn_a_delivery(model, data)
    explanation, prediction = explain.explain(data, model), predict_bytes(data, model)
    assert (explanation.verdict, explanation.reason) == ("unsure", prediction.reason)
    assert explanation.reason
    with_reason, without = (
        np.asarray(explain.draw(drawn), np.int16)
        for drawn in (explanation, replace(explanation, reason=""))
    )
    changed = np.nonzero((with_reason != without).any(axis=(1, 2)))[0]
    assert len(changed) > 5
    assert changed.max() < explain.ABOVE * explain.DPI


def test_the_canonical_picture_is_explained(tmp_path: Path) -> None:
    explanation = explain.explain(file(picture(0, 300, 200)), cell_model(tmp_path, 0))
    assert explanation.image.size == (210, 140)
    assert explanation.heat.shape == (140, 210)


def test_a_file_that_is_no_picture_is_refused(tmp_path: Path) -> None:
    model = cell_model(tmp_path, 0)
    for data in (b"", b"no picture", file(picture(0))[:-50]):
        with pytest.raises(UnusableFileError):
            explain.explain(data, model)


def test_missing_files_of_keras_are_named(tmp_path: Path) -> None:
    model = saved_model(tmp_path, [builder.build(recipe())])
    (tmp_path / "0.weights.h5").unlink()
    with pytest.raises(RealartError, match=r"0\.weights\.h5 is damaged .*: `dvc checkout --force`"):
        explain.explain(file(picture(0)), model)


@pytest.mark.parametrize("size", [WIDE, HIGH, (512, 20), (20, 512)])
def test_the_drawing_shows_three_pictures_and_heat_where_it_is(size: tuple[int, int]) -> None:
    heat = np.zeros(size[::-1], np.float32)
    heat[: size[1] // 2, : size[0] // 2] = 1
    heat[: size[1] // 2, size[0] // 2 :] = -1
    colours = (250, 240, 20), (20, 240, 250)
    image, ela = (Image.new("RGB", size, colour) for colour in colours)
    drawing = np.asarray(
        explain.draw(Explanation(image, ela, heat, "a method", 0.25, "human")), np.int16
    )
    first, second = (centre_and_size(drawing, colour) for colour in colours)
    assert first[0] < drawing.shape[1] / 3 < second[0] < drawing.shape[1] * 2 / 3
    half_x, half_y = first[2] / 4, first[3] / 4
    third = 2 * second[0] - first[0]
    red, _, blue = (drawing[..., channel] for channel in range(3))
    warm = (red - blue)[round(first[1] - half_y), round(third - half_x)]
    cold = (red - blue)[round(first[1] - half_y), round(third + half_x)]
    none = (red - blue)[round(first[1] + half_y), round(third - half_x)]
    assert warm > 80 > 10 > abs(none)
    assert cold < -80


def centre_and_size(
    drawing: np.ndarray, colour: tuple[int, int, int]
) -> tuple[float, float, int, int]:
    """Return the centre of a colour in a drawing (x, y), and its width and height."""
    y, x = np.nonzero((np.abs(drawing - colour) < 6).all(2))
    return x.mean(), y.mean(), int(np.ptp(x)), int(np.ptp(y))


def test_a_published_file_is_decoded_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clean = PARAMS.clean.model_copy(update={"encoding": "jpeg"})
    model = saved_model(tmp_path, [builder.build(recipe())])
    model.input = model.input.model_copy(update={"clean": clean})
    data, decode, decoded = file(picture(0)), decoding.decode, []

    def noting(published: bytes, *arguments: int, **named: int) -> tuple[Image.Image, Header]:
        decoded.append(published)
        return decode(published, *arguments, **named)

    for name in ("decode", "decode_within_limits"):
        monkeypatch.setattr(decoding, name, noting)
    explanation = explain.explain(data, model)
    assert decoded.count(data) == 1
    assert explanation.probability_ai == pytest.approx(predict_bytes(data, model).probability_ai)
