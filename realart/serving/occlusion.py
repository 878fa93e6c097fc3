"""Occlusion: how the score changes when a part of a picture is replaced.

Zeiler and Fergus, "Visualizing and Understanding Convolutional Networks", 2014, cover parts with a
grey square. A model that measures traces takes grey and blur for traces, and has seen neither in
training. Parts are therefore replaced by plausible content (Zintgraf et al., "Visualizing Deep
Neural Network Decisions: Prediction Difference Analysis", 2017): another part of the same picture.
"""

from collections.abc import Iterator
from itertools import product

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.special import logit

from realart.features import preprocessing
from realart.models.trained_model import TrainedModel

PARTS = 64
"""About how many parts are replaced, one at a time."""
CLIP = np.finfo(np.float64).eps
"""Scores are clipped this far from 0 and 1: their log-odds are finite."""


def heat(image: Image.Image, model: TrainedModel) -> NDArray[np.float32]:
    """Compute by how much each place of a picture raises the log-odds of ai.

    About `PARTS` overlapping parts are replaced, one at a time, by what lies half a picture further
    across and down, and each picture is scored. A picture that looks the same everywhere has a heat
    map of zeros.

    Parameters
    ----------
    image
        An RGB picture in canonical form, as `preprocessing.canonical` returns it.
    model
        Of any kind.

    Returns
    -------
    ndarray
        float32, shape (height, width): the mean over the parts that cover a place, weighted by
        their windows; above 0 for ai.
    """
    rows = min(PARTS, max(1, round(np.sqrt(PARTS * image.height / image.width))))
    columns = round(PARTS / rows)
    down, across = _windows(rows, image.height), _windows(columns, image.width)
    scores = [_score(image, model)]
    scores += [_score(picture, model) for picture in _replaced_parts(image, down, across)]
    log_odds = logit(np.clip(np.concatenate(scores), CLIP, 1 - CLIP))
    change = (log_odds[0] - log_odds[1:]).reshape(rows, columns)
    total = down.T @ change @ across
    return (total / np.outer(down.sum(0), across.sum(0))).astype(np.float32)


def _replaced_parts(
    image: Image.Image, down: NDArray[np.float64], across: NDArray[np.float64]
) -> Iterator[Image.Image]:
    """Yield a picture with one part replaced, for each window down and across, row by row."""
    rows, columns = len(down), len(across)
    top, left = image.height // 2, image.width // 2
    mirrored = np.pad(np.asarray(image), ((top, top), (left, left), (0, 0)), "symmetric")
    for row, column in product(range(rows), range(columns)):
        y = 2 * top if 2 * row < rows else 0
        x = 2 * left if 2 * column < columns else 0
        shifted = Image.fromarray(mirrored[y : y + image.height, x : x + image.width])
        mask = np.rint(255 * np.outer(down[row], across[column])).astype(np.uint8)
        yield Image.composite(shifted, image, Image.fromarray(mask))


def _score(image: Image.Image, model: TrainedModel) -> NDArray[np.float64]:
    """Return the probability of ai for a canonical picture; shape (1,)."""
    model_input = preprocessing.from_canonical(image, model.input)
    return model.scores(*preprocessing.stack([model_input]))


def _windows(count: int, length: int) -> NDArray[np.float64]:
    """Return Hann windows, evenly spaced, each four spaces wide: shape (count, length)."""
    place = (np.arange(length) + 0.5) * count / length - 0.5
    distance = np.clip(place, 0, count - 1) - np.arange(count)[:, None]
    return np.cos(np.pi / 2 * np.clip(distance / 2, -1, 1)) ** 2
