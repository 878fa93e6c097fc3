"""Layers that Keras lacks: their outputs, and that they are stored and restored."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from networks import PARAMS, noise, recipe, rows
from numpy.typing import NDArray

from realart.networks import backend, builder, layers
from realart.networks.backend import keras
from realart.networks.layers import HighPass, Pool, RandomResizedCrop, Residual
from realart.params import NetworkRecipe

pytestmark = pytest.mark.slow

STACK = [
    {"RandomFlip": {"mode": "horizontal"}},
    {"HighPass": {}},
    {"Residual": {"filters": 6, "strides": 2}},
    {"Residual": {"filters": 6}},
    {"GlobalAveragePooling2D": {}},
]


def test_high_pass_residuals_are_those_of_the_filters() -> None:
    pixels = noise(20, 2)
    found = np.array(HighPass()(pixels / np.float32(255)))
    assert found.shape == (2, 20, 20, 9)
    for channel in range(3):
        for number, (kernel, step) in enumerate(zip(layers.FILTERS, layers.STEPS, strict=True)):
            plane = pixels[1, ..., channel].astype(np.float32)
            residual = cv2.filter2D(plane, cv2.CV_32F, kernel, borderType=cv2.BORDER_CONSTANT)
            expected = np.clip(residual / step, -3, 3) / 3
            np.testing.assert_allclose(found[1, ..., channel * 3 + number], expected, atol=1e-3)


def test_a_smooth_picture_has_no_residual() -> None:
    ramp = np.tile(np.linspace(0.1, 0.9, 24, dtype=np.float32)[None, None, :, None], (1, 24, 1, 3))
    found = np.array(HighPass()(ramp))
    np.testing.assert_allclose(found[:, 2:-2, 2:-2], 0, atol=1e-4)


def test_a_residual_block_without_residual_is_its_shortcut() -> None:
    maps = noise(8, 2)[..., :3].astype(np.float32) - 128
    block = Residual(3)
    block(maps)
    block.residual.layers[-1].gamma.assign(np.zeros(3))
    np.testing.assert_array_equal(np.array(block(maps)), np.maximum(maps, 0))
    assert block.shortcut is None


@pytest.mark.parametrize(("filters", "strides"), [(5, 1), (3, 2), (4, 3)])
def test_a_residual_block_changes_shape_by_its_shortcut(filters: int, strides: int) -> None:
    block = Residual(filters, strides)
    side = -(-9 // strides)
    assert block(np.zeros((2, 9, 9, 3), np.float32)).shape == (2, side, side, filters)
    assert len(block.shortcut.layers) == 3


def test_a_residual_block_updates_statistics_in_training_only() -> None:
    maps = noise(8, 4).astype(np.float32)
    block = Residual(4, 2)
    block(maps, training=False)
    before = [np.array(weight) for weight in block.non_trainable_weights]
    block(maps, training=False)
    for weight, old in zip(block.non_trainable_weights, before, strict=True):
        np.testing.assert_array_equal(weight, old)
    block(maps, training=True)
    assert not np.allclose(block.non_trainable_weights[0], before[0])


def test_a_recipe_names_layers_that_are_stored_and_restored() -> None:
    model = builder.build(recipe(layers=STACK))
    restored = builder.from_architecture(builder.architecture(model))
    restored.set_weights(model.get_weights())
    pixels = noise(16, 5)
    scores = model.predict(pixels, verbose=0)
    assert scores.std() > 1e-4
    np.testing.assert_array_equal(restored.predict(pixels, verbose=0), scores)
    assert restored.count_params() == model.count_params()


def test_the_loss_of_the_residual_recipe_falls() -> None:
    wanted = PARAMS.recipes["residual"]
    assert isinstance(wanted, NetworkRecipe)
    data = rows(8, 192)
    model = builder.build(wanted)
    builder.compile_for(model, wanted, 0.001)
    targets = builder.targets(data.labels, wanted)
    losses = [model.train_on_batch(data.inputs[0], targets)[0] for _ in range(4)]
    assert np.isfinite(losses).all()
    assert losses[-1] < losses[0]


def test_pooled_statistics() -> None:
    maps = noise(6, 3).astype(np.float32)
    expected = np.concatenate([maps.max((1, 2)), maps.mean((1, 2)), maps.std((1, 2))], 1)
    np.testing.assert_allclose(np.array(Pool(["max", "mean", "std"])(maps)), expected, rtol=1e-5)
    assert Pool(["mean"])(keras.ops.cast(maps, "float16")).dtype == "float32"


@given(
    maps=arrays(
        np.float32, (2, 3, 4, 2), elements=st.integers(-40, 40).map(lambda n: np.float32(n) / 8)
    ),
    constant=st.floats(-1e4, 1e4, width=32),
)
def test_the_gradient_of_a_deviation_of_0_is_0(
    maps: NDArray[np.float32], constant: np.float32
) -> None:
    """As of a channel whose activations are all cut off; others are as Keras computes them."""
    maps[0, ..., 0] = constant
    tensor = keras.ops.convert_to_tensor(maps)
    np.testing.assert_array_equal(Pool(["std"])(tensor), keras.ops.std(tensor, axis=(1, 2)))
    slope = np.asarray(backend.gradient(lambda at: keras.ops.sum(Pool(["std"])(at)), tensor))
    deviation = maps.std((1, 2), dtype=np.float64, keepdims=True)
    distance = maps - maps.mean((1, 2), dtype=np.float64, keepdims=True)
    expected = np.divide(distance, 12 * deviation, out=np.zeros(maps.shape), where=deviation > 1e-3)
    np.testing.assert_allclose(slope, expected, atol=1e-3)


def test_random_crops_keep_to_area_and_ratio() -> None:
    """The values of the picture are its coordinates, so that a crop shows where it lies."""
    down, across = np.mgrid[0:60, 0:80].astype(np.float32)
    pixels = np.stack([across, down, across], -1)[None].repeat(200, 0)
    keras.utils.set_random_seed(0)
    crops = np.array(RandomResizedCrop(16, area=0.25, ratio=1.5)(pixels, training=True))
    assert crops.shape == (200, 16, 16, 3)
    right, below = crops[:, 8, :, 0], crops[:, :, 8, 1]
    widths, heights = (16 * (line[:, -2] - line[:, 1]) / 13 for line in (right, below))
    for line in (right, below):  # evenly spaced from edge to edge
        inner = np.diff(line[:, 1:-1], axis=1)
        np.testing.assert_allclose(inner, inner[:, :1].repeat(13, 1), atol=1e-3)
    areas, ratios = widths * heights / (60 * 80), widths / heights / (80 / 60)
    assert 0.2 < areas.min() < 0.4
    assert 0.7 < areas.max() <= 1.001
    assert 1 / 1.51 < ratios.min() < 0.75
    assert 1.3 < ratios.max() < 1.51
    left = right[:, 8] + 0.5 - 8.5 * widths / 16
    assert left.min() > -0.01
    assert (left + widths).max() < 80.01
    assert np.ptp(left) > 0.8 * (80 - widths.min())


def test_in_inference_the_whole_picture_is_resized() -> None:
    pixels = noise(32)
    found = np.array(RandomResizedCrop(16)(pixels))
    np.testing.assert_allclose(found, pixels.reshape(-1, 16, 2, 16, 2, 3).mean((2, 4)), atol=0.01)
    np.testing.assert_array_equal(RandomResizedCrop(16)(pixels, training=False), found)
