"""Networks as params.yaml declares them: layers, backbones and optimizers by their Keras names."""

import difflib
import inspect
import sys
from collections.abc import Callable
from functools import singledispatch
from typing import Any

import numpy as np
from numpy.typing import NDArray

from realart.core.errors import RealartError
from realart.networks import backend, layers
from realart.networks.backend import keras
from realart.params import (
    Backbone,
    KerasApplication,
    Layer,
    NetworkRecipe,
    PixelInput,
    VectorInput,
    weights_file,
)

LOSS = {1: "binary_crossentropy", 2: "categorical_crossentropy"}
"""By number of outputs: one sigmoid, or a softmax over (human, ai)."""


class Preprocess(keras.layers.Layer):  # type: ignore[misc]
    """A backbone's own `preprocess_input`, as the first layer of the network."""

    def __init__(self, backbone: str, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.backbone = backbone
        self.function = sys.modules[backbone_function(backbone).__module__].preprocess_input

    def call(self, pixels: Any) -> Any:
        return self.function(keras.ops.cast(pixels, self.compute_dtype))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "backbone": self.backbone}


def pixels_of(sees: PixelInput) -> keras.KerasTensor:
    """Return where a network takes pictures in: uint8, shape (n, size, size, 3)."""
    return keras.Input((sees.size, sees.size, 3), dtype="uint8", name="pixels")


def build(
    recipe: NetworkRecipe, backbone: keras.Model | None = None, numbers: int | None = None
) -> keras.Model:
    """Build the network of a recipe: its input in, probabilities out.

    Parameters
    ----------
    backbone
        The backbone of a recipe that has one; by default `build_backbone` makes it.
    numbers
        How long feature vectors are, where the input is such: float32, shape (n, numbers). Pixels
        are uint8, shape (n, size, size, 3).

    Raises
    ------
    RealartError
        A name or argument that Keras does not know, or weights that can't be had.
    """
    inputs, x = _input(recipe.sees, backbone, numbers)
    x = _stacked(x, recipe.layers, "layer")
    if len(x.shape) != 2:
        raise RealartError(
            f"the recipe's last layer has the shape {x.shape[1:]}, not one row of numbers a "
            "picture: end its layers with Flatten or a pooling layer"
        )
    activation = "sigmoid" if recipe.outputs == 1 else "softmax"
    head = keras.layers.Dense(recipe.outputs, activation, dtype="float32", name="made_by_ai")
    try:
        return keras.Model(inputs, head(x))
    except ValueError as error:
        raise RealartError(f"the recipe's layers make no network: {error}") from error


@singledispatch
def _input(sees: Any, backbone: keras.Model | None, numbers: int | None) -> tuple[Any, Any]:
    """Return the input of a network, and the tensor that a recipe's layers get."""
    raise NotImplementedError(f"no network on the input {type(sees).__name__}")


@_input.register
def _(sees: VectorInput, backbone: Any, numbers: Any) -> tuple[Any, Any]:
    vectors = keras.Input((numbers,), name="vectors")
    return vectors, vectors


@_input.register
def _(sees: PixelInput, backbone: Any, numbers: Any) -> tuple[Any, Any]:
    pixels = pixels_of(sees)
    x = augmented(sees, pixels)
    if not sees.backbone:
        return pixels, keras.layers.Rescaling(1 / 255)(x)
    backbone = backbone or build_backbone(sees.backbone, x.shape[1])
    return pixels, backbone(Preprocess(sees.backbone.name)(x))


def augmented(sees: PixelInput, pixels: keras.KerasTensor) -> keras.KerasTensor:
    """Return what the layers of `sees.augment` make of pixels."""
    return _stacked(pixels, sees.augment, "augment")


def architecture(model: keras.Model) -> str:
    """Return the network without its weights, as JSON.

    A backbone may have layers without weights only where it was built with those of ImageNet
    (EfficientNet has), so a recipe alone does not say what network its weights belong to.
    """
    return str(model.to_json())


def from_architecture(text: str) -> keras.Model:
    """Return the network that `architecture` described, with weights to be loaded."""
    own = {"Preprocess": Preprocess, **layers.OWN}
    return keras.models.model_from_json(text, custom_objects=own)


def without_download(recipe: NetworkRecipe) -> NetworkRecipe:
    """Return the recipe with random weights: for one whose weights follow, or don't matter."""
    if not recipe.backbone:
        return recipe
    backbone = recipe.backbone.model_copy(update={"weights": "none"})
    sees = recipe.sees.model_copy(update={"backbone": backbone})
    return recipe.model_copy(update={"sees": sees})


def preflight(
    recipe: NetworkRecipe, backbone: keras.Model | None = None, numbers: int | None = None
) -> None:
    """Build and compile once, so that a mistake in a recipe is found before a fold is begun."""
    compile_for(build(recipe, backbone, numbers), recipe, recipe.optimizer.learning_rate)
    backend.forget_networks()


def compile_for(model: keras.Model, recipe: NetworkRecipe, learning_rate: float) -> None:
    """Compile with the recipe's optimizer and loss.

    Raises
    ------
    RealartError
        An optimizer or argument that Keras does not know.
    """
    known = _classes(keras.optimizers, keras.optimizers.Optimizer)
    function = _named(known, recipe.optimizer.name, "optimizer")
    optimizer = _call(function, {"learning_rate": learning_rate, **recipe.optimizer.arguments})
    model.compile(optimizer, LOSS[recipe.outputs], metrics=["accuracy"])


def fine_tune(model: keras.Model, backbone: Backbone) -> None:
    """Make the last layers of the backbone trainable, but for batch normalisation.

    `model` is the whole network or the tail that is left of it, in which Keras lists new inputs
    among the layers.
    """
    inner = backbone_in(model)
    inside = [one for one in inner.layers if not isinstance(one, keras.layers.InputLayer)]
    inner.trainable = True
    for number, layer in enumerate(reversed(inside)):
        statistics = isinstance(layer, keras.layers.BatchNormalization)
        layer.trainable = number < backbone.unfreeze and not statistics


def backbone_in(model: keras.Model) -> keras.Model:
    """Return the backbone of a network that has one."""
    (backbone,) = (layer for layer in model.layers if isinstance(layer, keras.Model))
    return backbone


def targets(labels: NDArray[np.int64], recipe: NetworkRecipe) -> NDArray[np.float32]:
    """Return labels (1 is ai) as the network's outputs: float32, shape (n, outputs)."""
    if recipe.outputs == 1:
        return labels[:, None].astype(np.float32)
    return np.eye(2, dtype=np.float32)[labels]


def backbone_function(name: str) -> Callable[..., keras.Model]:
    """Return the function of `keras.applications` that builds a backbone.

    Raises
    ------
    RealartError
        It has no such function; the message lists those it has.
    """
    known: dict[str, Callable[..., Any]] = {
        key: value for key, value in vars(keras.applications).items() if inspect.isfunction(value)
    }
    return _named(known, name, "backbone")


def build_backbone(backbone: KerasApplication, size: int) -> keras.Model:
    """Build a backbone for pictures of `size`, with its weights; a frozen one learns nothing.

    Frozen batch normalisation keeps the statistics it came with, in training too.

    Raises
    ------
    RealartError
        A name or argument that Keras does not know, or weights that can't be had.
    """
    arguments = {
        **backbone.arguments,
        "include_top": False,
        "input_shape": (size, size, 3),
        "weights": _weights(backbone),
    }
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


def _stacked(x: Any, declared: list[Layer], what: str) -> Any:
    known = _classes(keras.layers, keras.layers.Layer) | layers.OWN
    known.pop("Lambda")  # code in a params file is not what a recipe is
    for number, layer in enumerate(declared):
        ((name, arguments),) = layer.items()
        made = _call(_named(known, name, f"{what} {number}"), arguments)
        try:
            x = made(x)
        except (ValueError, TypeError, NotImplementedError) as error:
            raise RealartError(
                f"{what} {number} '{name}' does not fit what is before it: {error}"
            ) from error
    return x


def _classes(module: Any, parent: type) -> dict[str, Callable[..., Any]]:
    return {
        name: value
        for name, value in vars(module).items()
        if inspect.isclass(value) and issubclass(value, parent)
    }


def _named(known: dict[str, Callable[..., Any]], name: str, what: str) -> Callable[..., Any]:
    if name in known:
        return known[name]
    close = difflib.get_close_matches(name, known)
    hint = f" (did you mean '{close[0]}'?)" if close else ""
    choices = sorted(known) if len(known) <= 60 else close or ["see https://keras.io/api"]
    raise RealartError(f"unknown {what} '{name}'{hint}; Keras has: {', '.join(choices)}")


def _call(function: Callable[..., Any], arguments: dict[str, Any]) -> Any:
    try:
        return function(**arguments)
    except (TypeError, ValueError, NotImplementedError, OSError) as error:
        raise RealartError(f"Keras refuses {function.__name__}({arguments}): {error}") from error
