"""What `clean` answers to bad and odd files, as a table: `python -m benchmarks.faults`."""

import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from benchmarks.bad_files import KEPT, MAX_PIXELS, BadFile, corpus, good, write_archive
from realart.core import tables

ROOT = Path(__file__).parents[1]
BASE, BYTES_A_PIXEL = 256, 32
"""The bound on the memory of a process of `clean`: MiB, and bytes for each pixel of `max_pixels`.

A process begins with about 170 MiB. The worst picture known is a WebP with transparency, 24 bytes a
pixel: what its decoder holds, RGBA, the white behind it, both together, and RGB. The file itself
adds 4 at most.
"""


@dataclass(frozen=True)
class Outcome:
    """What became of a file: `KEPT`, or a reason and what more was said."""

    path: str
    outcome: str
    detail: str = ""


@dataclass(frozen=True)
class Cleaned:
    """What became of an archive; `peak` is in MiB, `written` all paths that were changed."""

    outcomes: list[Outcome]
    peak: int
    written: list[Path]


def bound(max_pixels: int) -> int:
    """Return the most memory that a process of `clean` may hold, in MiB."""
    return BASE + BYTES_A_PIXEL * max_pixels // (1 << 20)


def cleaned(files: list[BadFile], folder: Path, max_pixels: int = MAX_PIXELS) -> Cleaned:
    """Put files into an archive in `folder`, and run the real `clean` on it in a process."""
    archive = write_archive(folder / "archive.zip", files)
    out = folder / "out"
    command = ["-m", "benchmarks.watched_clean", str(archive), str(out), str(max_pixels)]
    subprocess.run([sys.executable, *command], cwd=ROOT, check=True)
    kept = tables.read(out / "pictures.csv", tables.PICTURES)
    rejected = tables.read(out / "rejected.csv", tables.REJECTED)
    outcomes = [Outcome(path, KEPT) for path in kept["path"]]
    reasons = rejected[["path", "reason", "detail"]]
    outcomes += [Outcome(*row) for row in reasons.itertuples(index=False, name=None)]
    watched = json.loads((out / "watched.json").read_text())
    return Cleaned(outcomes, watched["peak"], [Path(path) for path in watched["written"]])


def main() -> None:
    files = corpus()
    with tempfile.TemporaryDirectory() as name:
        (base := Path(name) / "base").mkdir()
        (bad := Path(name) / "bad").mkdir()
        before, seen = cleaned(good(), base), cleaned([*good(), *files], bad)
    waiting = sorted(seen.outcomes, key=lambda one: one.path)
    print("| file | what is odd | outcome | said |\n| --- | --- | --- | --- |")
    for file in files:
        found = waiting.pop(next(i for i, one in enumerate(waiting) if one.path == file.path))
        cells = (shown(file.path), file.odd, found.outcome, shown(found.detail))
        print(f"| {' | '.join(cells)} |")
    print(
        f"\n{len(files)} files, max_pixels {MAX_PIXELS}: peak memory {seen.peak} MiB "
        f"({before.peak} MiB with good files only), bound {bound(MAX_PIXELS)} MiB."
    )


def shown(text: str, most: int = 70) -> str:
    """Return `text` as it fits into a cell of a table, at most so many characters."""
    text = text.replace("|", "\\|").replace("\r", "\\r").replace("\n", "\\n")
    return text if len(text) <= most else f"{text[: most - 3]}..."


if __name__ == "__main__":
    main()
