"""One picture as several squares: what is said of them on average depends less on one framing."""

import numpy as np
from PIL import Image

from realart.data.pictures import Pixels, square
from realart.params import Resample

STEPS = 1.2207440846057596 ** -np.arange(1, 4)
"""Of the sequence that fills a cube most evenly (Roberts, 2018, "The Unreasonable Effectiveness of
Quasirandom Sequences"): powers of the root of x**4 = x + 1."""


def views(
    image: Image.Image, size: int, shape: str, count: int, resample: Resample = "bicubic"
) -> Pixels:
    """Return a picture as squares: uint8, shape (count, size, size, 3).

    First all of it, as `pictures.square` shows it, then boxes with half to all of its area (`crop`:
    of its largest square), which are the same for every picture; every second one is mirrored.
    """
    squares = []
    for number in range(count):
        shown = image if number < 2 else _part(image, shape, *(0.5 + number * STEPS) % 1)
        squares.append(square(shown, size, shape, resample)[:, :: -1 if number % 2 else 1])
    return np.stack(squares)


def _part(image: Image.Image, shape: str, area: float, right: float, down: float) -> Image.Image:
    width, height = (min(image.size),) * 2 if shape == "crop" else image.size
    scale = np.sqrt((1 + area) / 2)
    width, height = max(1, round(width * scale)), max(1, round(height * scale))
    left, top = round((image.width - width) * right), round((image.height - height) * down)
    return image.crop((left, top, left + width, top + height))
