"""data/raw -> data/clean: every file decoded once; canonical pictures, and why others were left."""

from collections import Counter
from pathlib import Path

import pandas as pd

from realart import cleaning, contact, errors, params, raw, tables
from realart.cleaning import PictureSet
from realart.outputs import fresh_directory

DATA = Path("data")
SHEET = Path("metrics/pictures/dataset.jpg")


def main() -> None:
    knobs = params.load()
    sets = [
        PictureSet(name, raw.folder(raw.RAW, name, knobs.sets) / raw.ARCHIVE, of.labels, of.fields)
        for name, of in knobs.sets.items()
    ]
    with fresh_directory(DATA / "clean") as folder:
        (folder / "pictures").mkdir()
        kept, rejected, related = cleaning.clean_sets(sets, knobs.clean, folder / "pictures")
        tables.write(kept, folder / "pictures.csv", tables.PICTURES)
        tables.write(rejected, folder / "rejected.csv", tables.REJECTED)
        tables.write(related, folder / "related.csv", tables.RELATED)
    by_label = {
        f"{name}, {len(files)} pictures": contact.spread([DATA / file for file in files])
        for name, files in kept.groupby("label")["file"]
    }
    contact.sheet(by_label, SHEET)
    for name in knobs.sets if len(knobs.sets) > 1 else ():
        print(f"{name}: {counts(*(table[table['set'] == name] for table in (kept, rejected)))}")
    print(f"clean: {counts(kept, rejected)}")
    if len(knobs.sets) > 1:
        print(f"across sets: {across(rejected, related)}")


def counts(kept: pd.DataFrame, rejected: pd.DataFrame) -> str:
    """Say how many files were kept, of each class, and how many not, for each reason."""
    return (
        f"{len(kept) + len(rejected)} files = {len(kept)} kept "
        f"({', '.join(f'{n} {label}' for label, n in kept['label'].value_counts().items())}) "
        f"+ {len(rejected)} rejected ({reasons(rejected)})"
    )


def across(rejected: pd.DataFrame, related: pd.DataFrame) -> str:
    """Say what pictures of different sets have in common."""
    twins = rejected[(rejected["twin_set"] != "") & (rejected["twin_set"] != rejected["set"])]
    pairs = int((related["set_a"] != related["set_b"]).sum())
    return f"{reasons(twins)} of the rejected; {pairs} pairs show nearly the same"


def reasons(rejected: pd.DataFrame) -> str:
    """Say how many files were rejected for each reason."""
    counted = Counter(rejected["reason"]).items()
    return ", ".join(f"{count} {reason}" for reason, count in counted) or "none"


if __name__ == "__main__":
    errors.run(main)
