"""The final model on test pictures that were changed -> metrics/robustness: a table and curves."""

from pathlib import Path

import pandas as pd

from realart import errors, models, plots, raw, robustness, tables
from realart.outputs import fresh_directory

PICTURES = Path("data/clean/pictures.csv")
ROWS = Path("data/balanced/rows.csv")
FINAL = Path("models/final")
FOLDER = Path("metrics/robustness")


def main() -> None:
    rows = tables.read(ROWS, tables.ROWS).set_index("row")
    pictures = tables.read(PICTURES, tables.PICTURES).set_index("id", drop=False)
    pictures.index.name = None
    test = pictures.loc[rows.index[rows["part"] == "test"]]
    table = robustness.table(raw.archives(raw.RAW), test, rows["group"], models.Final(FINAL))
    with fresh_directory(FOLDER) as folder:
        tables.write(table, folder / "table.csv", robustness.COLUMNS)
        plots.draw_robustness(table, folder / "curves.png")
    print(summary(table))


def summary(table: pd.DataFrame) -> str:
    """Say how good the model is on unchanged pictures, and what harms it most."""
    by_change = table[table["point"] == "balanced"].sort_values("auc")
    untouched = by_change[by_change["change"] == "none"].iloc[0]
    worst = ", ".join(
        f"{row.change} {row.strength:g} {row.auc:.3f}" for row in by_change.head(3).itertuples()
    )
    return (
        f"robustness: auc {untouched['auc']:.3f} on {untouched['pictures']} test pictures as they "
        f"are; lowest: {worst}"
    )


if __name__ == "__main__":
    errors.run(main)
