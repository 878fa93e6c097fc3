"""data/clean/pictures.csv -> data/split.csv: test part, folds and slices, by group."""

from realart.core import errors, paths, tables
from realart.data import splits
from realart.params import load_params


def main() -> None:
    split = load_params().split
    pictures = tables.read(paths.PICTURES, tables.PICTURES)
    assigned = splits.assign(pictures, split)
    tables.write(assigned, paths.SPLIT, tables.SPLIT)
    parts = ", ".join(f"{count} {part}" for part, count in assigned["part"].value_counts().items())
    sets = f", then {pictures['set'].nunique()} that hold out a set" * (split.method == "sets")
    print(
        f"split: {parts}; {split.folds} folds x {split.slices} slices{sets}, "
        f"{pictures['group'].nunique()} groups"
    )


if __name__ == "__main__":
    errors.run(main)
