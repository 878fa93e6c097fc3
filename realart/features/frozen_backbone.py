"""The frozen part of a network: its activations are computed once, for all folds and epochs.

A network is cut behind the last frozen layer of its backbone. The frozen part maps pixels to the
tensors that cross the cut (in a residual network two may), the trainable part maps those to
probabilities. Both share their layers with the whole network: to train the one is to train the
other.
"""

import math
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from realart.core.errors import RealartError
from realart.core.outputs import array_file
from realart.features import feature_store, vectors
from realart.networks import backend, builder, stored_weights
from realart.networks.backend import keras
from realart.params import Backbone, NetworkRecipe, PixelInput

SEED = 0
"""Seed of random backbones: all folds and seeds of training share the activations."""

CROSSING = "crossing-{}.npy"
ARCHITECTURE = "backbone.json"
WEIGHTS = "backbone.weights.h5"


def save_backbone(sees: PixelInput, precision: str, folder: Path) -> keras.Model:
    """Build the backbone of an input, and write it into `folder`: all folds start from it.

    Keras builds some networks differently for ImageNet's weights (EfficientNet has one layer more),
    so architecture and weights are stored, not a recipe.
    """
    backend.prepare(SEED, deterministic=True, precision=precision)
    backend.clear_session()
    assert sees.backbone
    size = builder.augment(sees, builder.pixel_input(sees)).shape[1]
    model = builder.build_backbone(sees.backbone, size)
    (folder / ARCHITECTURE).write_text(builder.architecture(model), "utf-8")
    stored_weights.save(model, folder / WEIGHTS)
    return model


def load_backbone(folder: Path) -> keras.Model | None:
    """Load the backbone in `folder`; None if the recipe has none."""
    if not (folder / ARCHITECTURE).is_file():
        return None
    model = builder.from_architecture((folder / ARCHITECTURE).read_text("utf-8"))
    stored_weights.load(model, folder / WEIGHTS)
    return model


def frozen_part(sees: PixelInput, backbone: keras.Model) -> keras.Model | None:
    """Return the frozen part of a backbone.

    It maps pixels, uint8 (n, size, size, 3), to the tensors that cross the cut, each (n, ...).

    Returns
    -------
    Model or None
        None where no weights are frozen, or pictures are augmented before the backbone.
    """
    assert sees.backbone
    crossing = _cut(backbone, sees.backbone.unfreeze) if sees.backbone.frozen else []
    if not crossing or sees.augment:
        return None
    inner = keras.Model(backbone.inputs, crossing)
    if not inner.weights:
        return None
    pixels = builder.pixel_input(sees)
    return keras.Model(pixels, inner(builder.Preprocess(sees.backbone.name)(pixels)))


def trainable_part(whole: keras.Model, backbone: Backbone) -> keras.Model:
    """Return the part of a network behind the cut, from the crossing tensors to probabilities."""
    model = builder.backbone_in(whole)
    crossing = _cut(model, backbone.unfreeze)
    inputs = [keras.Input(batch_shape=tensor.shape, dtype=tensor.dtype) for tensor in crossing]
    x = keras.Model(crossing, model.output)(inputs) if backbone.unfreeze else inputs[0]
    for layer in whole.layers[whole.layers.index(model) + 1 :]:
        x = layer(x)
    return keras.Model(inputs, x)


def write(
    model: keras.Model, activations: Iterable[Sequence[NDArray[Any]]], count: int, folder: Path
) -> None:
    """Write the activations of a frozen part for all rows, an array for each output.

    Parameters
    ----------
    model
        The frozen part.
    activations
        Its outputs, (n, ...) each, of some rows at a time.
    count
        How many rows there are in all.

    Raises
    ------
    RealartError
        An activation is infinite, or too large for the dtype that it is stored in.
    """
    with ExitStack() as files:
        writers = [
            (files.enter_context(array_file(folder / CROSSING.format(number), dtype, shape)), dtype)
            for number, (dtype, shape) in enumerate(_layout(model, count))
        ]
        for tensors in activations:
            for (append, dtype), tensor in zip(writers, tensors, strict=True):
                with np.errstate(over="ignore"):
                    stored = tensor.astype(dtype)
                if not np.isfinite(stored).all():
                    raise RealartError(
                        f"activations of the frozen part of the backbone exceed {dtype}: choose "
                        "another backbone.unfreeze, or backbone.arguments.pooling=avg with 0"
                    )
                append(stored)


def gigabytes(model: keras.Model, count: int) -> float:
    """Return the size of the files that `write` writes for `count` rows, in gigabytes."""
    sizes = [np.dtype(dtype).itemsize * math.prod(shape) for dtype, shape in _layout(model, count)]
    return sum(sizes) / 1e9


def network(recipe: NetworkRecipe, features: Path) -> tuple[keras.Model, keras.Model]:
    """Build a whole network, and the part of it that is trained on the files in `features`."""
    width = sum(block.shape[1] for block in vectors.read(features))
    whole = builder.build(recipe, load_backbone(features), width)
    if not recipe.backbone or (features / feature_store.PIXELS).is_file():
        return whole, whole
    return whole, trainable_part(whole, recipe.backbone)


def load_trained(recipe: NetworkRecipe, features: Path, weights: Path) -> keras.Model:
    """Build the whole network, and load the file `weights` into its trained part."""
    backend.clear_session()
    whole, part = network(recipe, features)
    stored_weights.load(part, weights)
    return whole


def _cut(model: keras.Model, unfreeze: int) -> list[keras.KerasTensor]:
    """Return the tensors that the layers behind the frozen ones of a backbone need of those.

    Keras orders layers by depth, so that no layer needs one of those after it.
    """
    behind = model.layers[max(0, len(model.layers) - unfreeze) :]
    computed = {id(tensor) for layer in behind for tensor in keras.tree.flatten(layer.output)}
    needed = [tensor for layer in behind for tensor in keras.tree.flatten(layer.input)]
    crossing = {id(t): t for t in [*needed, *model.outputs] if id(t) not in computed}
    return list(crossing.values())


def _layout(model: keras.Model, count: int) -> list[tuple[str, tuple[int, ...]]]:
    """Return dtype and shape of each array: float16 for maps, whose rounding moves no score."""
    shapes = [tensor.shape[1:] for tensor in model.outputs]
    return [("float16" if len(shape) > 1 else "float32", (count, *shape)) for shape in shapes]
