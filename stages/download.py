"""The sources of the chosen datasets -> data/raw: each archive as published, and its record."""

from pathlib import Path

from realart import errors, params, project, raw, sources
from realart.archive import files
from realart.outputs import fresh_directory, write_json
from realart.params import Dataset
from realart.raw import RAW


def main() -> None:
    sets = params.load().sets
    with fresh_directory(RAW) as beside:
        said = [fetch(name, one, raw.folder(beside, name, sets)) for name, one in sets.items()]
    print(*said, sep="\n")


def fetch(name: str, data: Dataset, folder: Path) -> str:
    """Put a set's archive and record into `folder`; say what it is."""
    columns = sources.Columns(data.columns.image, data.columns.label)
    origin = sources.Origin(name, data.source, data.path, data.sha256, data.licence, columns)
    folder.mkdir(exist_ok=True)
    downloads = project.private() / "downloads"
    record = sources.fetch(origin, folder, project.root(), downloads, held=raw.held(RAW, name))
    write_json(record, folder / raw.RECORD)
    count = len(files(folder / raw.ARCHIVE, advice="run again"))
    return (
        f"download: {name}, {count} files, {int(str(record['bytes'])) / 1e6:.1f} MB, "
        f"sha256 {str(record['sha256'])[:12]}"
    )


if __name__ == "__main__":
    errors.run(main)
