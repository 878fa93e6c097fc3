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

from realart import backend, recipes, vectors
from realart.backend import keras
from realart.errors import RealartError
from realart.outputs import array_file
from realart.params import Backbone, Network, Square, Train, Vectors

SEED = 0
"""Of random backbones: all folds and seeds of training share what the frozen part says."""

PIXELS = "pixels.npy"
CROSSING = "crossing-{}.npy"
ARCHITECTURE = "backbone.json"
WEIGHTS = "backbone.weights.h5"


def keep_backbone(sees: Square, train: Train, folder: Path) -> keras.Model:
    """Build the backbone for what is seen, and keep it in `folder`: all folds start from it.

    Of `train` only the precision counts. Keras builds some networks otherwise for ImageNet's
    weights (EfficientNet has one layer more), so architecture and weights are kept, not a recipe.
    """
    backend.prepare(train.model_copy(update={"seed": SEED, "deterministic": True}))
    backend.forget_networks()
    assert sees.backbone
    size = recipes.augmented(sees, recipes.pixels_of(sees)).shape[1]
    model = recipes.build_backbone(sees.backbone, size)
    (folder / ARCHITECTURE).write_text(recipes.architecture(model), "utf-8")
    model.save_weights(folder / WEIGHTS)
    return model


def kept_backbone(folder: Path) -> keras.Model | None:
    """Return the backbone that is kept in `folder`, or None where a recipe has none."""
    if not (folder / ARCHITECTURE).is_file():
        return None
    model = recipes.from_architecture((folder / ARCHITECTURE).read_text("utf-8"))
    model.load_weights(folder / WEIGHTS)
    return model


def front(recipe: Network, model: keras.Model) -> keras.Model | None:
    """Return the frozen part of a recipe's backbone `model`.

    None, where no weights are frozen or pictures are augmented before it. It maps pixels, uint8
    (n, size, size, 3), to what crosses the cut, each (n, ...).
    """
    backbone = recipe.backbone
    if not backbone or not backbone.frozen or not (crossing := _cut(model, backbone.unfreeze)):
        return None
    assert isinstance(recipe.sees, Square)
    if recipe.sees.augment:
        return None
    inner = keras.Model(model.inputs, crossing)
    if not inner.weights:
        return None
    pixels = recipes.pixels_of(recipe.sees)
    return keras.Model(pixels, inner(recipes.Preprocess(backbone.name)(pixels)))


def tail(whole: keras.Model, backbone: Backbone) -> keras.Model:
    """Return what is behind the cut of a network: what crosses it in, probabilities out."""
    model = recipes.backbone_in(whole)
    crossing = _cut(model, backbone.unfreeze)
    inputs = [keras.Input(batch_shape=tensor.shape, dtype=tensor.dtype) for tensor in crossing]
    x = keras.Model(crossing, model.output)(inputs) if backbone.unfreeze else inputs[0]
    for layer in whole.layers[whole.layers.index(model) + 1 :]:
        x = layer(x)
    return keras.Model(inputs, x)


def write(
    model: keras.Model, said: Iterable[Sequence[NDArray[Any]]], count: int, folder: Path
) -> None:
    """Write what the front `model` said of `count` rows, an array for each tensor it gives.

    `said` has those tensors, (n, ...) each, of a few rows at a time.

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
        for tensors in said:
            for (append, dtype), tensor in zip(writers, tensors, strict=True):
                with np.errstate(over="ignore"):
                    stored = tensor.astype(dtype)
                if not np.isfinite(stored).all():
                    raise RealartError(
                        f"the frozen part of the backbone says numbers beyond {dtype}: choose "
                        "another backbone.unfreeze, or backbone.arguments.pooling=avg with 0"
                    )
                append(stored)


def gigabytes(model: keras.Model, count: int) -> float:
    """Return how much `write` would write for `count` rows."""
    sizes = [np.dtype(dtype).itemsize * math.prod(shape) for dtype, shape in _layout(model, count)]
    return sum(sizes) / 1e9


def rows(folder: Path) -> tuple[NDArray[Any], ...]:
    """Return what a network is trained on: pixels, an array for each crossing tensor, or vectors.

    All but vectors are memory-mapped.
    """
    if described := vectors.rows(folder):
        return (np.concatenate(described, axis=1),)
    return tuple(np.load(file, mmap_mode="r") for file in sorted(folder.glob("*.npy")))


def network(recipe: Network, features: Path) -> tuple[keras.Model, keras.Model]:
    """Build a whole network, and the part of it that is trained on what is kept in `features`."""
    if isinstance(recipe.sees, Vectors):
        whole = recipes.build(recipe, numbers=sum(one.shape[1] for one in vectors.rows(features)))
    else:
        whole = recipes.build(recipe, kept_backbone(features))
    if not recipe.backbone or (features / PIXELS).is_file():
        return whole, whole
    return whole, tail(whole, recipe.backbone)


def trained(recipe: Network, features: Path, weights: Path) -> keras.Model:
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
