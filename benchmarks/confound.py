"""Write a dataset in which the only difference between the classes is the JPEG quality.

All pictures are rendered by the same program; one class is saved as JPEG of quality 70, the other
of quality 90. A model that separates them has not used the content.

    python -m benchmarks.confound confound.zip
"""

import argparse
import io
from functools import partial
from pathlib import Path

from PIL import Image

from realart.core.parallel import map_parallel
from realart.data import archive
from realart.data.sample.finishing import draw_frame, random_generator, render

QUALITIES = {"human": 90, "ai": 70}


def picture(index: int, seed: int) -> tuple[str, bytes]:
    """Return the name and the bytes of a rendered painting."""
    rng = random_generator(seed, index)
    label = ("human", "ai")[index % 2]
    buffer = io.BytesIO()
    painted = Image.fromarray(render(draw_frame(rng), generated=False, rng=rng))
    painted.save(buffer, "JPEG", quality=QUALITIES[label])
    return f"{label}/{index:04d}.jpg", buffer.getvalue()


def plant(path: Path, pictures: int, seed: int = 7) -> None:
    """Write a zip of `pictures` paintings with the planted confound."""
    with archive.create_archive(path) as opened:
        for name, data in map_parallel(partial(picture, seed=seed), range(pictures), "render"):
            archive.add_bytes(opened, name, data)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("path", type=Path)
    parser.add_argument("--pictures", type=int, default=400)
    arguments = parser.parse_args()
    plant(arguments.path, arguments.pictures)
    print(f"{arguments.path}: {arguments.pictures} paintings, the class is the JPEG quality")


if __name__ == "__main__":
    main()
