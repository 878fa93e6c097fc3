"""data/raw -> data/clean: pictures in canonical form, and tables of kept and rejected files.

Every file is decoded once; a rejected one is listed with its reason.
"""

from realart.core import errors, paths, tables
from realart.core.outputs import fresh_directory
from realart.data import cleaning, raw
from realart.data.tabulation import PictureSet
from realart.params import load_params


def main() -> None:
    params = load_params()
    sets = [
        PictureSet(
            name,
            raw.folder(paths.RAW, name, params.sets) / raw.ARCHIVE,
            dataset.labels,
            dataset.fields,
        )
        for name, dataset in params.sets.items()
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
