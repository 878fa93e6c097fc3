"""Pictures, copies or ELA maps -> data/features: what the chosen recipe sees of every row, once."""

from functools import partial
from pathlib import Path

import numpy as np

from realart import errors, inputs, params, tables
from realart.inputs import Input
from realart.outputs import fresh_directory, write_json
from realart.parallel import each

DATA = Path("data")


def main() -> None:
    seen = inputs.spec(params.load())
    rows = tables.read(DATA / "balanced/rows.csv", tables.ROWS)
    with fresh_directory(DATA / "features") as folder:
        write_json(seen.model_dump(), folder / "input.json")
        pixels = np.lib.format.open_memmap(
            folder / "pixels.npy", "w+", np.uint8, (len(rows), seen.size, seen.size, 3)
        )
        items = list(enumerate(inputs.files(rows, DATA, seen)))
        for _ in each(partial(fill, pixels, seen), items, "features", "row", threads=True):
            pass
        pixels.flush()
    print(
        f"features: {len(rows)} rows of {seen.size}x{seen.size} px, {'ELA' if seen.ela else 'RGB'}"
    )


def fill(pixels: np.ndarray, seen: Input, item: tuple[int, Path]) -> None:
    """Write what the network sees of one file into its row of `pixels`."""
    position, file = item
    pixels[position] = inputs.from_stored(file, seen)


if __name__ == "__main__":
    errors.run(main)
