"""Networks as params.yaml declares them: layers, backbones and optimizers by their Keras names."""

import json
import sys
from collections.abc import Callable
from functools import singledispatch
from typing import Any

import numpy as np
from numpy.typing import NDArray

from realart.core.errors import RealartError
from realart.core.registry import choose
from realart.networks import backend, layers, signatures
from realart.networks.backend import keras
from realart.networks.weight_files import weights_file
from realart.params import (
    Backbone,
    KerasApplication,
    Layer,
    NetworkRecipe,
    PixelInput,
    VectorInput,
)

LOSS = {1: "binary_crossentropy", 2: "categorical_crossentropy"}
"""Loss by number of outputs: one sigmoid, or a softmax over (human, ai)."""


class Preprocess(keras.layers.Layer):  # type: ignore[misc]
    """The `preprocess_input` of a backbone as a layer: pixels (n, h, w, 3) of 0 to 255 in."""

    def __init__(self, backbone: str, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.backbone = backbone
        self.function = sys.modules[backbone_function(backbone).__module__].preprocess_input

    def call(self, pixels: Any) -> Any:
        return self.function(keras.ops.cast(pixels, self.compute_dtype))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "backbone": self.backbone}


def pixel_input(sees: PixelInput) -> keras.KerasTensor:
    """Return the input layer for pictures: uint8, shape (n, size, size, 3)."""
    return keras.Input((sees.size, sees.size, 3), dtype="uint8", name="pixels")


def build(
    recipe: NetworkRecipe, backbone: keras.Model | None = None, width: int | None = None
) -> keras.Model:
    """Build the network of a recipe, from its input to probabilities (n, outputs).

    Pixels are uint8, shape (n, size, size, 3).

    Parameters
    ----------
    backbone
        The backbone, where the recipe has one; by default `build_backbone` makes it.
    width
        Length of the feature vectors, where the input is such: float32, shape (n, width).

    Raises
    ------
    RealartError
        Keras does not know a name or an argument, or weights can't be loaded.
    """
    inputs, x = _input(recipe.sees, backbone, width)
    x = _apply_layers(x, recipe.layers, "layer")
    if len(x.shape) != 2:
        raise RealartError(
            f"the recipe's last layer has the shape {x.shape[1:]}, not one vector a picture: end "
            "its layers with Flatten or a pooling layer"
        )
    activation = "sigmoid" if recipe.outputs == 1 else "softmax"
    head = keras.layers.Dense(recipe.outputs, activation, dtype="float32", name="made_by_ai")
    try:
        return keras.Model(inputs, head(x))
    except ValueError as error:
        raise RealartError(f"the recipe's layers make no network: {error}") from error


@singledispatch
def _input(sees: Any, backbone: keras.Model | None, width: int | None) -> tuple[Any, Any]:
    """Return the input of a network, and the tensor that the recipe's layers are applied to."""
    raise NotImplementedError(f"no network on the input {type(sees).__name__}")


@_input.register
def _(sees: VectorInput, backbone: Any, width: Any) -> tuple[Any, Any]:
    vectors = keras.Input((width,), name="vectors")
    return vectors, vectors


@_input.register
def _(sees: PixelInput, backbone: Any, width: Any) -> tuple[Any, Any]:
    pixels = pixel_input(sees)
    x = augment(sees, pixels)
    if not sees.backbone:
        return pixels, keras.layers.Rescaling(1 / 255)(x)
    backbone = backbone or build_backbone(sees.backbone, x.shape[1])
    return pixels, backbone(Preprocess(sees.backbone.name)(x))


def augment(sees: PixelInput, pixels: keras.KerasTensor) -> keras.KerasTensor:
    """Apply the layers of `sees.augment` to pixels."""
    return _apply_layers(pixels, sees.augment, "augment")


def architecture(model: keras.Model) -> str:
    """Return the network without its weights, as JSON.

    A backbone may have layers without weights only where it was built with those of ImageNet
    (EfficientNet has), so a recipe alone does not decide which network its weights fit.
    """
    return str(model.to_json())


def from_architecture(text: str) -> keras.Model:
    """Build a network from the JSON of `architecture`, without its weights.

    Raises
    ------
    RealartError
        It has an object that may hold code, such as a layer `Lambda` or `TFSMLayer`.
    """
    signatures.check_objects("the network", json.loads(text), signatures.IN_ARCHITECTURES)
    own = {"Preprocess": Preprocess, **layers.OWN}
    return keras.models.model_from_json(text, custom_objects=own)


def with_random_weights(recipe: NetworkRecipe) -> NetworkRecipe:
    """Return the recipe with a backbone of random weights, which needs no download."""
    if not recipe.backbone:
        return recipe
    backbone = recipe.backbone.model_copy(update={"weights": "none"})
    sees = recipe.sees.model_copy(update={"backbone": backbone})
    return recipe.model_copy(update={"sees": sees})


def preflight(
    recipe: NetworkRecipe, backbone: keras.Model | None = None, width: int | None = None
) -> None:
    """Build and compile a network once, so that a mistake in a recipe is found before training."""
    compile_for(build(recipe, backbone, width), recipe, recipe.optimizer.learning_rate)
    backend.clear_session()


def compile_for(model: keras.Model, recipe: NetworkRecipe, learning_rate: float) -> None:
    """Compile with the recipe's optimizer and loss.

    Raises
    ------
    RealartError
        Keras does not know the optimizer or an argument.
    """
    declared = recipe.optimizer
    signatures.check_call("the recipe", "optimizer", declared.name, declared.arguments)
    function = getattr(keras.optimizers, declared.name)
    optimizer = _construct(function, {"learning_rate": learning_rate, **declared.arguments})
    model.compile(optimizer, LOSS[recipe.outputs], metrics=["accuracy"])


def fine_tune(model: keras.Model, backbone: Backbone) -> None:
    """Make the last layers of the backbone trainable, but for batch normalisation.

    `model` is the whole network or its trainable part, in which Keras lists new inputs among the
    layers.
    """
    inner = backbone_in(model)
    hidden = [layer for layer in inner.layers if not isinstance(layer, keras.layers.InputLayer)]
    inner.trainable = True
    for number, layer in enumerate(reversed(hidden)):
        normalises = isinstance(layer, keras.layers.BatchNormalization)
        layer.trainable = number < backbone.unfreeze and not normalises


def backbone_in(model: keras.Model) -> keras.Model:
    """Return the backbone inside a network that has one."""
    (backbone,) = (layer for layer in model.layers if isinstance(layer, keras.Model))
    return backbone


def targets(labels: NDArray[np.int64], recipe: NetworkRecipe) -> NDArray[np.float32]:
    """Encode labels, int64 (n,), 1 for ai, as targets of the network: float32 (n, outputs)."""
    if recipe.outputs == 1:
        return labels[:, None].astype(np.float32)
    return np.eye(2, dtype=np.float32)[labels]


def backbone_function(name: str) -> Callable[..., keras.Model]:
    """Return the function of `keras.applications` that builds a backbone.

    Raises
    ------
    RealartError
        Keras has no such backbone; the message lists those that it has.
    """
    choose(signatures.BACKBONES, name, "backbone")
    return getattr(keras.applications, name)


def build_backbone(backbone: KerasApplication, size: int) -> keras.Model:
    """Build a backbone for squares of `size` pixels and load its weights.

    Only one that is not frozen is trainable. Frozen batch normalisation keeps the statistics it
    came with, in training too.

    Raises
    ------
    RealartError
        Keras does not know a name or an argument, or weights can't be loaded.
    """
    arguments = {
        **backbone.arguments,
        "include_top": False,
        "input_shape": (size, size, 3),
        "weights": _weights(backbone),
    }
    signatures.check_backbone("the recipe", backbone)
    function = backbone_function(backbone.name)
    try:
        model = function(**arguments)
    except Exception as error:  # Keras raises a bare Exception where a download fails
        if isinstance(error, TypeError) or backbone.weights == "none":
            raise RealartError(
                f"backbone {backbone.name} refuses size {size} or its arguments "
                f"{backbone.arguments}: {error}"
            ) from error
        raise RealartError(
            f"weights '{backbone.weights}' of backbone {backbone.name} can't be loaded ({error}): "
            "set its backbone.weights to imagenet (needs a network), a file, or none"
        ) from error
    model.trainable = isinstance(backbone, Backbone) and not backbone.frozen
    return model


def _weights(backbone: KerasApplication) -> str | None:
    if backbone.weights == "none":
        return None
    file = weights_file(backbone)
    return str(file) if file else backbone.weights


def _apply_layers(x: Any, declared: list[Layer], what: str) -> Any:
    """Apply declared layers to a tensor, one after the other; errors call them `what`."""
    for number, declaration in enumerate(declared):
        ((name, arguments),) = declaration.items()
        signatures.check_layer(f"{what} {number}", declaration)
        layer = _construct(layers.OWN.get(name) or getattr(keras.layers, name), arguments)
        try:
            x = layer(x)
        except (ValueError, TypeError, NotImplementedError) as error:
            raise RealartError(
                f"{what} {number} '{name}' does not fit what is before it: {error}"
            ) from error
    return x


def _construct(function: Callable[..., Any], arguments: dict[str, Any]) -> Any:
    try:
        return function(**arguments)
    except (TypeError, ValueError, NotImplementedError, OSError) as error:
        raise RealartError(f"Keras refuses {function.__name__}({arguments}): {error}") from error
