"""Pictures and copies -> data/ela: an error level map for every row."""

from functools import partial
from pathlib import Path

import numpy as np

from realart import contact, ela, errors, params, pictures, tables
from realart.outputs import fresh_directory
from realart.parallel import each
from realart.params import Ela

DATA = Path("data")
SHEET = Path("metrics/pictures/ela.jpg")


def main() -> None:
    knobs = params.load().ela
    rows = tables.read(DATA / "balanced/rows.csv", tables.ROWS)
    with fresh_directory(DATA / "ela") as folder:
        (folder / "maps").mkdir()
        work = partial(write_map, folder / "maps", knobs)
        items = rows[["row", "file"]].itertuples(index=False, name=None)
        means = list(each(work, list(items), "ela", "maps"))
    sheet = {}
    for label, of_class in rows[rows["operation"] == ""].groupby("label"):
        shown = of_class.iloc[:: max(1, len(of_class) // 10)]
        sheet[f"{label}"] = [DATA / file for file in shown["file"]]
        sheet[f"{label}: ELA"] = [DATA / ela.FOLDER / f"{row}.png" for row in shown["row"]]
    contact.sheet(sheet, SHEET)
    print(f"ela: {len(rows)} maps, mean level {sum(means) / len(means):.1f} of 255")


def write_map(folder: Path, knobs: Ela, item: tuple[str, str]) -> float:
    """Write the map of one row, without loss; return its mean level."""
    row, file = item
    level = ela.stored_map(pictures.read((DATA / file).read_bytes()), knobs)
    (folder / f"{row}.png").write_bytes(ela.encode(level))
    return float(np.asarray(level).mean())


if __name__ == "__main__":
    errors.run(main)
