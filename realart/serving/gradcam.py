"""Grad-CAM: which places of the last feature maps of a network raise or lower the score of ai.

Selvaraju et al., "Grad-CAM: Visual Explanations from Deep Networks via Gradient-based
Localization", 2017, average the gradient over positions. In a network that flattens its maps this
average loses the position; here each position keeps its own gradient (HiResCAM: Draelos and Carin,
"Use HiResCAM instead of Grad-CAM for faithful explanations of convolutional neural networks",
2020). Where a network pools its maps by their mean, both methods give the same map.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from realart.data.pictures import Pixels
from realart.networks import backend
from realart.networks.backend import keras


def heat(network: keras.Model, square: Pixels) -> NDArray[np.float32] | None:
    """Compute how each place of the last feature maps changes the log-odds of ai.

    Parameters
    ----------
    network
        A network whose last layer is dense, with a sigmoid or a softmax over (human, ai).
    square
        The input for one picture: uint8, shape (size, size, 3).

    Returns
    -------
    ndarray or None
        float32, shape (rows, columns) of the feature maps; above 0 for ai. None if the network has
        no feature maps that were learnt.
    """
    layers = _flat_layers(network)
    with_maps = [number for number, layer in enumerate(layers) if len(layer.output.shape) == 4]
    after_maps = with_maps[-1] + 1 if with_maps else 0
    if not any(layer.weights for layer in layers[:after_maps]):
        return None
    *hidden, last = layers[after_maps:]

    def log_odds(maps: Any) -> Any:
        # The logits, without the activation of the last layer, whose gradient vanishes.
        logits = keras.ops.matmul(_apply(hidden, maps), last.kernel)[0] + last.bias
        return logits[-1] - logits[0] if last.units == 2 else logits[0]

    maps = _apply(layers[:after_maps], keras.ops.convert_to_tensor(square[None]))
    product = backend.gradient(log_odds, maps) * maps
    return np.asarray(keras.ops.convert_to_numpy(product)[0].sum(-1), np.float32)


def _flat_layers(network: keras.Model) -> list[keras.layers.Layer]:
    """Return the layers in order; a backbone that pools its maps is divided at the last of them."""
    layers: list[keras.layers.Layer] = []
    for layer in network.layers[1:]:
        if isinstance(layer, keras.Model) and len(layer.output.shape) != 4:
            last = max(n for n, inner in enumerate(layer.layers) if len(inner.output.shape) == 4)
            layers.append(keras.Model(layer.inputs, layer.layers[last].output))
            layers += layer.layers[last + 1 :]
        else:
            layers.append(layer)
    return layers


def _apply(layers: Sequence[keras.layers.Layer], tensor: Any) -> Any:
    for layer in layers:
        tensor = layer(tensor, training=False)
    return tensor
