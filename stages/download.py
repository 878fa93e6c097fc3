"""The source of datasets.<dataset> -> data/raw: the archive as published, and its record."""

from pathlib import Path

from realart import errors, params, project, sources
from realart.archive import files
from realart.outputs import fresh_directory, write_json

RAW = Path("data/raw")


def main() -> None:
    knobs = params.load()
    data = knobs.data
    columns = sources.Columns(data.columns.image, data.columns.label)
    origin = sources.Origin(
        knobs.dataset, data.source, data.path, data.sha256, data.licence, columns
    )
    with fresh_directory(RAW) as folder:
        downloads = project.private() / "downloads"
        record = sources.fetch(origin, folder, project.root(), downloads, held=RAW)
        write_json(record, folder / "source.json")
        count = len(files(folder / "archive.zip", advice="run again"))
    print(
        f"download: {knobs.dataset}, {count} files, {int(str(record['bytes'])) / 1e6:.1f} MB, "
        f"sha256 {str(record['sha256'])[:12]}"
    )


if __name__ == "__main__":
    errors.run(main)
