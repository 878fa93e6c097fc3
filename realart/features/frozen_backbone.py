"""The frozen part of a network: what it says of every row is computed once, for folds and epochs.

A network is cut behind the last frozen layer of its backbone. The front maps pixels to the tensors
that cross the cut (in a residual network two may), the tail maps those to probabilities. Both share
their layers with the whole network: to train the tail is to train the whole.
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
from realart.networks import backend, builder
from realart.networks.backend import keras
from realart.params import Backbone, NetworkRecipe, PixelInput

SEED = 0
"""Of random backbones: all folds and seeds of training share what the frozen part says."""

CROSSING = "crossing-{}.npy"
ARCHITECTURE = "backbone.json"
WEIGHTS = "backbone.weights.h5"


def save_backbone(sees: PixelInput, precision: str, folder: Path) -> keras.Model:
    """Build the backbone of an input, and write it into `folder`: all folds start from it.

    Keras builds some networks otherwise for ImageNet's weights (EfficientNet has one layer more),
    so architecture and weights are kept, not a recipe.
    """
    backend.prepare(SEED, deterministic=True, precision=precision)
    backend.forget_networks()
    assert sees.backbone
    size = builder.augmented(sees, builder.pixels_of(sees)).shape[1]
    model = builder.build_backbone(sees.backbone, size)
    (folder / ARCHITECTURE).write_text(builder.architecture(model), "utf-8")
    model.save_weights(folder / WEIGHTS)
    return model


def load_backbone(folder: Path) -> keras.Model | None:
    """Return the backbone that is kept in `folder`, or None where a recipe has none."""
    if not (folder / ARCHITECTURE).is_file():
        return None
    model = builder.from_architecture((folder / ARCHITECTURE).read_text("utf-8"))
    model.load_weights(folder / WEIGHTS)
    return model


def frozen_part(sees: PixelInput, backbone: keras.Model) -> keras.Model | None:
    """Return the frozen part of a backbone, which can be run once for all folds and epochs.

    It maps pixels, uint8 (n, size, size, 3), to the tensors that cross the cut, each (n, ...).
    None, where no weights are frozen or pictures are augmented before the backbone.
    """
    assert sees.backbone
    crossing = _cut(backbone, sees.backbone.unfreeze) if sees.backbone.frozen else []
    if not crossing or sees.augment:
        return None
    inner = keras.Model(backbone.inputs, crossing)
    if not inner.weights:
        return None
    pixels = builder.pixels_of(sees)
    return keras.Model(pixels, inner(builder.Preprocess(sees.backbone.name)(pixels)))


def trainable_part(whole: keras.Model, backbone: Backbone) -> keras.Model:
    """Return what is behind the cut of a network: what crosses it in, probabilities out."""
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
    """Write the activations of the frozen part `model` for `count` rows, an array for each output.

    `activations` has those outputs, (n, ...) each, of some rows at a time.

    Raises
    ------
    RealartError
        It is infinite, or too large for what it is stored as.
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
    """Return how much `write` would write for `count` rows."""
    sizes = [np.dtype(dtype).itemsize * math.prod(shape) for dtype, shape in _layout(model, count)]
    return sum(sizes) / 1e9


def network(recipe: NetworkRecipe, features: Path) -> tuple[keras.Model, keras.Model]:
    """Build a whole network, and the part of it that is trained on what is kept in `features`."""
    numbers = sum(block.shape[1] for block in vectors.read(features))
    whole = builder.build(recipe, load_backbone(features), numbers)
    if not recipe.backbone or (features / feature_store.PIXELS).is_file():
        return whole, whole
    return whole, trainable_part(whole, recipe.backbone)


def trained(recipe: NetworkRecipe, features: Path, weights: Path) -> keras.Model:
    """Return the whole network with the `weights` of its trained part."""
    backend.forget_networks()
    whole, part = network(recipe, features)
    part.load_weights(weights)
    return whole


def _cut(model: keras.Model, unfreeze: int) -> list[keras.KerasTensor]:
    """Return the tensors inside a backbone that what is behind its frozen layers needs of them.

    Keras orders layers by depth, so that no layer needs one of those after it.
    """
    behind = model.layers[max(0, len(model.layers) - unfreeze) :]
    made = {id(tensor) for layer in behind for tensor in keras.tree.flatten(layer.output)}
    needed = [tensor for layer in behind for tensor in keras.tree.flatten(layer.input)]
    crossing = {id(t): t for t in [*needed, *model.outputs] if id(t) not in made}
    return list(crossing.values())


def _layout(model: keras.Model, count: int) -> list[tuple[str, tuple[int, ...]]]:
    """Return dtype and shape of each array: maps are stored by halves, which moves no score."""
    shapes = [tensor.shape[1:] for tensor in model.outputs]
    return [("float16" if len(s) > 1 else "float32", (count, *s)) for s in shapes]
