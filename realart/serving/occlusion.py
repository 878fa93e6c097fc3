"""Occlusion: what a model would say of a picture without one of its parts.

Zeiler and Fergus, "Visualizing and Understanding Convolutional Networks", 2014, hide parts behind a
grey square. To who measures traces, grey and blur are traces themselves, and no pictures that it
has learnt from have them: parts are replaced by what might have been there (Zintgraf et al.,
"Visualizing Deep Neural Network Decisions: Prediction Difference Analysis", 2017), which is here
another part of the same picture.
"""

from itertools import product

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.special import logit

from realart.features import preprocessing
from realart.features.preprocessing import ModelInput
from realart.models.trained_model import TrainedModel

LOOKS = 64
"""About so many parts are replaced, one after the other."""
SUREST = np.finfo(np.float64).eps


def heat(image: Image.Image, model: TrainedModel) -> NDArray[np.float32]:
    """Return by how much the parts of a canonical picture raise the log-odds of ai.

    Float32 of shape (h, w); each place has the mean over the parts that it lies in. Each part is
    replaced by what lies half a picture further, across and down: a picture that is everywhere
    alike has no part that speaks for anything.
    """
    rows = min(LOOKS, max(1, round(np.sqrt(LOOKS * image.height / image.width))))
    columns = round(LOOKS / rows)
    down, across = _windows(rows, image.height), _windows(columns, image.width)
    top, left = image.height // 2, image.width // 2
    beyond = np.pad(np.asarray(image), ((top, top), (left, left), (0, 0)), "symmetric")

    def look(part: tuple[int, int] | None) -> ModelInput:
        if part is None:
            return preprocessing.from_canonical(image, model.input)
        row, column = part
        y = 2 * top if 2 * row < rows else 0
        x = 2 * left if 2 * column < columns else 0
        other = beyond[y : y + image.height, x : x + image.width]
        window = np.rint(255 * np.outer(down[row], across[column])).astype(np.uint8)
        without = Image.composite(Image.fromarray(other), image, Image.fromarray(window))
        return preprocessing.from_canonical(without, model.input)

    parts = list(product(range(rows), range(columns)))
    scores = np.concatenate(
        [model.scores(*preprocessing.stack([look(part)])) for part in [None, *parts]]
    )
    odds = logit(np.clip(scores, SUREST, 1 - SUREST))
    change = (odds[0] - odds[1:]).reshape(rows, columns)
    total = down.T @ change @ across
    return (total / np.outer(down.sum(0), across.sum(0))).astype(np.float32)


def _windows(count: int, length: int) -> NDArray[np.float64]:
    """Return Hann windows, evenly spaced, each four spaces wide: shape (count, length)."""
    place = (np.arange(length) + 0.5) * count / length - 0.5
    distance = np.clip(place, 0, count - 1) - np.arange(count)[:, None]
    return np.cos(np.pi / 2 * np.clip(distance / 2, -1, 1)) ** 2
