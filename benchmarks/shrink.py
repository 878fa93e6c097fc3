"""How far a picture must be downscaled to lose the traces of its published JPEG quality.

The pictures of a zip are saved as JPEG 70 or 90 in turns, downscaled by a factor, and saved in
canonical form. Prints the AUC of predicting the quality from block-DCT statistics of the result.

    python -m benchmarks.shrink ZIP [FOLDER]
"""

import argparse
import io
from functools import partial
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pandas as pd
from PIL import Image

from realart.core.parallel import map_parallel
from realart.data import decoding, pictures
from realart.features import pixel_statistics
from realart.metrics import baselines
from realart.params import Clean, load_params

QUALITIES = (90, 70)
FACTORS = (1.0, 0.95, 0.9, 0.8, 0.75, 0.7, 0.6, 0.5, 0.4)
SMALLEST = 150
FIRST = 0.75
"""Pictures are downscaled by this factor first, to remove the traces of their own JPEG encoding."""


def read(archive: ZipFile, folder: str, clean: Clean) -> list[Image.Image]:
    """Return the usable pictures of a folder."""
    usable = []
    for name in archive.namelist():
        if name.startswith(folder) and not name.endswith("/"):
            try:
                image, _ = decoding.decode(archive.read(name), clean.max_pixels)
            except decoding.UnusableFileError:
                continue
            image = pictures.limit_size(image, int(FIRST * max(image.size)))
            if min(image.size) >= SMALLEST:
                usable.append(image)
    return usable


def texture(clean: Clean, item: tuple[int, Image.Image]) -> pixel_statistics.Vector:
    """Save a picture as JPEG, then in canonical form, and compute its block-DCT statistics."""
    index, image = item
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=QUALITIES[index % 2])
    stored = pictures.canonical(decoding.read(buffer.getvalue()), clean)
    return pixel_statistics.measure(decoding.read(stored))["texture"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("zip", type=Path)
    parser.add_argument("folder", nargs="?", default="", help="of the zip, all of it by default")
    arguments = parser.parse_args()
    unbounded = load_params().clean.model_copy(update={"long_side": 100_000})
    with ZipFile(arguments.zip) as archive:
        items = list(enumerate(read(archive, arguments.folder, unbounded)))
    labels = np.arange(len(items)) % 2
    folds = pd.DataFrame({"fold": np.arange(len(items)) // 2 % 4, "group": np.arange(len(items))})
    print(
        f"{len(items)} pictures, AUC [95 %]\n\n| shrunk by | logistic | boosting |\n|---|---|---|"
    )
    for factor in FACTORS:
        clean = unbounded.model_copy(update={"shrink": factor})
        table = pd.DataFrame(
            np.stack(list(map_parallel(partial(texture, clean), items, f"{factor}")))
        )
        table = table.add_prefix("x")
        results = [
            baselines.cross_validate(name, table, labels, folds) for name in baselines.CLASSIFIERS
        ]
        print(f"| {factor} | {results[0].auc} | {results[1].auc} |", flush=True)


if __name__ == "__main__":
    main()
