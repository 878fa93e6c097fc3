"""Cleaning and duplicate search beside CleanVision, imagededup and bare loops, on the same files.

    python -m venv PEERS
    PEERS/bin/pip install --no-deps -r benchmarks/peers-requirements.txt
    python -m benchmarks.peers --pictures ZIP --peers PEERS/bin/python [--sheet PNG]

Prints tables in Markdown: time and memory; copies that were found, of every change; pairs of
different originals that are said to show the same; what becomes of files that are no pictures. The
files are those of the zip that are pictures, and a copy of `--changed` of them, in an order drawn
by a fixed seed, each changed in one way. Rows are measured in turns, in processes of their own.
"""

import argparse
import io
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import numpy as np
from PIL import Image, ImageDraw, ImageOps

from benchmarks.duplicates import KINDS, SEED, Change, brighter, same, scaled, table, usable
from benchmarks.faults import shown
from benchmarks.peer_rows import CORES, OURS, PEERS, Groups
from benchmarks.scale import family, held
from realart.data import decoding
from realart.params import Clean, load_params

ROOT = Path(__file__).parents[1]
EVERY = 0.05
"""Seconds between two looks at the memory of a row."""

CHANGES: dict[str, tuple[Change, str, int] | None] = {
    "none: the same bytes": None,
    "JPEG, quality 70": (same, "JPEG", 70),
    "resized to 0.5": (scaled(0.5), "JPEG", 85),
    "brightness +15%": (brighter(1.15), "JPEG", 85),
    **{
        kind: KINDS[kind]
        for kind in ("WebP, quality 75", "cropped 5%, centre left", "watermark", "mirrored")
    },
}
FLOOR, WHOLE = "decode, resize, save (Pillow)", "CleanVision: all checks"
FINDERS = ("realart: clean", WHOLE, "imagededup: PHash")
"""Rows whose groups are compared."""

Pair = tuple[str, str]


@dataclass
class Published:
    """A folder of files with a zip beside it; `source` and `change` of the planted copies."""

    folder: Path
    source: dict[str, str] = field(default_factory=dict)
    change: dict[str, str] = field(default_factory=dict)

    def pack(self) -> int:
        """Write the zip, and return how many files it has."""
        paths = sorted(self.folder.glob("*/*"))
        with ZipFile(self.folder.with_suffix(".zip"), "w") as archive:
            for path in paths:
                archive.write(path, path.relative_to(self.folder))
        return len(paths)


def publish(zips: Iterable[Path], count: int, folder: Path) -> Published:
    """Write the pictures of zips, and changed copies of some; both classes get half of them."""
    published = Published(folder)
    files = [one for path in zips for one in usable(path)]
    for number, (name, data) in enumerate(files):
        path = folder / ("ai", "human")[number % 2] / f"{number:05d}{Path(name).suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    originals = sorted(folder.glob("*/*"))
    drawn = np.random.default_rng(SEED).permutation(len(originals))[:count]
    for number, (kind, how) in zip(drawn, list(CHANGES.items()) * count, strict=False):
        original = originals[number]
        data, suffix = original.read_bytes(), original.suffix
        if how:
            change, encoding, quality = how
            buffer, suffix = io.BytesIO(), f".{encoding.lower()}"
            change(decoding.read(data)).save(buffer, encoding, quality=quality)
            data = buffer.getvalue()
        copy = original.with_name(f"{original.stem}-copy{suffix}")
        copy.write_bytes(data)
        name = copy.relative_to(folder).as_posix()
        published.source[name] = original.relative_to(folder).as_posix()
        published.change[name] = kind
    return published


def spoiled(files: Path, count: int = 4) -> Iterator[tuple[str, Published, list[str]]]:
    """Yield what is wrong, a folder of few files of which some are so, and their names."""
    whole = sorted(files.glob("*/000??.jpg"))
    noise = np.random.default_rng(SEED).bytes
    wrong = {
        "cut in half": [path.read_bytes()[: path.stat().st_size // 2] for path in whole[:count]],
        "random bytes": [noise(50_000) for _ in range(count)],
        "empty": [b""] * count,
    }
    for what, contents in wrong.items():
        published = Published(files.with_name(what))
        for path in whole:
            target = published.folder / path.relative_to(files)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, target)
        names = [f"ai/{number}.jpg" for number in range(count)]
        for name, data in zip(names, contents, strict=True):
            (published.folder / name).write_bytes(data)
        published.pack()
        yield what, published, names


def measure(
    row: str, files: Path, clean: Clean, peers: Path, watched: bool = False
) -> dict[str, Any]:
    """Run a row, and return what it found, and if it is `watched` its peak memory in MiB."""
    python = str(peers) if row in PEERS else sys.executable
    with tempfile.TemporaryDirectory() as out, (Path(out) / "said").open("w") as said:
        arguments = [row, str(files), out, clean.model_dump_json()]
        command = [python, "-m", "benchmarks.peer_rows", *arguments]
        peak = 0.0
        with subprocess.Popen(command, cwd=ROOT, stdout=said, stderr=said) as process:
            while watched and process.poll() is None:
                peak = max(peak, held(family(process.pid)))
                time.sleep(EVERY)
        if process.returncode:
            raise RuntimeError((Path(out) / "said").read_text().strip().splitlines()[-1])
        return {**json.loads((Path(out) / "found.json").read_text()), "peak": peak}


def speed(times: dict[str, list[float]], peaks: dict[str, float], count: int) -> None:
    middle = {row: statistics.median(seconds) for row, seconds in times.items()}
    rows = [
        (row, f"{seconds:.1f} ({min(times[row]):.1f} to {max(times[row]):.1f})",
         f"{count / seconds:.0f}", f"{peaks[row]:.0f}",
         f"{seconds / middle[FLOOR]:.2f}", f"{seconds / middle[WHOLE]:.2f}")
        for row, seconds in middle.items()
    ]  # fmt: skip
    title = (
        f"{count} files, {CORES} cores. Seconds from after the imports to the end, workers' start "
        "included: median (lowest to highest). Memory: the highest sum of proportional set sizes "
        f"over a row's processes, seen every {EVERY} s in a run that is not timed. "
        "imagededup runs without torch, which it otherwise imports"
    )
    table(title, ["", "s", "files a s", "MiB", "time / floor", "time / CleanVision"], rows)


def paired(groups: Groups) -> set[Pair]:
    return {pair for group in groups for pair in combinations(sorted(group), 2)}


def recall(found: dict[str, set[Pair]], published: Published) -> None:
    rows = []
    for kind in CHANGES:
        copies = {name for name, change in published.change.items() if change == kind}
        pairs = {tuple(sorted((name, published.source[name]))) for name in copies}
        rows.append((kind, len(pairs), *(len(pairs & of) for of in found.values())))
    table("Copies that were paired with their original", ["change", "copies", *found], rows)


def refused(files: Path, before: dict[str, dict[str, Any]], clean: Clean, peers: Path) -> None:
    good = [len(before[finder]["refused"]) for finder in FINDERS]
    rows: list[list[object]] = [["nothing", len(list(files.glob("*/*"))), *good]]
    for what, published, names in spoiled(files):
        row: list[object] = [what, len(names)]
        for finder in FINDERS:
            try:
                left = set(measure(finder, published.folder, clean, peers)["refused"])
                row.append(len(left.intersection(names)))
            except RuntimeError as error:
                row.append(shown(f"fails: {error}"))
        rows.append(row)
    table("Files that were left out", ["wrong with them", "files", *FINDERS], rows)


def between(pairs: set[Pair], source: dict[str, str]) -> dict[Pair, Pair]:
    """Return a pair of files for each pair of different originals, copies standing for theirs."""
    result: dict[Pair, Pair] = {}
    for one, other in sorted(pairs):
        first, second = sorted((source.get(one, one), source.get(other, other)))
        if first != second:
            result.setdefault((first, second), (one, other))
    return result


def disputes(found: dict[str, set[Pair]], published: Published) -> dict[str, list[Pair]]:
    """Print how far tools agree on which originals show the same, and return where they do not."""
    originals = {tool: between(pairs, published.source) for tool, pairs in found.items()}
    ours = originals["realart, similar"]
    theirs = [pair for tool, of in originals.items() if "realart" not in tool for pair in of]
    disputed = {tool: [of[pair] for pair in of if pair not in ours]
                for tool, of in originals.items()}  # fmt: skip
    disputed["realart alone"] = [files for pair, files in ours.items() if pair not in theirs]
    rows = [(tool, len(of), len(disputed[tool]), len(ours.keys() - of.keys()))
            for tool, of in originals.items()]  # fmt: skip
    title = (
        "Pairs of different originals that are said to show the same "
        f"({len(disputed['realart alone'])} by realart alone)"
    )
    table(title, ["", "pairs", "not by realart, similar", "only by realart, similar"], rows)
    return disputed


def draw(disputed: dict[str, list[Pair]], folder: Path, sheet: Path) -> None:
    """Draw disputed pairs, one above the other, under the name of the tool that pairs them."""
    pairs = [(tool, pair) for tool, found in disputed.items() for pair in found[:48]]
    across, width, height = 12, 200, 440
    drawn = Image.new("RGB", (across * width, height * max(1, -(-len(pairs) // across))), "grey")
    for number, (tool, pair) in enumerate(pairs):
        x, y = number % across * width, number // across * height
        ImageDraw.Draw(drawn).text((x, y), f"{tool}\n{pair[0]}\n{pair[1]}", font_size=11)
        for row, name in enumerate(pair):
            image = decoding.read((folder / name).read_bytes())
            drawn.paste(ImageOps.contain(image, (196, 196)), (x, y + 44 + 198 * row))
    drawn.save(sheet)


def read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--pictures", type=Path, nargs="+", required=True, metavar="ZIP")
    parser.add_argument("--peers", type=Path, required=True, help="the other tools' interpreter")
    parser.add_argument("--changed", type=int, default=152, help="how many pictures get a copy")
    parser.add_argument("--repeats", type=int, default=3, help="of times; 0 for none")
    parser.add_argument("--sheet", type=Path, help="where to draw the pairs that are disputed")
    return parser.parse_args()


def main() -> None:
    arguments = read_arguments()
    clean, rows = load_params().clean, [*OURS, *PEERS]
    with tempfile.TemporaryDirectory() as name:
        published = publish(arguments.pictures, arguments.changed, Path(name) / "files")
        files, count = published.folder, published.pack()
        first = {row: measure(row, files, clean, arguments.peers, watched=True) for row in rows}
        times: dict[str, list[float]] = {row: [] for row in rows}
        for _ in range(arguments.repeats):
            for row in rows:
                times[row].append(measure(row, files, clean, arguments.peers)["seconds"])
        if arguments.repeats:
            speed(times, {row: run["peak"] for row, run in first.items()}, count)
        groups = {tool: of for row in FINDERS for tool, of in first[row]["groups"].items()}
        found = {tool: paired(of) for tool, of in groups.items()}
        recall(found, published)
        disputed = disputes(found, published)
        if arguments.sheet:
            draw(disputed, files, arguments.sheet)
        refused(files, first, clean, arguments.peers)


if __name__ == "__main__":
    main()
