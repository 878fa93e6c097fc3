"""Grad-CAM is warm where a network depends on the picture, for all last layers and backends."""

import os
from importlib.util import find_spec

import numpy as np
import pytest
from networks import backbone_recipe, noise, python, recipe

from realart.networks import builder
from realart.networks.backend import keras
from realart.params import NetworkRecipe
from realart.serving import gradcam

pytestmark = pytest.mark.slow

CONVOLUTION = {"Conv2D": {"filters": 3, "kernel_size": 3, "padding": "same", "activation": "relu"}}
FLAT = [{"RandomFlip": {"mode": "horizontal"}}, CONVOLUTION, {"MaxPooling2D": {}}, {"Flatten": {}}]
POOLED = [CONVOLUTION, {"GlobalAveragePooling2D": {}}, {"Dropout": {"rate": 0.5}}]


def corner_network(outputs: int, row: int, column: int) -> keras.Model:
    """Build a network whose score depends on the brightness at one of 8x8 places alone."""
    network = builder.build(recipe(layers=FLAT, outputs=outputs))
    (convolution,) = (layer for layer in network.layers if isinstance(layer, keras.layers.Conv2D))
    convolution.kernel.assign(np.ones(convolution.kernel.shape) / 9)
    last = network.layers[-1]
    weights = np.zeros((8, 8, 3, outputs))
    weights[row, column, :, -1] = 1
    last.kernel.assign(weights.reshape(-1, outputs))
    return network


@pytest.mark.parametrize("outputs", [1, 2])
@pytest.mark.parametrize(("row", "column"), [(0, 0), (0, 7), (6, 1)])
def test_the_only_place_that_a_network_uses_is_warm(outputs: int, row: int, column: int) -> None:
    heat = gradcam.heat(corner_network(outputs, row, column), noise(16, 1)[0])
    assert heat is not None
    assert (heat.shape, heat.dtype) == ((8, 8), np.float32)
    assert heat[row, column] > 0.1
    heat[row, column] = 0
    assert not heat.any()


def test_evidence_of_human_is_below_zero() -> None:
    network = corner_network(1, 2, 3)
    network.layers[-1].kernel.assign(-network.layers[-1].kernel.value)
    heat = gradcam.heat(network, noise(16, 1)[0])
    assert heat is not None
    assert np.unravel_index(heat.argmin(), heat.shape) == (2, 3)


@pytest.mark.parametrize(
    "network_recipe",
    [
        recipe(layers=POOLED, outputs=2),
        recipe(layers=[{"HighPass": {}}, {"Residual": {"filters": 4, "strides": 2}}, *POOLED[1:]]),
        backbone_recipe("MobileNetV2", backbone={"arguments": {"alpha": 0.35}}),
        backbone_recipe(
            "MobileNetV2", layers=[], backbone={"arguments": {"alpha": 0.35, "pooling": "avg"}}
        ),
    ],
    ids=["pooled", "own layers", "backbone", "backbone that pools"],
)
def test_the_map_of_a_network_that_pools_by_the_mean_adds_up_to_the_log_odds(
    network_recipe: NetworkRecipe,
) -> None:
    """Without the bias, which is 0 here, the log-odds are the sum of the map."""
    network = builder.from_architecture(builder.architecture(builder.build(network_recipe)))
    for pixels in noise(network_recipe.sees.size, 2):
        heat = gradcam.heat(network, pixels)
        assert heat is not None
        outputs = np.asarray(network(pixels[None], training=False), np.float64)[0]
        human, ai = outputs if network_recipe.outputs == 2 else (1 - outputs[0], outputs[0])
        assert heat.sum() == pytest.approx(np.log(ai / human), rel=1e-3, abs=1e-5)


def test_a_score_that_rounds_to_1_is_still_explained() -> None:
    network = corner_network(1, 0, 0)
    network.layers[-1].kernel.assign(1000 * network.layers[-1].kernel.value)
    pixels = noise(16, 1)[0]
    assert float(network(pixels[None], training=False)[0, 0]) == 1
    heat = gradcam.heat(network, pixels)
    assert heat is not None
    assert heat[0, 0] > 0


def test_a_network_without_learnt_feature_maps_has_no_heat_map() -> None:
    pixels = noise(16, 1)[0]
    assert gradcam.heat(builder.build(recipe(layers=[{"Flatten": {}}])), pixels) is None
    pooled = recipe(layers=[{"HighPass": {}}, {"GlobalAveragePooling2D": {}}])
    assert gradcam.heat(builder.build(pooled), pixels) is None


@pytest.mark.parametrize("name", ["jax", "torch"])
def test_other_backends_compute_equal_maps(name: str) -> None:
    if not find_spec(name):
        pytest.skip(f"{name} is not installed")
    code = """
import sys
import test_gradcam as tests
heat = tests.gradcam.heat(tests.corner_network(2, 6, 1), tests.noise(16, 1)[0])
print(tests.keras.config.backend(), heat[6, 1], abs(heat).sum())
"""
    result = python(code, KERAS_BACKEND=name, HOME=os.environ.get("HOME", "/"))
    assert result.returncode == 0, result.stderr
    heat = gradcam.heat(corner_network(2, 6, 1), noise(16, 1)[0])
    assert heat is not None
    backend, *values = result.stdout.split()
    assert backend == name != keras.config.backend()
    expected = [heat[6, 1], abs(heat).sum()]
    np.testing.assert_allclose(np.float64(values), np.float64(expected), rtol=1e-4)
