"""Archive, pictures and their split -> data/balanced: rows.csv, and the copies that it names."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path

import pandas as pd

from realart import archive, balancing, contact, errors, params, pictures, raw, tables
from realart.archive import Member
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
        published[["id", "file", "path", "bytes"]],
        left_on="picture",
        right_on="id",
        suffixes=("", "_source"),
    )
    with fresh_directory(DATA / "balanced") as folder:
        (folder / "pictures").mkdir()
        write_copies(copies, raw.archives(raw.RAW), folder / "pictures", knobs.clean)
        tables.write(rows, folder / "rows.csv", tables.ROWS)
    draw_sheet(copies)
    fit = rows[rows["fit"]]["label"].value_counts()
    print(
        f"balance: {len(copies)} copies ({knobs.balance.method}); to fit on: "
        + ", ".join(f"{count} {label}" for label, count in fit.items())
    )


def write_copies(
    copies: pd.DataFrame, archives: Mapping[str, Path], folder: Path, clean: Clean
) -> None:
    """Write every augmented copy, made from its source as published."""
    files = [folder / Path(file).name for file in copies["file"]]
    items = list(zip(raw.members(copies, archives), copies["operation"], files, strict=True))
    for _ in each(partial(write_copy, clean), items, "balance", "copies"):
        pass


def write_copy(clean: Clean, item: tuple[Member, str, Path]) -> None:
    """Write one augmented copy, in the same form as its source."""
    member, operation, file = item
    image, _ = pictures.decode(archive.read(*member), clean.max_pixels)
    copy = balancing.copy(image, balancing.Operation.parse(operation))
    file.write_bytes(pictures.canonical(copy, clean))


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
