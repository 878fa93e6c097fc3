"""The stages on many small files: time, memory and disk, and what DVC itself takes of it.

    python -m benchmarks.scale [--pictures 10000 100000] [--last ela] [--model cnn --epochs 1]

For each count, pictures of 256 pixels a side are made, a fresh clone of the last commit takes them
through `dvc repro` stage by stage, and a table is printed in Markdown. Memory is the peak of the
proportional set size over all processes of a stage, so that what they share counts once. DVC, which
runs the stage, then hashes and stores what it made, is counted for itself. What is read and written
is what dvc.lock says of a stage's deps and outputs. A last table has the slopes between the first
count and the last, for a million pictures.
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
from PIL import Image

from realart.core import yaml12
from realart.core.parallel import map_parallel
from realart.data import archive

ROOT = Path(__file__).parent.parent
SIDE = 256
STAGES = (
    "download", "clean", "split", "balance", "ela", "audit", "features", "train", "evaluate",
    "robustness", "report",
)  # fmt: skip
TICK = 0.2  # seconds


@dataclass
class Share:
    """What the stage, or DVC beside it, took: seconds, those of all cores, and MiB at most."""

    seconds: float = 0
    core: float = 0
    memory: float = 0


@dataclass
class Cost:
    """What a stage took of so many pictures: its share, DVC's, and MB, as dvc.lock has them."""

    pictures: int
    stage: Share
    dvc: Share
    read: float
    written: float
    files: int


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
    with archive.create_archive(path) as opened:
        for number, data in enumerate(map_parallel(picture, range(count), "make")):
            folder = "human" if number % 3 == 0 else "ai"
            archive.add_bytes(opened, f"{folder}/{number:07d}.jpg", data)


def project(folder: Path, pictures: Path, model: str = "", epochs: int = 0) -> Path:
    """Clone the last commit into `folder`, with `pictures` as its dataset."""
    clone = folder / "project"
    subprocess.run(["git", "clone", "--quiet", ROOT, clone], check=True)
    file = clone / "params.yaml"
    params = yaml12.load(file.read_text(), "params.yaml")
    params["dataset"] = "local"
    params["datasets"]["local"]["path"] = str(pictures)
    params["model"] = model or params["model"]
    if epochs:
        params["recipes"][model]["epochs"] = epochs
    file.write_text(yaml12.dump(params))
    return clone


def watch(command: Sequence[str], folder: Path) -> tuple[Share, Share]:
    """Run a command to its end, and look at its processes: those of a stage, and the others."""
    stage, dvc, start = Share(), Share(), time.monotonic()
    seconds, of_stages = dict[int, float](), set[int]()
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
            seconds |= used(everything)
            of_stages |= {one.pid for one in of_stage}
            time.sleep(TICK)
            if of_stage:
                stage.seconds += time.monotonic() - before
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} failed")
    stage.core = sum(seconds.pop(pid, 0.0) for pid in of_stages)
    dvc.core = sum(seconds.values())
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


def used(processes: Iterable[psutil.Process]) -> dict[int, float]:
    """Return the seconds of a core that each process has taken so far."""
    seconds = {}
    for one in processes:
        with suppress(psutil.Error):
            seconds[one.pid] = sum(one.cpu_times()[:2])
    return seconds


def size(path: Path) -> tuple[int, float]:
    """Return how many files there are, and their MiB."""
    sizes = [file.stat().st_size for file in [path, *path.rglob("*")] if file.is_file()]
    return len(sizes), sum(sizes) / 2**20


def measure(count: int, folder: Path, last: str, model: str, epochs: int) -> dict[str, Cost]:
    """Take so many pictures through the stages; print what each cost, and return it."""
    make(folder / "pictures.zip", count)
    clone = project(folder, folder / "pictures.zip", model, epochs)
    head = ["stage", "s", "s of a core", "MiB at most", "DVC: s", "s of a core", "MiB at most",
            "files", "MB read", "MB written"]  # fmt: skip
    print(f"\n{count} pictures of {SIDE} x {SIDE}\n")
    print_row(head)
    print_row(["---"] * len(head))
    costs = {}
    for name in STAGES[: STAGES.index(last) + 1]:
        stage, dvc = watch(["dvc", "repro", "--single-item", name], clone)
        lock = yaml12.load((clone / "dvc.lock").read_text(), "dvc.lock")["stages"][name]
        read = sum(one["size"] for one in lock.get("deps", []))
        outs = lock.get("outs", [])
        written = sum(one["size"] for one in outs)
        files = sum(one.get("nfiles", 1) for one in outs)
        costs[name] = Cost(count, stage, dvc, read / 1e6, written / 1e6, files)
        print_row(
            [name, *shares(stage, dvc), f"{files}", f"{read / 1e6:.0f}", f"{written / 1e6:.0f}"]
        )
    for command in (["dvc", "repro", last], ["dvc", "status"]):
        print_row(
            [f"`{' '.join(command)}`, nothing to do", *shares(*watch(command, clone)), "", "", ""]
        )
    files, mebibytes = size(clone / ".dvc/cache")
    print(f"\nDVC's cache: {files} files, {mebibytes:.0f} MiB", flush=True)
    return costs


def shares(*both: Share) -> list[str]:
    return [
        text
        for share in both
        for text in (f"{share.seconds:.1f}", f"{share.core:.1f}", f"{share.memory:.0f}")
    ]


def print_slopes(less: dict[str, Cost], more: dict[str, Cost]) -> None:
    """Print what a million more pictures would cost, by the difference of two measurements."""
    head = ["stage", "hours of a core", "of it DVC", "GB read", "GB written", "files",
            "GiB more memory"]  # fmt: skip
    print("\nFor a million pictures\n")
    print_row(head)
    print_row(["---"] * len(head))
    for name, one in more.items():
        before = less[name]
        million = 1e6 / (one.pictures - before.pictures)
        dvc = (one.dvc.core - before.dvc.core) * million / 3600
        stage = (one.stage.core - before.stage.core) * million / 3600
        print_row(
            [
                name,
                f"{stage + dvc:.2f}",
                f"{dvc:.2f}",
                f"{(one.read - before.read) * million / 1e3:.1f}",
                f"{(one.written - before.written) * million / 1e3:.1f}",
                f"{(one.files - before.files) * million:,.0f}",
                f"{(one.stage.memory - before.stage.memory) * million / 1024:.1f}",
            ]
        )


def print_row(cells: Sequence[str]) -> None:
    print(f"| {' | '.join(cells)} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pictures", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--last", choices=STAGES, default="ela", help="the last stage (ela)")
    parser.add_argument("--model", default="", help="a recipe, from `features` on")
    parser.add_argument("--epochs", type=int, default=0, help="of that recipe, a network")
    arguments = parser.parse_args()
    costs = []
    for count in arguments.pictures:
        with tempfile.TemporaryDirectory() as folder:
            costs.append(
                measure(count, Path(folder), arguments.last, arguments.model, arguments.epochs)
            )
    if len(costs) > 1:
        print_slopes(costs[0], costs[-1])


if __name__ == "__main__":
    main()
