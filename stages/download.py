"""Sources of the chosen sets -> data/raw: each archive as published, and its record."""

from pathlib import Path

from realart.core import errors, paths, project
from realart.core.outputs import fresh_directory, write_json
from realart.data import raw, sources
from realart.data.archive import files
from realart.params import Dataset, load_params


def main() -> None:
    sets = load_params().sets
    with fresh_directory(paths.RAW) as beside:
        lines = [
            fetch(name, dataset, raw.folder(beside, name, sets)) for name, dataset in sets.items()
        ]
    print(*lines, sep="\n")


def fetch(name: str, dataset: Dataset, folder: Path) -> str:
    """Fetch the archive of a set into `folder` and write its record; return a line of summary."""
    folder.mkdir(exist_ok=True)
    downloads = project.private() / "downloads"
    existing = raw.existing_folder(paths.RAW, name)
    folders = sources.Folders(folder, project.root(), downloads, existing)
    record = sources.fetch(name, dataset, folders)
    write_json(record, folder / raw.RECORD)
    count = len(files(folder / raw.ARCHIVE, advice="run again"))
    return (
        f"download: {name}, {count} files, {int(str(record['bytes'])) / 1e6:.1f} MB, "
        f"sha256 {str(record['sha256'])[:12]}"
    )


if __name__ == "__main__":
    errors.run(main)
