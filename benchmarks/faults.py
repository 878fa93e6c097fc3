"""The outcome of `clean` for bad and odd files, as a table: `python -m benchmarks.faults`."""

import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from benchmarks.bad_files import KEPT, MAX_PIXELS, BadFile, corpus, good, write_archive
from realart.core import tables
from realart.data import limits

ROOT = Path(__file__).parents[1]
BASE = 192
"""MiB of a process of `clean` before it decodes, at most: 128, and `isolation.MOST_KEPT`."""


@dataclass(frozen=True)
class Outcome:
    """The outcome of a file: `KEPT`, or a reason and its detail."""

    path: str
    outcome: str
    detail: str = ""


@dataclass(frozen=True)
class Cleaned:
    """The outcomes of the files of an archive, the peak memory in MiB, and all paths written to."""

    outcomes: list[Outcome]
    peak: int
    written: list[Path]


def bound(max_pixels: int) -> int:
    """Return the bound on the memory of a process of `clean`, in MiB."""
    return BASE + (limits.MEMORY + limits.BYTES_A_PIXEL * max_pixels >> 20)


def cleaned(files: list[BadFile], folder: Path, max_pixels: int = MAX_PIXELS) -> Cleaned:
    """Write files to an archive in `folder`, and run `clean` on it in a process of its own."""
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
        baseline, result = cleaned(good(), base), cleaned([*good(), *files], bad)
    outcomes = sorted(result.outcomes, key=lambda outcome: outcome.path)
    print("| file | what is odd | outcome | detail |\n| --- | --- | --- | --- |")
    for file in files:
        position = [outcome.path for outcome in outcomes].index(file.path)
        outcome = outcomes.pop(position)
        cells = (as_cell(file.path), file.odd, outcome.outcome, as_cell(outcome.detail))
        print(f"| {' | '.join(cells)} |")
    print(
        f"\n{len(files)} files, max_pixels {MAX_PIXELS}: peak memory {result.peak} MiB "
        f"({baseline.peak} MiB with good files only), bound {bound(MAX_PIXELS)} MiB."
    )


def as_cell(text: str, max_length: int = 70) -> str:
    """Return a text as the cell of a Markdown table, cut to `max_length` characters."""
    text = text.replace("|", "\\|").replace("\r", "\\r").replace("\n", "\\n")
    return text if len(text) <= max_length else f"{text[: max_length - 3]}..."


if __name__ == "__main__":
    main()
