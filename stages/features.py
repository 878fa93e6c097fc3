"""Pictures, copies or ELA maps -> data/features: what the chosen recipe is trained on, a row each.

That is pixels or, where the recipe's backbone is frozen, what the frozen part says of them.
"""

from collections.abc import Iterable
from functools import partial
from pathlib import Path

import numpy as np

from realart import errors, inputs, params, tables
from realart.outputs import array_file, fresh_directory, write_json
from realart.parallel import batches
from realart.params import Params
from realart.pictures import Pixels

DATA = Path("data")
BATCH = 32


def main() -> None:
    knobs = params.load()
    seen = inputs.spec(knobs)
    rows = tables.read(DATA / "balanced/rows.csv", tables.ROWS)
    files = inputs.files(rows, DATA, seen)
    work = partial(inputs.from_stored, seen=seen)
    pixels = (np.stack(batch) for batch in batches(work, files, BATCH, "features", "row"))
    with fresh_directory(DATA / "features") as folder:
        write_json(seen.model_dump(), folder / "input.json")
        said = frozen_rows(knobs, pixels, len(rows), folder) if knobs.recipe.backbone else ""
        if not list(folder.glob("*.npy")):
            shape = (len(rows), seen.size, seen.size, 3)
            with array_file(folder / "pixels.npy", "uint8", shape) as write:
                for batch in pixels:
                    write(batch)
    print(
        f"features: {len(rows)} rows of {seen.size}x{seen.size} px, "
        f"{'ELA' if seen.ela else 'RGB'}{said}"
    )


def frozen_rows(knobs: Params, pixels: Iterable[Pixels], count: int, folder: Path) -> str:
    """Keep the recipe's backbone; write what its frozen part says of all rows, if that fits.

    Returns what was done, in words.
    """
    from realart import frozen  # Keras takes seconds to import: only where it is needed

    recipe = knobs.recipe
    assert recipe.backbone
    name = recipe.backbone.name
    backbone = frozen.keep_backbone(recipe.backbone, recipe.size, knobs.train, folder)
    front = frozen.front(recipe, backbone)
    if not front:
        return f"; nothing of {name} is frozen: trains from pixels"
    size, budget = frozen.gigabytes(front, count), knobs.features.gigabytes
    if size > budget:
        return (
            f"; the frozen part of {name} would say {size:.2g} GB, features.gigabytes is "
            f"{budget:g}: trains from pixels"
        )
    frozen.compute(front, pixels, count, folder)
    return f"; the frozen part of {name} computed once, {size:.2g} GB"


if __name__ == "__main__":
    errors.run(main)
