"""Networks are those that were published, and see pixels as their backbones want them."""

import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from networks import PARAMS, POOLED, awake, backbone_recipe, noise, python, recipe, rows
from numpy.typing import NDArray

from realart.core.errors import RealartError
from realart.metrics import classification
from realart.networks import builder
from realart.networks.backend import keras
from realart.params import NetworkRecipe, PixelInput

pytestmark = pytest.mark.slow

PUBLISHED = {
    "cnn_ela": 29_520_034, "cnn150": 3_453_121, "cnn_bn": 25_786_050, "resnet101": 43_184_258,
}  # fmt: skip


NETWORKS = {
    name: one
    for name, one in PARAMS.recipes.items()
    if isinstance(one, NetworkRecipe) and isinstance(one.sees, PixelInput)
}


@pytest.fixture(autouse=True)
def _same_random_weights() -> None:
    keras.utils.set_random_seed(0)


@cache
def built(name: str) -> keras.Model:
    return builder.build(builder.with_random_weights(PARAMS.recipes[name]))


@pytest.fixture(scope="module", autouse=True)
def _built_networks_are_dropped() -> Iterator[None]:
    yield
    built.cache_clear()


def count(weights: list[keras.Variable]) -> int:
    return sum(int(np.prod(weight.shape)) for weight in weights)


def values(weights: list[keras.Variable]) -> list[NDArray[np.float32]]:
    return [keras.ops.convert_to_numpy(weight).copy() for weight in weights]


def backbone_of(model: keras.Model) -> keras.Model:
    (backbone,) = (layer for layer in model.layers if isinstance(layer, keras.Model))
    return backbone


def augmented(*layers: dict[str, Any], **changes: Any) -> NetworkRecipe:
    wanted = recipe(**changes)
    sees = wanted.sees.model_copy(update={"augment": list(layers)})
    return wanted.model_copy(update={"sees": sees})


def problem(wrong: NetworkRecipe) -> str:
    """Return the error, of one line, that a wrong recipe is refused with."""
    with pytest.raises(RealartError) as refusal:
        builder.preflight(wrong)
    assert "\n" not in str(refusal.value)
    return str(refusal.value)


@pytest.mark.parametrize(("name", "parameters"), PUBLISHED.items())
def test_published_parameter_counts(name: str, parameters: int) -> None:
    assert built(name).count_params() == parameters


@pytest.mark.parametrize("name", NETWORKS)
def test_every_network_maps_pixels_to_probabilities(name: str) -> None:
    wanted, model = NETWORKS[name], built(name)
    size = wanted.sees.size
    assert model.input_shape == (None, size, size, 3)
    assert model.inputs[0].dtype == "uint8"
    outputs = np.array(model(noise(size, 2)))
    assert outputs.shape == (2, wanted.outputs)
    assert ((outputs >= 0) & (outputs <= 1)).all()
    if wanted.outputs == 2:
        np.testing.assert_allclose(outputs.sum(1), 1, rtol=1e-5)


@pytest.mark.parametrize("name", ["resnet50", "efficientnetb0", "resnet101", "mobilenetv2"])
def test_only_the_head_of_a_frozen_backbone_is_trained(name: str) -> None:
    model = built(name)
    head = [w for layer in model.layers if layer is not backbone_of(model) for w in layer.weights]
    statistics = [w for w in head if "moving" in w.path]
    assert 0 < count(model.trainable_weights) == count(head) - count(statistics)


def test_resnet101_has_the_published_trainable_parameters() -> None:
    frozen = builder.with_random_weights(PARAMS.recipes["resnet101"])
    assert frozen.backbone
    loose = frozen.backbone.model_copy(update={"frozen": False})
    sees = frozen.sees.model_copy(update={"backbone": loose})
    model = builder.build(frozen.model_copy(update={"sees": sees}))
    assert count(model.trainable_weights) == 43_078_402


def caffe_style(pixels: NDArray[np.float64]) -> NDArray[np.float64]:
    return pixels[..., ::-1] - [103.939, 116.779, 123.68]


def torch_style(pixels: NDArray[np.float64]) -> NDArray[np.float64]:
    return (pixels / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]


def scaled_to_one(pixels: NDArray[np.float64]) -> NDArray[np.float64]:
    return pixels / 127.5 - 1


def unchanged(pixels: NDArray[np.float64]) -> NDArray[np.float64]:
    return pixels


PREPROCESSING = {
    "ResNet50": ("resnet", caffe_style),
    "ResNet50V2": ("resnet_v2", scaled_to_one),
    "MobileNetV2": ("mobilenet_v2", scaled_to_one),
    "MobileNetV3Small": ("mobilenet_v3", unchanged),
    "EfficientNetB0": ("efficientnet", unchanged),
    "DenseNet121": ("densenet", torch_style),
    "ConvNeXtTiny": ("convnext", unchanged),
}


@pytest.mark.parametrize("name", PREPROCESSING)
def test_a_backbone_gets_pixels_preprocessed_as_in_its_training(name: str) -> None:
    module, formula = PREPROCESSING[name]
    with_it = [
        key
        for key, wanted in NETWORKS.items()
        if wanted.backbone and wanted.backbone.name == name and not wanted.sees.augment
    ]
    model = built(with_it[0]) if with_it else builder.build(backbone_recipe(name))
    pixels = noise(model.input_shape[1])
    input_layer, first, second = model.layers[:3]
    assert second is backbone_of(model)
    preprocessed = np.array(keras.Model(input_layer.output, first.output)(pixels))
    expected = getattr(keras.applications, module).preprocess_input(pixels.astype(np.float32))
    np.testing.assert_allclose(preprocessed, expected, atol=1e-4)
    np.testing.assert_allclose(preprocessed, formula(pixels.astype(float)), atol=1e-4)


def test_the_head_gets_the_pooled_maps_of_the_backbone() -> None:
    model = builder.build(backbone_recipe("MobileNetV2", backbone={"arguments": {"alpha": 0.35}}))
    pixels = noise(32)
    features = np.array(awake(model)(pixels / 127.5 - 1.0, training=False)).mean((1, 2))
    assert features.std() > 0.1
    weights, bias = values(model.get_layer("made_by_ai").weights)
    expected = 1 / (1 + np.exp(-(features @ weights + bias)))
    np.testing.assert_allclose(np.array(model(pixels)), expected, rtol=1e-4)


def test_a_backbone_has_the_size_of_augmented_pictures() -> None:
    small = augmented(
        {"RandomResizedCrop": {"size": 32}},
        size=48,
        layers=POOLED,
        backbone={"name": "MobileNetV2", "weights": "none", "arguments": {"alpha": 0.35}},
    )
    model = builder.build(small)
    assert model.input_shape == (None, 48, 48, 3)
    assert backbone_of(model).input_shape == (None, 32, 32, 3)


def test_without_a_backbone_pixels_are_scaled_to_one() -> None:
    model = builder.build(recipe())
    scaled = keras.Model(model.layers[0].output, model.layers[1].output)(noise(16))
    np.testing.assert_allclose(np.array(scaled), noise(16) / 255, atol=1e-6)


def fitted(wanted: NetworkRecipe, tuned: bool) -> tuple[set[str], set[str]]:
    """Fit a new network; return the names of the weights that stayed, and of those that moved."""
    model = builder.build(wanted)
    awake(model)
    if tuned and wanted.backbone:
        builder.fine_tune(model, wanted.backbone)
    builder.compile_for(model, wanted, 0.1)
    model.run_eagerly = True  # to compile the gradient takes longer than all of this
    data, before = rows(8, wanted.sees.size), values(model.weights)
    model.fit(data.inputs[0], builder.targets(data.labels, wanted), verbose=0)
    moved = {
        weight.path
        for weight, old, new in zip(model.weights, before, values(model.weights), strict=True)
        if not np.array_equal(old, new)
    }
    return {weight.path for weight in model.weights} - moved, moved


def small_mobilenet(**changes: Any) -> NetworkRecipe:
    return backbone_recipe(
        "MobileNet",
        backbone={"arguments": {"alpha": 0.25}, "unfreeze": 12, **changes},
        layers=[*POOLED, {"BatchNormalization": {"name": "norm"}}],
        fine_tune={"learning_rate": 0.1, "epochs": 1} if changes.get("frozen", True) else None,
    )


HEAD = {"norm/gamma", "norm/beta", "norm/moving_mean", "norm/moving_variance"}
HEAD |= {"made_by_ai/kernel", "made_by_ai/bias"}
TUNED = {f"conv_{kind}_{number}/kernel" for kind in ("dw", "pw") for number in (12, 13)}


def test_fitting_leaves_a_frozen_backbone_as_it_is() -> None:
    stayed, moved = fitted(small_mobilenet(), tuned=False)
    assert moved == HEAD
    assert len([path for path in stayed if "moving" in path]) == 54


def test_fine_tuning_leaves_batch_normalisation_as_it_is() -> None:
    stayed, moved = fitted(small_mobilenet(), tuned=True)
    assert moved - HEAD == TUNED
    assert len([path for path in stayed if "_bn/" in path]) == 4 * 27


def test_a_backbone_that_is_not_frozen_is_trained_whole() -> None:
    stayed, moved = fitted(small_mobilenet(frozen=False), tuned=False)
    assert moved >= HEAD
    assert len([path for path in moved if "moving" in path]) == 2 + 54
    assert not [path for path in stayed if "moving" in path]


def test_fine_tuning_unfreezes_exactly_the_last_layers() -> None:
    wanted = backbone_recipe("MobileNetV2")
    model = builder.build(wanted)
    layers = backbone_of(model).layers
    assert wanted.backbone
    assert not backbone_of(model).trainable_weights
    for last in (7, 1, 10_000, 40):
        builder.fine_tune(model, wanted.backbone.model_copy(update={"unfreeze": last}))
        free = [layer.name for layer in layers[-last:] if "bn" not in layer.name.lower()]
        expected = {w.path for layer in layers if layer.name in free for w in layer.weights}
        assert {w.path for w in backbone_of(model).trainable_weights} == expected
        assert (len(expected) > 0) == (last > 1)  # the last one is an activation
        assert count(model.get_layer("made_by_ai").trainable_weights) == 1281


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (recipe(layers=[{"Conv2d": {}}]), ["layer 0: unknown layer 'Conv2d'", "mean 'Conv2D'"]),
        (
            recipe(layers=[{"Lambda": {"function": "x"}}]),
            ["layer 0: unknown layer 'Lambda'", "https://keras.io/api"],
        ),
        (
            recipe(layers=[{"Flatten": {}}, {"Dense": {"unit": 3}}]),
            ["Dense", "unit"],
        ),
        (recipe(layers=[{"Dropout": {"rate": 7}}]), ["Dropout", "7"]),
        (
            augmented({"RandomFlop": {}}),
            ["augment 0: unknown", "'RandomFlop'", "mean 'RandomFlip'"],
        ),
        (
            augmented({"RandomResizedCrop": {"size": 17}}),
            ["augment 0 'RandomResizedCrop'", "16x16 px are too few for a crop of 17"],
        ),
        (recipe(optimizer={"name": "Adamm", "learning_rate": 0.1}), ["'Adamm'", "'Adam'", "SGD"]),
        (
            recipe(optimizer={"name": "Adam", "learning_rate": 0.1, "arguments": {"rho": 1}}),
            ["Adam", "rho"],
        ),
        (backbone_recipe("ResNet5O"), ["backbone 'ResNet5O'", "'ResNet50'", "VGG16"]),
        (
            backbone_recipe("MobileNetV2", backbone={"arguments": {"alhpa": 1.0}}),
            ["MobileNetV2", "alhpa"],
        ),
    ],
)
def test_a_mistake_is_named(wrong: NetworkRecipe, words: list[str]) -> None:
    message = problem(wrong)
    for word in words:
        assert word in message


@pytest.mark.parametrize(
    "layers",
    [
        [{"Flatten": {}}, {"Conv2D": {"filters": 2, "kernel_size": 3}}],
        [{"Conv2D": {"filters": 2, "kernel_size": 17}}, {"Flatten": {}}],
        [{"Add": {}}, {"Flatten": {}}],
        [{"Conv2D": {"filters": 2, "kernel_size": 3}}],
    ],
    ids=["flat too early", "kernel too large", "two inputs needed", "never flat"],
)
def test_layers_that_do_not_fit_together_are_named(layers: list[dict[str, dict[str, int]]]) -> None:
    problem(recipe(layers=layers))


def test_weights_that_can_not_be_downloaded_are_an_error_with_advice(tmp_path: Path) -> None:
    code = """
from networks import backbone_recipe
from realart.core import errors
from realart.networks import builder
errors.run(lambda: builder.preflight(backbone_recipe(
    "MobileNetV2", size=96, backbone={"weights": "imagenet"})))
"""
    nowhere = "http://127.0.0.1:9"
    result = python(
        code, HOME=str(tmp_path), https_proxy=nowhere, http_proxy=nowhere, HTTPS_PROXY=nowhere
    )
    assert result.returncode == 2
    (line,) = result.stderr.splitlines()
    assert line.startswith("realart: weights 'imagenet' of backbone MobileNetV2 can't be loaded")
    assert "backbone.weights" in line
    assert not [file for file in tmp_path.rglob("*") if file.suffix == ".h5"]


@pytest.mark.skipif("REALART_PICTURES" not in os.environ, reason="no published weights at hand")
def test_published_weights_from_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DVC_ROOT", str(Path(os.environ["REALART_PICTURES"]).parent))
    name = "weights/mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224_no_top.h5"
    wanted = backbone_recipe("MobileNetV2", backbone={"weights": name})
    first, second = (backbone_of(builder.build(wanted)) for _ in range(2))
    for left, right in zip(values(first.weights), values(second.weights), strict=True):
        np.testing.assert_array_equal(left, right)
    random = backbone_of(built("mobilenetv2"))
    assert not np.array_equal(values(random.weights)[0], values(first.weights)[0])
    assert max(float(np.abs(v).max()) for v in values(first.weights)) > 2  # it was trained


def test_a_file_that_holds_no_weights_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    (tmp_path / "mine.h5").write_bytes(b"these are no weights")
    message = problem(backbone_recipe("MobileNetV2", backbone={"weights": "mine.h5"}))
    assert "mine.h5" in message
    assert "MobileNetV2" in message


@pytest.mark.parametrize("outputs", [1, 2])
def test_the_positive_class_is_ai(outputs: int) -> None:
    wanted = recipe(outputs=outputs)
    labels = np.array([1, 0, 0, 1, 1])
    targets = builder.targets(labels, wanted)
    assert targets.shape == (5, outputs)
    assert targets.dtype == np.float32
    np.testing.assert_array_equal(classification.of_outputs(targets), labels)
    assert classification.of_outputs(targets).dtype == np.float64


def test_scores_of_a_softmax_are_the_second_column() -> None:
    outputs = np.array([[0.25, 0.75]], np.float32)
    np.testing.assert_allclose(classification.of_outputs(outputs), [0.75])


def test_weights_are_float32_whatever_the_precision() -> None:
    policy = keras.mixed_precision.dtype_policy()
    keras.mixed_precision.set_dtype_policy("mixed_bfloat16")
    try:
        model = builder.build(recipe())
    finally:
        keras.mixed_precision.set_dtype_policy(policy)
    assert {w.dtype for w in model.weights} == {"float32"}
    assert model.outputs[0].dtype == "float32"
