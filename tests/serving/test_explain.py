"""An explanation says what `predict` says, and its heat lies where the model looks."""

from pathlib import Path

import numpy as np
import pytest
from making import PARAMS, file, picture
from networks import AS_SAID, recipe
from PIL import Image
from test_gradcam import corner_network
from test_occlusion import looking_at, mean_of_cells, textured

from realart.core.errors import RealartError
from realart.data.decoding import UnusableFileError
from realart.features import preprocessing
from realart.features.ela import stored_map
from realart.models import trained_model
from realart.models.trained_model import TrainedModel
from realart.networks import builder
from realart.networks.backend import keras
from realart.params import PixelInput
from realart.serving import explain
from realart.serving.explain import Explanation
from realart.serving.predict import predict

UNSHRUNK = PARAMS.clean.model_copy(update={"encoding": "original"})
WIDE, HIGH = (160, 96), (96, 160)


def kept(
    folder: Path, networks: list[keras.Model], shape: str = "squash", ela: bool = False
) -> TrainedModel:
    """Keep networks of 16 px that see squares of that shape."""
    sees = PixelInput(input="ela" if ela else "rgb", size=16, shape=shape, backbone=None)
    wanted = recipe(outputs=networks[0].output_shape[-1])
    wanted = wanted.model_copy(update={"sees": sees})
    seen = preprocessing.InputSpec(
        parts={"pixels": sees}, clean=UNSHRUNK, ela=PARAMS.ela if ela else None
    )
    folder.mkdir(exist_ok=True)
    trained_model.save(folder, wanted, seen, networks, AS_SAID)
    return TrainedModel(folder)


def warmest(heat: np.ndarray) -> tuple[float, float]:
    """Return the middle of what is warm: shares of width and height."""
    y, x = np.nonzero(heat > 0.5 * heat.max())
    return (x.mean() + 0.5) / heat.shape[1], (y.mean() + 0.5) / heat.shape[0]


@pytest.mark.parametrize("size", [WIDE, HIGH])
@pytest.mark.parametrize(("row", "column"), [(0, 0), (1, 6), (6, 3)])
def test_the_map_of_a_network_lies_upon_the_picture(
    tmp_path: Path, size: tuple[int, int], row: int, column: int
) -> None:
    """What the network sees of a place of its square is a place of the picture, for each shape."""
    width, height = size
    for shape, (side_x, side_y) in {
        "squash": size, "crop": (min(size),) * 2, "pad": (max(size),) * 2,
    }.items():  # fmt: skip
        row_seen, column_seen = (2 + row // 2, 2 + column // 2) if shape == "pad" else (row, column)
        model = kept(tmp_path / shape, [corner_network(2, row_seen, column_seen)], shape)
        said = explain.explain(file(picture(0, *size)), model)
        assert said.heat.shape == (height, width)
        assert said.method == "Grad-CAM"
        assert said.heat.max() == pytest.approx(1)
        x = (width - side_x) / 2 + (column_seen + 0.5) / 8 * side_x
        y = (height - side_y) / 2 + (row_seen + 0.5) / 8 * side_y
        assert warmest(said.heat) == pytest.approx((x / width, y / height), abs=0.04)


def test_outside_of_the_centre_square_there_is_nothing_to_see(tmp_path: Path) -> None:
    model = kept(tmp_path, [builder.build(recipe())], "crop")
    heat = explain.explain(file(picture(0, 200, 100)), model).heat
    assert heat[:, 52:148].any()
    assert not heat[:, :50].any()
    assert not heat[:, 150:].any()


def test_members_are_averaged(tmp_path: Path) -> None:
    """Two that look at one place weigh more than one that looks at another."""
    places = [(0, 0), (7, 7), (0, 0)]
    model = kept(tmp_path, [corner_network(1, *place) for place in places])
    heat = explain.explain(file(np.full((128, 128, 3), 200, np.uint8)), model).heat
    assert heat[4, 4] == pytest.approx(1)
    assert heat[-4, -4] == pytest.approx(0.5, abs=0.01)
    assert heat[64, 64] == 0


def test_a_head_is_explained_by_occlusion(tmp_path: Path) -> None:
    model = looking_at(tmp_path, 3, count=2)
    model.input = model.input.model_copy(update={"clean": UNSHRUNK})
    said = explain.explain(file(textured(3)), model)
    assert said.method.startswith("occlusion")
    assert mean_of_cells(said.heat).argmax() == 3
    assert 0.9 < said.heat.max() <= 1


def test_what_moves_little_is_faint(tmp_path: Path) -> None:
    model = looking_at(tmp_path, 3, slope=0.01)
    heat = explain.explain(file(textured(3)), model).heat
    assert 0 < np.abs(heat).max() < 0.3


def test_a_network_without_maps_is_explained_by_occlusion(tmp_path: Path) -> None:
    network = builder.build(recipe(layers=[{"Flatten": {}}]))
    assert explain.explain(file(picture(0)), kept(tmp_path, [network])).method.startswith("occ")


def test_a_model_that_says_always_the_same_has_no_heat(tmp_path: Path) -> None:
    network = builder.build(recipe())
    network.layers[-1].kernel.assign(np.zeros(network.layers[-1].kernel.shape))
    said = explain.explain(file(picture(0)), kept(tmp_path, [network]))
    assert not said.heat.any()
    assert not explain.explain(file(picture(0)), looking_at(tmp_path / "head", None)).heat.any()


@pytest.mark.parametrize("ela", [False, True], ids=["rgb", "ela"])
def test_it_says_what_predict_says_of_the_same_picture(tmp_path: Path, ela: bool) -> None:
    model = kept(tmp_path, [builder.build(recipe())], ela=ela)
    path = tmp_path / "picture.png"
    for seed in range(3):
        path.write_bytes(file(picture(seed, *WIDE)))
        said = explain.explain(path.read_bytes(), model)
        (predicted,) = predict([path], model)
        assert said.probability == pytest.approx(predicted.probability, rel=1e-5)
        assert said.verdict == predicted.verdict
        assert np.array_equal(said.image, picture(seed, *WIDE))
        assert said.ela == stored_map(said.image, PARAMS.ela)


def test_the_canonical_picture_is_explained(tmp_path: Path) -> None:
    said = explain.explain(file(picture(0, 300, 200)), looking_at(tmp_path, 0))
    assert said.image.size == (210, 140)
    assert said.heat.shape == (140, 210)


def test_what_is_no_picture_is_refused(tmp_path: Path) -> None:
    model = looking_at(tmp_path, 0)
    for data in (b"", b"no picture", file(picture(0))[:-50]):
        with pytest.raises(UnusableFileError):
            explain.explain(data, model)


def test_a_network_whose_keras_files_are_gone_is_named(tmp_path: Path) -> None:
    model = kept(tmp_path, [builder.build(recipe())])
    (tmp_path / "0.weights.h5").unlink()
    with pytest.raises(RealartError, match="dvc repro"):
        explain.explain(file(picture(0)), model)


@pytest.mark.parametrize("size", [WIDE, HIGH, (512, 20), (20, 512)])
def test_the_drawing_shows_three_pictures_and_heat_where_it_is(size: tuple[int, int]) -> None:
    heat = np.zeros(size[::-1], np.float32)
    heat[: size[1] // 2, : size[0] // 2] = 1
    heat[: size[1] // 2, size[0] // 2 :] = -1
    colours = (250, 240, 20), (20, 240, 250)
    image, ela = (Image.new("RGB", size, colour) for colour in colours)
    drawn = np.asarray(
        explain.draw(Explanation(image, ela, heat, "a method", 0.25, "human")), np.int16
    )
    first, second = (middle(drawn, colour) for colour in colours)
    assert first[0] < drawn.shape[1] / 3 < second[0] < drawn.shape[1] * 2 / 3
    half_x, half_y = first[2] / 4, first[3] / 4
    third = 2 * second[0] - first[0]
    red, _, blue = (drawn[..., channel] for channel in range(3))
    warm = (red - blue)[round(first[1] - half_y), round(third - half_x)]
    cold = (red - blue)[round(first[1] - half_y), round(third + half_x)]
    none = (red - blue)[round(first[1] + half_y), round(third - half_x)]
    assert warm > 80 > 10 > abs(none)
    assert cold < -80


def middle(drawn: np.ndarray, colour: tuple[int, int, int]) -> tuple[float, float, int, int]:
    """Return where a colour is in a drawing: its middle, and how wide and high it is."""
    y, x = np.nonzero((np.abs(drawn - colour) < 6).all(2))
    return x.mean(), y.mean(), int(np.ptp(x)), int(np.ptp(y))
