"""Pictures and copies -> data/ela: an error level map of every row."""

import numpy as np

from realart.core import errors, paths, tables
from realart.core.outputs import fresh_directory
from realart.features import ela
from realart.params import load_params


def main() -> None:
    params = load_params()
    rows = tables.read(paths.ROWS, tables.ROWS)
    with fresh_directory(paths.ELA) as folder:
        (folder / "maps").mkdir()
        levels = ela.write_maps(rows, paths.DATA, folder / "maps", params.ela)
    print(f"ela: {len(rows)} maps, mean level {np.mean(levels):.1f} of 255")


if __name__ == "__main__":
    errors.run(main)
