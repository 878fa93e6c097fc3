"""data/clean/pictures.csv -> data/split.csv: test part, folds and slices, by group."""

from pathlib import Path

from realart import errors, params, splits, tables


def main() -> None:
    split = params.load().split
    pictures = tables.read(Path("data/clean/pictures.csv"), tables.PICTURES)
    assigned = splits.assign(pictures, split)
    tables.write(assigned, Path("data/split.csv"), tables.SPLIT)
    parts = assigned["part"].value_counts()
    sets = f", then {pictures['set'].nunique()} that hold out a set" * (split.method == "sets")
    print(
        f"split: {', '.join(f'{count} {part}' for part, count in parts.items())}; "
        f"{split.folds} folds x {split.slices} slices{sets}, {pictures['group'].nunique()} groups"
    )


if __name__ == "__main__":
    errors.run(main)
