"""Compare cleaning and duplicate search with CleanVision, imagededup and bare loops.

    python -m venv PEERS
    PEERS/bin/pip install --no-deps -r benchmarks/peers-requirements.txt
    python -m benchmarks.peers --pictures ZIP --peers PEERS/bin/python [--sheet PNG]

Prints tables in Markdown, all on the same files: time and memory; copies that were found, by
change; pairs of different originals that are reported as duplicates; the outcome of files that are
no pictures. The files are the pictures of the zip, and a copy of `--changed` of them, in an order
drawn by a fixed seed, each changed in one way. Rows are measured in turns, in processes of their
own.
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

from benchmarks.duplicates import KINDS, SEED, Change, brighter, print_table, same, scaled, usable
from benchmarks.faults import as_cell
from benchmarks.peer_rows import CORES, OURS, PEERS, Groups
from benchmarks.scale import family, memory_of
from realart.data import decoding
from realart.params import Clean, load_params

ROOT = Path(__file__).parents[1]
EVERY = 0.05
"""Seconds between two measurements of the memory of a row."""

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
        """Write the zip, and return the number of its files."""
        paths = sorted(self.folder.glob("*/*"))
        with ZipFile(self.folder.with_suffix(".zip"), "w") as archive:
            for path in paths:
                archive.write(path, path.relative_to(self.folder))
        return len(paths)


def publish(zips: Iterable[Path], count: int, folder: Path) -> Published:
    """Write the pictures of zips, half of them to each class, and changed copies of some."""
    published = Published(folder)
    files = [item for path in zips for item in usable(path)]
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


def damaged_sets(files: Path, count: int = 4) -> Iterator[tuple[str, Published, list[str]]]:
    """Yield a kind of damage, a folder of a few files some of which have it, and their names."""
    good = sorted(files.glob("*/000??.jpg"))
    noise = np.random.default_rng(SEED).bytes
    damaged = {
        "cut in half": [path.read_bytes()[: path.stat().st_size // 2] for path in good[:count]],
        "random bytes": [noise(50_000) for _ in range(count)],
        "empty": [b""] * count,
    }
    for damage, contents in damaged.items():
        published = Published(files.with_name(damage))
        for path in good:
            target = published.folder / path.relative_to(files)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, target)
        names = [f"ai/{number}.jpg" for number in range(count)]
        for name, data in zip(names, contents, strict=True):
            (published.folder / name).write_bytes(data)
        published.pack()
        yield damage, published, names


def measure(
    row: str, files: Path, clean: Clean, peers: Path, with_memory: bool = False
) -> dict[str, Any]:
    """Run a row, and return its result, with its peak memory in MiB if `with_memory`."""
    python = str(peers) if row in PEERS else sys.executable
    with tempfile.TemporaryDirectory() as out, (Path(out) / "log").open("w") as log:
        arguments = [row, str(files), out, clean.model_dump_json()]
        command = [python, "-m", "benchmarks.peer_rows", *arguments]
        peak = 0.0
        with subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log) as process:
            while with_memory and process.poll() is None:
                peak = max(peak, memory_of(family(process.pid)))
                time.sleep(EVERY)
        if process.returncode:
            raise RuntimeError((Path(out) / "log").read_text().strip().splitlines()[-1])
        return {**json.loads((Path(out) / "found.json").read_text()), "peak": peak}


def print_speed(times: dict[str, list[float]], peaks: dict[str, float], count: int) -> None:
    medians = {row: statistics.median(seconds) for row, seconds in times.items()}
    rows = [
        (row, f"{seconds:.1f} ({min(times[row]):.1f} to {max(times[row]):.1f})",
         f"{count / seconds:.0f}", f"{peaks[row]:.0f}",
         f"{seconds / medians[FLOOR]:.2f}", f"{seconds / medians[WHOLE]:.2f}")
        for row, seconds in medians.items()
    ]  # fmt: skip
    title = (
        f"{count} files, {CORES} cores. Seconds from after the imports to the end, workers' start "
        "included: median (lowest to highest). Memory: the highest sum of proportional set sizes "
        f"over a row's processes, measured every {EVERY} s in a run that is not timed. "
        "imagededup runs without torch, which it otherwise imports"
    )
    print_table(title, ["", "s", "files a s", "MiB", "time / floor", "time / CleanVision"], rows)


def pairs_of(groups: Groups) -> set[Pair]:
    return {pair for group in groups for pair in combinations(sorted(group), 2)}


def print_recall(found: dict[str, set[Pair]], published: Published) -> None:
    rows = []
    for kind in CHANGES:
        copies = {name for name, change in published.change.items() if change == kind}
        pairs = {tuple(sorted((name, published.source[name]))) for name in copies}
        rows.append((kind, len(pairs), *(len(pairs & of) for of in found.values())))
    print_table("Copies that were paired with their original", ["change", "copies", *found], rows)


def print_refused(
    files: Path, before: dict[str, dict[str, Any]], clean: Clean, peers: Path
) -> None:
    good = [len(before[finder]["refused"]) for finder in FINDERS]
    rows: list[list[object]] = [["nothing", len(list(files.glob("*/*"))), *good]]
    for damage, published, names in damaged_sets(files):
        row: list[object] = [damage, len(names)]
        for finder in FINDERS:
            try:
                refused_files = set(measure(finder, published.folder, clean, peers)["refused"])
                row.append(len(refused_files.intersection(names)))
            except RuntimeError as error:
                row.append(as_cell(f"fails: {error}"))
        rows.append(row)
    print_table("Files that were left out", ["damage", "files", *FINDERS], rows)


def pairs_of_originals(pairs: set[Pair], source: dict[str, str]) -> dict[Pair, Pair]:
    """Return a pair of files for each pair of different originals; copies stand for originals."""
    result: dict[Pair, Pair] = {}
    for first_file, second_file in sorted(pairs):
        first, second = sorted(
            (source.get(first_file, first_file), source.get(second_file, second_file))
        )
        if first != second:
            result.setdefault((first, second), (first_file, second_file))
    return result


def print_disputes(found: dict[str, set[Pair]], published: Published) -> dict[str, list[Pair]]:
    """Print how far the tools agree on duplicates among originals; return disputed pairs."""
    originals = {tool: pairs_of_originals(pairs, published.source) for tool, pairs in found.items()}
    realart_pairs = originals["realart, similar"]
    other_pairs = [
        pair
        for tool, tool_pairs in originals.items()
        if "realart" not in tool
        for pair in tool_pairs
    ]
    disputed = {tool: [tool_pairs[pair] for pair in tool_pairs if pair not in realart_pairs]
                for tool, tool_pairs in originals.items()}  # fmt: skip
    disputed["realart alone"] = [
        files for pair, files in realart_pairs.items() if pair not in other_pairs
    ]
    rows = [
        (tool, len(tool_pairs), len(disputed[tool]), len(realart_pairs.keys() - tool_pairs.keys()))
        for tool, tool_pairs in originals.items()
    ]
    title = (
        "Pairs of different originals that are reported as duplicates "
        f"({len(disputed['realart alone'])} by realart alone)"
    )
    print_table(title, ["", "pairs", "not by realart, similar", "only by realart, similar"], rows)
    return disputed


def draw(disputed: dict[str, list[Pair]], folder: Path, sheet: Path) -> None:
    """Draw disputed pairs, one above the other, under the name of the tool that pairs them."""
    pairs = [(tool, pair) for tool, found in disputed.items() for pair in found[:48]]
    across, width, height = 12, 200, 440
    canvas = Image.new("RGB", (across * width, height * max(1, -(-len(pairs) // across))), "grey")
    for number, (tool, pair) in enumerate(pairs):
        x, y = number % across * width, number // across * height
        ImageDraw.Draw(canvas).text((x, y), f"{tool}\n{pair[0]}\n{pair[1]}", font_size=11)
        for row, name in enumerate(pair):
            image = decoding.read((folder / name).read_bytes())
            canvas.paste(ImageOps.contain(image, (196, 196)), (x, y + 44 + 198 * row))
    canvas.save(sheet)


def read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--pictures", type=Path, nargs="+", required=True, metavar="ZIP")
    parser.add_argument("--peers", type=Path, required=True, help="the other tools' interpreter")
    parser.add_argument("--changed", type=int, default=152, help="number of pictures with a copy")
    parser.add_argument("--repeats", type=int, default=3, help="of time measurements; 0 for none")
    parser.add_argument("--sheet", type=Path, help="file for a drawing of the disputed pairs")
    return parser.parse_args()


def main() -> None:
    arguments = read_arguments()
    clean, rows = load_params().clean, [*OURS, *PEERS]
    with tempfile.TemporaryDirectory() as name:
        published = publish(arguments.pictures, arguments.changed, Path(name) / "files")
        files, count = published.folder, published.pack()
        first = {row: measure(row, files, clean, arguments.peers, with_memory=True) for row in rows}
        times: dict[str, list[float]] = {row: [] for row in rows}
        for _ in range(arguments.repeats):
            for row in rows:
                times[row].append(measure(row, files, clean, arguments.peers)["seconds"])
        if arguments.repeats:
            print_speed(times, {row: run["peak"] for row, run in first.items()}, count)
        groups = {
            tool: tool_groups
            for row in FINDERS
            for tool, tool_groups in first[row]["groups"].items()
        }
        pairs = {tool: pairs_of(tool_groups) for tool, tool_groups in groups.items()}
        print_recall(pairs, published)
        disputed = print_disputes(pairs, published)
        if arguments.sheet:
            draw(disputed, files, arguments.sheet)
        print_refused(files, first, clean, arguments.peers)


if __name__ == "__main__":
    main()
