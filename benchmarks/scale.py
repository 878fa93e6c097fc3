"""The data stages on many small files: time, memory and disk, and what DVC itself takes of it.

    python -m benchmarks.scale [--pictures 10000 100000]

For each count, pictures of 256 pixels a side are made, a fresh clone of the last commit takes them
through `dvc repro` stage by stage, and a table is printed in Markdown. Memory is the peak of the
proportional set size over all processes of a stage, so that what they share counts once. DVC, which
runs the stage, then hashes and stores what it made, is counted for itself.
"""

import argparse
import io
import subprocess
import tempfile
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
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
    "download": "data/raw",
    "clean": "data/clean",
    "split": "data/split.csv",
    "balance": "data/balanced",
    "ela": "data/ela",
}
TICK = 0.2  # seconds


@dataclass
class Share:
    """What the stage, or DVC beside it, took: seconds, and MiB at most."""

    seconds: float = 0
    memory: float = 0


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


def watch(command: Sequence[str], folder: Path) -> tuple[Share, Share]:
    """Run a command to its end, and look at its processes: those of a stage, and the others."""
    stage, dvc, start = Share(), Share(), time.monotonic()
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL) as process:
        while process.poll() is None:
            before, of_stage = time.monotonic(), set[psutil.Process]()
            everything = family(process.pid)
            for one in everything:
                with suppress(psutil.Error):
                    if any(word.startswith("stages.") for word in one.cmdline()):
                        of_stage |= family(one.pid)
            stage.memory = max(stage.memory, held(of_stage))
            dvc.memory = max(dvc.memory, held(everything - of_stage))
            time.sleep(TICK)
            if of_stage:
                stage.seconds += time.monotonic() - before
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} failed")
    dvc.seconds = time.monotonic() - start - stage.seconds
    return stage, dvc


def family(pid: int) -> set[psutil.Process]:
    """Return a process and all below it."""
    with suppress(psutil.Error):
        parent = psutil.Process(pid)
        return {parent, *parent.children(recursive=True)}
    return set()


def held(processes: Iterable[psutil.Process]) -> float:
    """Return what processes hold, in MiB; what they share with others counts in part."""
    total = 0
    for one in processes:
        with suppress(psutil.Error):
            total += one.memory_full_info().pss
    return total / 2**20


def size(path: Path) -> tuple[int, float]:
    """Return how many files there are, and their MiB."""
    sizes = [file.stat().st_size for file in [path, *path.rglob("*")] if file.is_file()]
    return len(sizes), sum(sizes) / 2**20


def measure(count: int, folder: Path) -> None:
    make(folder / "pictures.zip", count)
    clone = project(folder, folder / "pictures.zip")
    head = ["stage", "s", "MiB at most", "DVC: s", "MiB at most", "ms a picture", "files", "MiB"]
    print(
        f"\n{count} pictures of {SIDE} x {SIDE}\n\n| {' | '.join(head)} |\n|{' --- |' * len(head)}"
    )
    for name, out in STAGES.items():
        shares = watch(["dvc", "repro", "--single-item", name], clone)
        print_row(name, shares, count, *size(clone / out))
    for command in (["dvc", "repro", "ela"], ["dvc", "status"]):
        print_row(f"`{' '.join(command)}`, nothing to do", watch(command, clone), count)
    files, mebibytes = size(clone / ".dvc/cache")
    print(f"\nDVC's cache: {files} files, {mebibytes:.0f} MiB", flush=True)


def print_row(
    name: str, shares: tuple[Share, Share], count: int, files: int = 0, mebibytes: float = 0
) -> None:
    times = [f"{share.seconds:.1f} | {share.memory:.0f}" for share in shares]
    each = 1000 * sum(share.seconds for share in shares) / count
    print(
        f"| {name} | {' | '.join(times)} | {each:.2f} | {files or ''} | {mebibytes:.0f} |",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pictures", type=int, nargs="+", default=[10_000, 100_000])
    for count in parser.parse_args().pictures:
        with tempfile.TemporaryDirectory() as folder:
            measure(count, Path(folder))


if __name__ == "__main__":
    main()
