"""Pictures, copies and ELA maps -> metrics/images/contact_sheets: some of each class."""

from collections.abc import Iterable
from pathlib import Path

from realart.core import errors, paths, tables
from realart.core.outputs import fresh_directory
from realart.data.contact_sheets import draw_sheet, evenly_spaced
from realart.features import ela

SHOWN = 10


def main() -> None:
    published = tables.read(paths.PICTURES, tables.PICTURES)
    rows = tables.read(paths.ROWS, tables.ROWS)
    rows["source"] = rows["picture"].map(published.set_index("id")["file"])
    dataset, copies, maps = {}, {}, {}
    for label, files in published.groupby("label")["file"]:
        dataset[f"{label}, {len(files)} pictures"] = below_data(evenly_spaced(list(files), SHOWN))
    for label, group in rows[rows["operation"] != ""].groupby("label"):
        shown = group.iloc[:: max(1, len(group) // SHOWN)]
        copies[f"{label}: sources"] = below_data(shown["source"])
        copies[f"{label}: copies, {len(group)} in all"] = below_data(shown["file"])
    for label, group in rows[rows["operation"] == ""].groupby("label"):
        shown = group.iloc[:: max(1, len(group) // SHOWN)]
        maps[f"{label}"] = below_data(shown["file"])
        maps[f"{label}: ELA"] = below_data(f"{ela.FOLDER}/{row}.png" for row in shown["row"])
    with fresh_directory(paths.CONTACT_SHEETS) as folder:
        draw_sheet(dataset, folder / "dataset.jpg")
        draw_sheet(copies or {"no copies were made": []}, folder / "copies.jpg")
        draw_sheet(maps, folder / "ela.jpg")
    print(f"contact_sheets: pictures, copies and ELA maps are drawn in {paths.CONTACT_SHEETS}")


def below_data(files: Iterable[str | Path]) -> list[Path]:
    """Return paths of files that are named relative to data/."""
    return [paths.DATA / file for file in files]


if __name__ == "__main__":
    errors.run(main)
