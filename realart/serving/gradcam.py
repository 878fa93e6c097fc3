"""Grad-CAM: where the last maps of a network speak for ai or against it.

Selvaraju et al., "Grad-CAM: Visual Explanations from Deep Networks via Gradient-based
Localization", 2017. They average the gradient over positions, which in a network that flattens its
maps says nothing of where: each position keeps its own gradient here (Draelos and Carin, "Use
HiResCAM instead of Grad-CAM for faithful explanations of convolutional neural networks", 2020).
Where a network pools its maps by their mean, both are the same.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from realart.data.pictures import Pixels
from realart.networks import backend
from realart.networks.backend import keras


def heat(network: keras.Model, square: Pixels) -> NDArray[np.float32] | None:
    """Return how each place of the last maps changes the log-odds of ai.

    Shape (rows, columns) of the maps of one picture, uint8 (size, size, 3); above 0 for ai. None,
    where the network has no maps that were learnt.
    """
    steps = _steps(network)
    with_maps = [number for number, step in enumerate(steps) if len(step.output.shape) == 4]
    behind = with_maps[-1] + 1 if with_maps else 0
    if not any(step.weights for step in steps[:behind]):
        return None
    *hidden, last = steps[behind:]

    def odds(maps: Any) -> Any:
        vector = _through(hidden, maps)
        said = keras.ops.matmul(vector, last.kernel)[0] + last.bias  # its activation saturates
        return said[-1] - said[0] if last.units == 2 else said[0]

    maps = _through(steps[:behind], keras.ops.convert_to_tensor(square[None]))
    product = backend.gradient(odds, maps) * maps
    return np.asarray(keras.ops.convert_to_numpy(product)[0].sum(-1), np.float32)


def _steps(network: keras.Model) -> list[keras.layers.Layer]:
    """Return the layers of a network in order; a backbone that pools its maps in two steps."""
    steps: list[keras.layers.Layer] = []
    for layer in network.layers[1:]:
        if isinstance(layer, keras.Model) and len(layer.output.shape) != 4:
            last = max(n for n, inner in enumerate(layer.layers) if len(inner.output.shape) == 4)
            steps.append(keras.Model(layer.inputs, layer.layers[last].output))
            steps += layer.layers[last + 1 :]
        else:
            steps.append(layer)
    return steps


def _through(steps: Sequence[keras.layers.Layer], x: Any) -> Any:
    for step in steps:
        x = step(x, training=False)
    return x
