"""Published files and their split -> data/balanced: a table of all rows, and augmented copies."""

from realart.core import errors, paths, tables
from realart.core.outputs import fresh_directory
from realart.data import augmentation, balancing, pictures, raw
from realart.params import load_params


def main() -> None:
    params = load_params()
    published = tables.read(paths.PICTURES, tables.PICTURES)
    split = tables.read(paths.SPLIT, tables.SPLIT)
    rows = balancing.plan(published, split, params.balance, pictures.suffix(params.clean))
    files = published[["id", "path", "bytes"]]
    copies = rows[rows["operation"] != ""].merge(files, left_on="picture", right_on="id")
    with fresh_directory(paths.BALANCED) as folder:
        (folder / "pictures").mkdir()
        archives = raw.archives(paths.RAW)
        augmentation.write_copies(copies, archives, folder / "pictures", params.clean)
        tables.write(rows, folder / paths.ROWS.name, tables.ROWS)
    fit = rows[rows["fit"]]["label"].value_counts()
    counts = ", ".join(f"{count} {label}" for label, count in fit.items())
    print(f"balance: {len(copies)} copies ({params.balance.method}); to fit on: {counts}")


if __name__ == "__main__":
    errors.run(main)
