"""Networks of descriptors: their vectors, as built and as loaded from files."""

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

pytestmark = pytest.mark.slow


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


def spec_of(**parts: KerasFeatures | ForensicFeatures) -> InputSpec:
    return InputSpec(parts=parts, clean=PARAMS.clean, ela=None)


def test_layers_are_pooled_over_positions() -> None:
    keras.utils.set_random_seed(0)
    wanted = layers()
    model = feature_extractors.network(wanted)
    pixels = noise(32, 4)
    pooled = np.asarray(model.predict_on_batch(pixels))
    (inner,) = (layer for layer in model.layers if isinstance(layer, keras.Model))
    maps = keras.Model(inner.inputs, [inner.get_layer(name).output for name in wanted.layers])
    preprocessed = builder.Preprocess("MobileNet")(pixels)
    expected = []
    for values in map(np.asarray, maps(preprocessed)):
        expected += [values.mean((1, 2)), values.std((1, 2)), values.max((1, 2))]
    assert pooled.dtype == np.float32
    np.testing.assert_allclose(pooled, np.concatenate(expected, 1), atol=1e-4)


def test_layers_behind_the_last_needed_are_dropped() -> None:
    model = feature_extractors.network(layers())
    (inner,) = (layer for layer in model.layers if isinstance(layer, keras.Model))
    assert not [layer.name for layer in inner.layers if "w_4" in layer.name]


def test_views_are_averaged_and_descriptors_concatenated_in_order(tmp_path: Path) -> None:
    spec = spec_of(
        first=ForensicFeatures(families=["colour"]),
        deep=layers(),
        last=ForensicFeatures(families=["levels"]),
    )
    vectors.save_networks(spec.parts, tmp_path)
    networks = vectors.load_networks(spec.parts, tmp_path)
    paths = []
    for number in range(3):
        paths.append(tmp_path / f"{number}.png")
        Image.fromarray(picture(number, 60, 50)).save(paths[-1])
    batch = preprocessing.stack([preprocessing.from_stored(path, spec) for path in paths])
    table = vectors.extract(batch, spec.parts, networks)
    width = table.shape[1] - 78 - 15
    np.testing.assert_array_equal(table[:, :78], batch[0])
    np.testing.assert_array_equal(table[:, -15:], batch[2])
    squares = batch[1]
    assert squares.shape == (3, 3, 32, 32, 3)
    expected = [networks["deep"](views)[0].mean(0) for views in squares]
    np.testing.assert_allclose(table[:, 78 : 78 + width], expected, rtol=1e-4, atol=1e-5)
    assert table[:, 78 : 78 + width].std(0).max() > 0


def test_copied_networks_compute_the_same_vectors(tmp_path: Path) -> None:
    spec = spec_of(deep=layers(), wide=layers(layers=["conv1_relu"], pooling=["std"]))
    assert vectors.save_networks(spec.parts, tmp_path) == {}
    networks = vectors.load_networks(spec.parts, tmp_path)
    (tmp_path / "final").mkdir()
    vectors.copy_networks(spec.parts, tmp_path, tmp_path / "final")
    copied = vectors.load_networks(spec.parts, tmp_path / "final")
    pixels = noise(32, 5)
    assert list(networks) == list(copied) == ["deep", "wide"]
    for name in networks:
        np.testing.assert_array_equal(networks[name](pixels)[0], copied[name](pixels)[0])


def test_vectors_do_not_depend_on_the_batch() -> None:
    """Neither on other pictures of a batch, nor on where batches end."""
    run = openvino_runtime.keras_inference(feature_extractors.network(layers()))
    squares = noise(32, 40).reshape(8, 5, 32, 32, 3)
    parts = {"deep": layers(views=5)}
    together = vectors.extract((squares,), parts, {"deep": run})
    alone = [vectors.extract((squares[i : i + 1],), parts, {"deep": run})[0] for i in range(8)]
    np.testing.assert_allclose(together, alone, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["conv_pw_99", "reshape_2", "input_layer"])
def test_a_layer_without_maps_is_refused_with_the_choices(name: str) -> None:
    with pytest.raises(RealartError, match=f"MobileNet has no layer '{name}'.*conv_pw_13_relu"):
        feature_extractors.network(layers(layers=[name]))
