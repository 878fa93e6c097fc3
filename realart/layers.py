"""Layers that Keras does not have: recipes may name them beside its own."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from realart.backend import keras

FILTERS = np.array(
    [
        [[0, 0, 0, 0, 0], [0, 0, 0, 0, 0], [0, 1, -2, 1, 0], [0, 0, 0, 0, 0], [0, 0, 0, 0, 0]],
        [[0, 0, 0, 0, 0], [0, -1, 2, -1, 0], [0, 2, -4, 2, 0], [0, -1, 2, -1, 0], [0, 0, 0, 0, 0]],
        [[-1, 2, -2, 2, -1], [2, -6, 8, -6, 2], [-2, 8, -12, 8, -2], [2, -6, 8, -6, 2],
         [-1, 2, -2, 2, -1]],
    ],
    np.float32,
)  # fmt: skip
"""Differences of second order along rows, and in squares of 3 and 5 pixels."""
STEPS = (2, 4, 12)
LARGEST = 3.0


class HighPass(keras.layers.Layer):  # type: ignore[misc]
    """What fixed filters leave of pixels (n, h, w, c), fractions of 255: shape (n, h, w, 3 c).

    Each residual is divided by its filter's step and cut at 3 grey levels (Fridrich and Kodovsky,
    "Rich Models for Steganalysis of Digital Images", 2012; as the first layer of a network, Zhou et
    al., "Learning Rich Features for Image Manipulation Detection", 2018).
    """

    def call(self, pixels: Any) -> Any:
        channels = pixels.shape[-1]
        kernel = (FILTERS / np.array(STEPS)[:, None, None]).transpose(1, 2, 0)
        kernel = np.repeat(kernel[:, :, None], channels, axis=2).astype(np.float32)
        kernel = keras.ops.cast(kernel, pixels.dtype)
        found = keras.ops.depthwise_conv(pixels * 255, kernel, padding="same")
        return keras.ops.clip(found, -LARGEST, LARGEST) / LARGEST

    def compute_output_shape(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        assert shape[-1]
        return (*shape[:-1], len(FILTERS) * shape[-1])


class Residual(keras.layers.Layer):  # type: ignore[misc]
    """Two 3x3 convolutions beside a shortcut: (n, h, w, c) to (n, h / strides, ..., filters).

    He et al., "Deep Residual Learning for Image Recognition", 2016; where the shape changes the
    shortcut pools before its 1x1 convolution (He et al., "Bag of Tricks for Image Classification
    with Convolutional Neural Networks", 2019, ResNet-D). One that skips positions instead broke
    TensorFlow's memory in training (2.21 with oneDNN: "double free or corruption").
    """

    def __init__(self, filters: int, strides: int = 1, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.filters, self.strides = filters, strides

    def build(self, shape: tuple[int | None, ...]) -> None:
        self.residual = keras.Sequential(
            [
                _convolution(self.filters, 3, self.strides),
                keras.layers.BatchNormalization(),
                keras.layers.ReLU(),
                _convolution(self.filters, 3, 1),
                keras.layers.BatchNormalization(),
            ]
        )
        self.residual.build(shape)
        self.shortcut = None
        if self.strides > 1 or shape[-1] != self.filters:
            self.shortcut = keras.Sequential(
                [
                    keras.layers.AveragePooling2D(self.strides, padding="same"),
                    _convolution(self.filters, 1, 1),
                    keras.layers.BatchNormalization(),
                ]
            )
            self.shortcut.build(shape)
        self.built = True

    def call(self, maps: Any, training: bool | None = None) -> Any:
        beside = self.shortcut(maps, training=training) if self.shortcut else maps
        return keras.ops.relu(self.residual(maps, training=training) + beside)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "filters": self.filters, "strides": self.strides}


class Pool(keras.layers.Layer):  # type: ignore[misc]
    """Statistics over the positions of a map (n, h, w, c): float32, shape (n, c x statistics)."""

    def __init__(self, statistics: Sequence[str], **arguments: Any) -> None:
        super().__init__(**{**arguments, "dtype": "float32"})
        self.statistics = statistics

    def call(self, maps: Any) -> Any:
        functions = {"mean": keras.ops.mean, "std": keras.ops.std, "max": keras.ops.max}
        found = [functions[name](maps, axis=(1, 2)) for name in self.statistics]
        return keras.ops.concatenate(found, axis=-1)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "statistics": self.statistics}


OWN = {layer.__name__: layer for layer in (HighPass, Residual, Pool)}
"""By name, as recipes and stored architectures call them."""


def _convolution(filters: int, size: int, strides: int) -> keras.layers.Layer:
    return keras.layers.Conv2D(filters, size, strides=strides, padding="same", use_bias=False)
