"""The cost of each family of measurements: milliseconds of a core for a picture of 512 x 512.

    python -m benchmarks.forensic [PICTURE]

Without PICTURE, a picture of the embedded sample is rendered. Medians of repeated calls; the second
column is relative to decoding the same picture's JPEG, which any use of it starts with.
"""

import argparse
import time
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from realart.data import decoding
from realart.data.sample.finishing import draw_frame, random_generator, render
from realart.features.forensic import FAMILIES

REPEATS = 15
SIDE = 512


def milliseconds(function: Callable[[], object]) -> float:
    """Return the median processor time of a call."""
    function()
    times = []
    for _ in range(REPEATS):
        start = time.process_time()
        function()
        times.append(time.process_time() - start)
    return 1000 * float(np.median(times))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("picture", type=Path, nargs="?")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    if arguments.picture:
        image = decoding.read(arguments.picture.read_bytes())
    else:
        generator = random_generator(0, 0)
        image = Image.fromarray(render(draw_frame(generator), generated=False, rng=generator))
    image = image.resize((SIDE, SIDE), Image.Resampling.LANCZOS)
    buffer = BytesIO()
    image.save(buffer, "JPEG", quality=90)
    decode = milliseconds(lambda: np.asarray(decoding.read(buffer.getvalue())))
    pixels = np.asarray(image)
    print("| family | numbers | ms | / decoding |\n| --- | --- | --- | --- |")
    total = 0.0
    for name, family in FAMILIES.items():
        cost = milliseconds(lambda family=family: family.measure(pixels))
        total += cost
        print(f"| {name} | {family.size} | {cost:.1f} | {cost / decode:.1f} |")
    print(f"| all | | {total:.1f} | {total / decode:.1f} |")


if __name__ == "__main__":
    main()
