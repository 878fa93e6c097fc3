"""The source of datasets.<dataset> -> data/raw: the archive as published, and its record."""

from pathlib import Path

from realart import errors, params, project, sources
from realart.archive import members
from realart.outputs import fresh_directory, write_json


def main() -> None:
    knobs = params.load()
    data = knobs.data
    origin = sources.Origin(knobs.dataset, data.source, data.path, data.sha256, data.licence)
    with fresh_directory(Path("data/raw")) as folder:
        record = sources.fetch(origin, folder, project.root(), project.private() / "downloads")
        write_json(record, folder / "source.json")
        files = len(members(folder / "archive.zip"))
    print(
        f"download: {knobs.dataset}, {files} files, {int(str(record['bytes'])) / 1e6:.1f} MB, "
        f"sha256 {str(record['sha256'])[:12]}"
    )


if __name__ == "__main__":
    errors.run(main)
