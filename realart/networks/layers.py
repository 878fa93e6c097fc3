"""Layers that Keras lacks; recipes name them as they name Keras's own."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from realart.networks.backend import keras

FILTERS = np.array(
    [
        [[0, 0, 0, 0, 0], [0, 0, 0, 0, 0], [0, 1, -2, 1, 0], [0, 0, 0, 0, 0], [0, 0, 0, 0, 0]],
        [[0, 0, 0, 0, 0], [0, -1, 2, -1, 0], [0, 2, -4, 2, 0], [0, -1, 2, -1, 0], [0, 0, 0, 0, 0]],
        [[-1, 2, -2, 2, -1], [2, -6, 8, -6, 2], [-2, 8, -12, 8, -2], [2, -6, 8, -6, 2],
         [-1, 2, -2, 2, -1]],
    ],
    np.float32,
)  # fmt: skip
"""Second-order differences along rows, and in squares of 3 and 5 pixels: shape (3, 5, 5)."""
STEPS = (2, 4, 12)
"""Quantisation step of each filter's residuals, in grey levels."""
LARGEST = 3.0
"""Quantised residuals are cut at this value either way."""
LAST = "channels_last"


class HighPass(keras.layers.Layer):  # type: ignore[misc]
    """Residuals of fixed high-pass filters: pixels (n, h, w, c), 0 to 1, to (n, h, w, 3 c).

    Each residual is divided by its filter's step and cut at 3 grey levels (Fridrich and Kodovsky,
    "Rich Models for Steganalysis of Digital Images", 2012; as the first layer of a network, Zhou et
    al., "Learning Rich Features for Image Manipulation Detection", 2018).
    """

    def call(self, pixels: Any) -> Any:
        channels = pixels.shape[-1]
        kernel = (FILTERS / np.array(STEPS)[:, None, None]).transpose(1, 2, 0)
        kernel = np.repeat(kernel[:, :, None], channels, axis=2).astype(np.float32)
        kernel = keras.ops.cast(kernel, pixels.dtype)
        residuals = keras.ops.depthwise_conv(pixels * 255, kernel, padding="same")
        return keras.ops.clip(residuals, -LARGEST, LARGEST) / LARGEST

    def compute_output_shape(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        assert shape[-1]
        return (*shape[:-1], len(FILTERS) * shape[-1])


class RandomResizedCrop(keras.layers.Layer):  # type: ignore[misc]
    """Crop at random in training, and resize: pixels (n, h, w, c) to (n, size, size, c), bilinear.

    A crop has at least the share `area` of the picture, and an aspect that differs from the
    picture's by a factor up to `ratio` either way (Szegedy et al., "Going Deeper with
    Convolutions", 2015); both are drawn uniformly, the aspect on a logarithmic scale. In inference
    the whole picture is resized.
    """

    def __init__(self, size: int, area: float = 0.35, ratio: float = 4 / 3, **arguments: Any):
        super().__init__(**arguments)
        self.size, self.area, self.ratio = size, area, ratio
        self.generator = keras.random.SeedGenerator()

    def build(self, shape: tuple[int | None, ...]) -> None:
        height, width = shape[1:3]
        assert height
        assert width
        if min(height, width) < self.size:
            raise ValueError(f"{width}x{height} px are too few for a crop of {self.size}")
        self.built = True

    def call(self, pixels: Any, training: bool | None = None) -> Any:
        pixels = keras.ops.cast(pixels, self.compute_dtype)
        if not training:
            return keras.ops.image.resize(pixels, (self.size, self.size), data_format=LAST)
        drawn = keras.random.uniform((4, keras.ops.shape(pixels)[0]), seed=self.generator)
        area = self.area + (1 - self.area) * drawn[0]
        ratio = keras.ops.exp((2 * drawn[1] - 1) * np.log(self.ratio))
        width = keras.ops.minimum(keras.ops.sqrt(area * ratio), 1) * pixels.shape[2]
        height = keras.ops.minimum(keras.ops.sqrt(area / ratio), 1) * pixels.shape[1]
        across, down = width / self.size, height / self.size
        left = drawn[2] * (pixels.shape[2] - width) + (across - 1) / 2
        top = drawn[3] * (pixels.shape[1] - height) + (down - 1) / 2
        zero = keras.ops.zeros_like(left)
        transforms = keras.ops.stack([across, zero, left, zero, down, top, zero, zero], axis=1)
        crops = keras.ops.image.affine_transform(
            pixels, transforms, fill_mode="nearest", data_format=LAST
        )
        return crops[:, : self.size, : self.size]

    def compute_output_shape(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return (shape[0], self.size, self.size, shape[-1])

    def get_config(self) -> dict[str, Any]:
        own = {"size": self.size, "area": self.area, "ratio": self.ratio}
        return {**super().get_config(), **own}


class Residual(keras.layers.Layer):  # type: ignore[misc]
    """Residual block of two 3x3 convolutions: (n, h, w, c) to (n, h / strides, ..., filters).

    He et al., "Deep Residual Learning for Image Recognition", 2016; where the shape changes the
    shortcut pools before its 1x1 convolution (ResNet-D, He et al., "Bag of Tricks for Image
    Classification with Convolutional Neural Networks", 2019). One that skips positions instead
    broke TensorFlow's memory in training (2.21 with oneDNN: "double free or corruption").
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
        shortcut = self.shortcut(maps, training=training) if self.shortcut else maps
        return keras.ops.relu(self.residual(maps, training=training) + shortcut)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "filters": self.filters, "strides": self.strides}


class Pool(keras.layers.Layer):  # type: ignore[misc]
    """Global pooling by statistics: maps (n, h, w, c) to float32 (n, c x statistics).

    `statistics` are of "mean", "std" and "max". The gradient of a deviation of 0 is 0.
    """

    def __init__(self, statistics: Sequence[str], **arguments: Any) -> None:
        super().__init__(**{**arguments, "dtype": "float32"})
        self.statistics = statistics

    def call(self, maps: Any) -> Any:
        functions = {"mean": keras.ops.mean, "std": _deviation, "max": keras.ops.max}
        pooled = [functions[name](maps, axis=(1, 2)) for name in self.statistics]
        return keras.ops.concatenate(pooled, axis=-1)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "statistics": self.statistics}


OWN = {layer.__name__: layer for layer in (HighPass, RandomResizedCrop, Residual, Pool)}
"""Layers by their names in recipes and stored architectures."""


def _deviation(maps: Any, axis: tuple[int, ...]) -> Any:
    """Compute standard deviations; `keras.ops.std` has the gradient NaN where one is 0."""
    variance = keras.ops.var(maps, axis=axis)
    varies = variance > 0
    # The root of 0 must not even be computed: its infinite derivative times 0 is NaN.
    return keras.ops.where(varies, keras.ops.sqrt(keras.ops.where(varies, variance, 1)), 0)


def _convolution(filters: int, size: int, strides: int) -> keras.layers.Layer:
    return keras.layers.Conv2D(filters, size, strides=strides, padding="same", use_bias=False)
