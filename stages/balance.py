"""Pictures and their split -> data/balanced: rows.csv, and the augmented copies it names."""

from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from realart import balancing, contact, errors, params, pictures, tables
from realart.outputs import fresh_directory
from realart.parallel import each
from realart.params import Clean

DATA = Path("data")
SHEET = Path("metrics/pictures/copies.jpg")


def main() -> None:
    knobs = params.load()
    published = tables.read(DATA / "clean/pictures.csv", tables.PICTURES)
    split = tables.read(DATA / "split.csv", tables.SPLIT)
    rows = balancing.plan(published, split, knobs.balance, pictures.suffix(knobs.clean))
    copies = rows[rows["operation"] != ""].merge(
        published[["id", "file"]], left_on="picture", right_on="id", suffixes=("", "_source")
    )
    with fresh_directory(DATA / "balanced") as folder:
        (folder / "pictures").mkdir()
        work = partial(write_copy, folder / "pictures", knobs.clean)
        items = copies[["file_source", "operation", "file"]].itertuples(index=False, name=None)
        for _ in each(work, list(items), "balance", "copies"):
            pass
        tables.write(rows, folder / "rows.csv", tables.ROWS)
    draw_sheet(copies)
    fit = rows[rows["fit"]]["label"].value_counts()
    print(
        f"balance: {len(copies)} copies ({knobs.balance.method}); to fit on: "
        + ", ".join(f"{count} {label}" for label, count in fit.items())
    )


def write_copy(folder: Path, clean: Clean, item: tuple[str, str, str]) -> None:
    """Write one augmented copy, encoded as every stored picture is."""
    source, operation, file = item
    pixels = np.asarray(pictures.read((DATA / source).read_bytes()))
    copy = balancing.augment(pixels, balancing.Operation.parse(operation))
    (folder / Path(file).name).write_bytes(pictures.encode(Image.fromarray(copy), clean))


def draw_sheet(copies: pd.DataFrame) -> None:
    """Show sources above their copies, per class."""
    sheet = {}
    for label, of_class in copies.groupby("label"):
        shown = of_class.iloc[:: max(1, len(of_class) // 10)]
        sheet[f"{label}: sources"] = [DATA / file for file in shown["file_source"]]
        sheet[f"{label}: copies, {len(of_class)} in all"] = [DATA / file for file in shown["file"]]
    contact.sheet(sheet or {"no copies were made": []}, SHEET)


if __name__ == "__main__":
    errors.run(main)
