"""Pictures, copies or ELA maps -> data/features: what the chosen recipe sees of every row, once."""

from functools import partial
from pathlib import Path

import numpy as np

from realart import errors, inputs, params, tables
from realart.outputs import fresh_directory, write_json
from realart.parallel import each

DATA = Path("data")


def main() -> None:
    seen = inputs.spec(params.load())
    rows = tables.read(DATA / "balanced/rows.csv", tables.ROWS)
    with fresh_directory(DATA / "features") as folder:
        write_json(seen.model_dump(), folder / "input.json")
        files = inputs.files(rows, DATA, seen)
        work = partial(inputs.from_stored, seen=seen)
        with (folder / "pixels.npy").open("wb") as file:
            shape = (len(files), seen.size, seen.size, 3)
            # Written, not mapped: on a full disk, a write into a mapped file kills the process.
            np.lib.format.write_array_header_1_0(
                file, {"descr": "|u1", "fortran_order": False, "shape": shape}
            )
            for pixels in each(work, files, "features", "row", threads=True):
                file.write(pixels.tobytes())
    print(
        f"features: {len(rows)} rows of {seen.size}x{seen.size} px, {'ELA' if seen.ela else 'RGB'}"
    )


if __name__ == "__main__":
    errors.run(main)
