"""data/raw -> data/clean: every file decoded once; canonical pictures, and why others were left."""

from collections import Counter
from pathlib import Path

from realart import cleaning, contact, errors, params, tables
from realart.outputs import fresh_directory

DATA = Path("data")
SHEET = Path("metrics/pictures/dataset.jpg")


def main() -> None:
    knobs = params.load()
    data = knobs.data
    with fresh_directory(DATA / "clean") as folder:
        (folder / "pictures").mkdir()
        kept, rejected, related = cleaning.clean(
            DATA / "raw/archive.zip",
            data.labels,
            data.fields,
            knobs.clean,
            folder / "pictures",
            knobs.dataset,
        )
        tables.write(kept, folder / "pictures.csv", tables.PICTURES)
        tables.write(rejected, folder / "rejected.csv", tables.REJECTED)
        tables.write(related, folder / "related.csv", tables.RELATED)
    by_label = {
        f"{name}, {len(files)} pictures": contact.spread([DATA / file for file in files])
        for name, files in kept.groupby("label")["file"]
    }
    contact.sheet(by_label, SHEET)
    why = ", ".join(f"{count} {reason}" for reason, count in Counter(rejected["reason"]).items())
    print(
        f"clean: {len(kept) + len(rejected)} files = {len(kept)} kept "
        f"({', '.join(f'{n} {label}' for label, n in kept['label'].value_counts().items())}) "
        f"+ {len(rejected)} rejected ({why or 'none'})"
    )


if __name__ == "__main__":
    errors.run(main)
