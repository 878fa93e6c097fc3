"""Several squares of one picture: their mean feature vector depends less on one framing."""

import numpy as np
from PIL import Image

from realart.data.pictures import Pixels, square
from realart.params import Resample

STEPS = 1.2207440846057596 ** -np.arange(1, 4)
"""Steps of the sequence that fills a cube most evenly: powers of the root of x**4 = x + 1.

Roberts, "The Unreasonable Effectiveness of Quasirandom Sequences", 2018.
"""


def views(
    image: Image.Image, size: int, shape: str, count: int, resample: Resample = "bicubic"
) -> Pixels:
    """Make `count` squares of a picture: uint8, shape (count, size, size, 3).

    The first two are the whole picture (`pictures.square`), then come boxes with half to all of its
    area (`crop`: of its largest square), which are the same for every picture. Every second square
    is mirrored.
    """
    squares = []
    for number in range(count):
        box = image if number < 2 else _crop(image, shape, *(0.5 + number * STEPS) % 1)
        squares.append(square(box, size, shape, resample)[:, :: -1 if number % 2 else 1])
    return np.stack(squares)


def _crop(image: Image.Image, shape: str, area: float, right: float, down: float) -> Image.Image:
    width, height = (min(image.size),) * 2 if shape == "crop" else image.size
    scale = np.sqrt((1 + area) / 2)
    width, height = max(1, round(width * scale)), max(1, round(height * scale))
    left, top = round((image.width - width) * right), round((image.height - height) * down)
    return image.crop((left, top, left + width, top + height))
