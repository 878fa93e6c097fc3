"""data/raw -> data/clean: every file decoded once; pictures in canonical form, and what was left.

Files that are left out stand in a table with the reason against each.
"""

from realart.core import errors, paths, tables
from realart.core.outputs import fresh_directory
from realart.data import cleaning, raw
from realart.data.cleaning import PictureSet
from realart.params import load_params


def main() -> None:
    params = load_params()
    sets = [
        PictureSet(
            name, raw.folder(paths.RAW, name, params.sets) / raw.ARCHIVE, of.labels, of.fields
        )
        for name, of in params.sets.items()
    ]
    with fresh_directory(paths.CLEAN) as folder:
        (folder / "pictures").mkdir()
        kept, rejected, related = cleaning.clean_sets(sets, params.clean, folder / "pictures")
        tables.write(kept, folder / paths.PICTURES.name, tables.PICTURES)
        tables.write(rejected, folder / paths.REJECTED.name, tables.REJECTED)
        tables.write(related, folder / paths.RELATED.name, tables.RELATED)
    print(cleaning.summary(kept, rejected, related))


if __name__ == "__main__":
    errors.run(main)
