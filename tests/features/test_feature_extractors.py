"""Descriptors: what they say of a picture, in the stages and from the kept files alone."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from making import PARAMS, picture
from networks import noise
from PIL import Image

from realart.core.errors import RealartError
from realart.features import feature_extractors, preprocessing, vectors
from realart.features.preprocessing import InputSpec
from realart.networks import builder, openvino_runtime
from realart.networks.backend import keras
from realart.params import ForensicFeatures, KerasFeatures


def layers(**changes: Any) -> KerasFeatures:
    """Describe by two layers of a small random network."""
    wanted = {
        "backbone": {"name": "MobileNet", "weights": "none", "arguments": {"alpha": 0.25}},
        "layers": ["conv_pw_3_relu", "conv_pw_1_relu"],
        "pooling": ["mean", "std", "max"],
        "size": 32,
        "shape": "squash",
        "views": 3,
    }
    return KerasFeatures.model_validate(wanted | changes)


def seen(**parts: KerasFeatures | ForensicFeatures) -> InputSpec:
    return InputSpec(parts=parts, clean=PARAMS.clean, ela=None)


def test_pooling_is_over_positions_of_the_layers_asked_for() -> None:
    keras.utils.set_random_seed(0)
    wanted = layers()
    model = feature_extractors.network(wanted)
    pixels = noise(32, 4)
    said = np.asarray(model.predict_on_batch(pixels))
    (inner,) = (one for one in model.layers if isinstance(one, keras.Model))
    maps = keras.Model(inner.inputs, [inner.get_layer(name).output for name in wanted.layers])
    entered = builder.Preprocess("MobileNet")(pixels)
    expected = []
    for one in map(np.asarray, maps(entered)):
        expected += [one.mean((1, 2)), one.std((1, 2)), one.max((1, 2))]
    assert said.dtype == np.float32
    np.testing.assert_allclose(said, np.concatenate(expected, 1), atol=1e-4)


def test_nothing_behind_the_last_layer_is_kept() -> None:
    model = feature_extractors.network(layers())
    (inner,) = (one for one in model.layers if isinstance(one, keras.Model))
    assert not [one.name for one in inner.layers if "w_4" in one.name]


def test_views_are_averaged_and_descriptors_lie_in_order(tmp_path: Path) -> None:
    look = seen(
        first=ForensicFeatures(families=["colour"]),
        deep=layers(),
        last=ForensicFeatures(families=["levels"]),
    )
    vectors.save_networks(look.parts, tmp_path)
    networks = vectors.load_networks(look.parts, tmp_path)
    paths = []
    for number in range(3):
        paths.append(tmp_path / f"{number}.png")
        Image.fromarray(picture(number, 60, 50)).save(paths[-1])
    batch = preprocessing.stack([preprocessing.from_stored(path, look) for path in paths])
    said = vectors.describe(batch, look.parts, networks)
    width = said.shape[1] - 78 - 15
    np.testing.assert_array_equal(said[:, :78], batch[0])
    np.testing.assert_array_equal(said[:, -15:], batch[2])
    squares = batch[1]
    assert squares.shape == (3, 3, 32, 32, 3)
    one_by_one = [networks["deep"](one)[0].mean(0) for one in squares]
    np.testing.assert_allclose(said[:, 78 : 78 + width], one_by_one, rtol=1e-4, atol=1e-5)
    assert said[:, 78 : 78 + width].std(0).max() > 0


def test_kept_networks_say_the_same(tmp_path: Path) -> None:
    look = seen(deep=layers(), wide=layers(layers=["conv1_relu"], pooling=["std"]))
    assert vectors.save_networks(look.parts, tmp_path) == {}
    networks = vectors.load_networks(look.parts, tmp_path)
    (tmp_path / "final").mkdir()
    vectors.copy_networks(look.parts, tmp_path, tmp_path / "final")
    again = vectors.load_networks(look.parts, tmp_path / "final")
    pixels = noise(32, 5)
    assert list(networks) == list(again) == ["deep", "wide"]
    for name in networks:
        np.testing.assert_array_equal(networks[name](pixels)[0], again[name](pixels)[0])


def test_many_squares_are_seen_a_few_at_a_time() -> None:
    """What is said of a picture does not depend on those beside it, nor on where batches end."""
    run = openvino_runtime.by_keras(feature_extractors.network(layers()))
    squares = noise(32, 40).reshape(8, 5, 32, 32, 3)
    parts = {"deep": layers(views=5)}
    together = vectors.describe((squares,), parts, {"deep": run})
    alone = [vectors.describe((squares[i : i + 1],), parts, {"deep": run})[0] for i in range(8)]
    np.testing.assert_allclose(together, alone, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["conv_pw_99", "reshape_2", "input_layer"])
def test_a_layer_without_maps_is_refused_with_those_there_are(name: str) -> None:
    with pytest.raises(RealartError, match=f"MobileNet has no layer '{name}'.*conv_pw_13_relu"):
        feature_extractors.network(layers(layers=[name]))
