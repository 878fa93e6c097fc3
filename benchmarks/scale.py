"""The data stages on many small files: time, memory and disk, and what DVC itself takes of it.

    python -m benchmarks.scale [--pictures 10000 100000]

For each count, pictures of 256 pixels a side are made, a fresh clone of the last commit takes them
through `dvc repro` stage by stage, and a table is printed in Markdown. Memory is the peak of the
proportional set size over all processes of a stage, so that what they share counts once.
"""

import argparse
import io
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import psutil
import yaml
from PIL import Image

from realart import archive
from realart.parallel import each

ROOT = Path(__file__).parent.parent
SIDE = 256
STAGES = {
    "download": ["data/raw"],
    "clean": ["data/clean"],
    "split": ["data/split.csv"],
    "balance": ["data/balanced"],
    "ela": ["data/ela"],
}
TICK = 0.2  # seconds


@dataclass
class Watched:
    """What a command took: seconds, those of the stage's own process among them, MiB at most."""

    seconds: float
    stage: float
    memory: float


def picture(seed: int) -> bytes:
    """Paint colour clouds of three sizes, as JPEG: no two seeds are alike, all have detail."""
    generator = np.random.default_rng(seed)
    canvas = np.full((SIDE, SIDE, 3), 128.0)
    for cells, strength in ((4, 80), (16, 40), (64, 20)):
        clouds = generator.integers(0, 256, (cells, cells, 3), np.uint8)
        smooth = Image.fromarray(clouds).resize((SIDE, SIDE), Image.Resampling.BICUBIC)
        canvas += (np.asarray(smooth) - 128.0) / 128 * strength
    buffer = io.BytesIO()
    Image.fromarray(np.clip(canvas, 0, 255).astype(np.uint8)).save(buffer, "JPEG", quality=85)
    return buffer.getvalue()


def make(path: Path, count: int) -> None:
    """Write a zip of `count` pictures, two of three by generators."""
    with archive.created(path) as opened:
        for number, data in enumerate(each(picture, range(count), "make")):
            folder = "human" if number % 3 == 0 else "ai"
            archive.add_bytes(opened, f"{folder}/{number:07d}.jpg", data)


def project(folder: Path, pictures: Path) -> Path:
    """Clone the last commit into `folder`, with `pictures` as its dataset."""
    clone = folder / "project"
    subprocess.run(["git", "clone", "--quiet", ROOT, clone], check=True)
    file = clone / "params.yaml"
    knobs = yaml.safe_load(file.read_text())
    knobs["dataset"] = "local"
    knobs["datasets"]["local"]["path"] = str(pictures)
    file.write_text(yaml.safe_dump(knobs, sort_keys=False))
    return clone


def watch(command: Sequence[str], folder: Path) -> Watched:
    """Run a command to its end, looking at all its processes by and by."""
    start, began, ended, memory = time.monotonic(), 0.0, 0.0, 0.0
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL) as process:
        while process.poll() is None:
            used = 0
            for one in family(process.pid):
                try:
                    used += one.memory_full_info().pss
                    if any(word.startswith("stages.") for word in one.cmdline()):
                        ended = time.monotonic()
                        began = began or ended
                except psutil.Error:
                    continue
            memory = max(memory, used / 2**20)
            time.sleep(TICK)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} failed")
    return Watched(time.monotonic() - start, ended - began, memory)


def family(pid: int) -> Iterable[psutil.Process]:
    try:
        parent = psutil.Process(pid)
        return [parent, *parent.children(recursive=True)]
    except psutil.Error:
        return []


def size(paths: Sequence[Path]) -> tuple[int, float]:
    """Return how many files there are, and their MiB."""
    files = [file for path in paths for file in ([path] if path.is_file() else path.rglob("*"))]
    sizes = [file.stat().st_size for file in files if file.is_file()]
    return len(sizes), sum(sizes) / 2**20


def measure(count: int, folder: Path) -> None:
    make(folder / "pictures.zip", count)
    clone = project(folder, folder / "pictures.zip")
    print(f"\n{count} pictures of {SIDE} x {SIDE}\n")
    print("| stage | s | of which DVC | ms a picture | MiB at most | files | MiB |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    row = partial(print_row, count)
    for stage, outs in STAGES.items():
        taken = watch(["dvc", "repro", "--single-item", stage], clone)
        row(stage, taken, *size([clone / out for out in outs]))
    for command in (["dvc", "repro", "ela"], ["dvc", "status"]):
        row(f"`{' '.join(command)}`, nothing to do", watch(command, clone), 0, 0.0)
    row("cache", Watched(0, 0, 0), *size([clone / ".dvc/cache"]))


def print_row(count: int, name: str, taken: Watched, files: int, mebibytes: float) -> None:
    own = taken.seconds - taken.stage
    print(
        f"| {name} | {taken.seconds:.1f} | {own:.1f} | {1000 * taken.seconds / count:.2f} "
        f"| {taken.memory:.0f} | {files or ''} | {mebibytes:.0f} |"
    )
    sys.stdout.flush()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pictures", type=int, nargs="+", default=[10_000, 100_000])
    for count in parser.parse_args().pictures:
        with tempfile.TemporaryDirectory() as folder:
            measure(count, Path(folder))


if __name__ == "__main__":
    main()
