"""Measure the stages on many small files: time, memory and disk, and the share of DVC.

    python -m benchmarks.scale [--pictures 10000 100000] [--last ela] [--model cnn --epochs 1]

For each count, pictures of 256 pixels a side are rendered, a fresh clone of the last commit runs
`dvc repro` on them stage by stage, and a table is printed in Markdown. Memory is the peak of the
sum of proportional set sizes over the processes of a stage, in which shared memory counts once.
DVC, which runs the stage, then hashes and stores its outputs, is measured separately. Bytes read
and written are the sizes of deps and outputs in dvc.lock. The last table has the slopes between
the first and the last count, for a million pictures.
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
    """The cost of a stage, or of DVC around it: seconds, core-seconds, and peak MiB."""

    seconds: float = 0
    core: float = 0
    memory: float = 0


@dataclass
class Cost:
    """The cost of a stage for a number of pictures: its own, DVC's, and MB as in dvc.lock."""

    pictures: int
    stage: Share
    dvc: Share
    read: float
    written: float
    files: int


def picture(seed: int) -> bytes:
    """Render colour clouds of three sizes as JPEG: different for each seed, and with detail."""
    generator = np.random.default_rng(seed)
    canvas = np.full((SIDE, SIDE, 3), 128.0)
    for cells, strength in ((4, 80), (16, 40), (64, 20)):
        clouds = generator.integers(0, 256, (cells, cells, 3), np.uint8)
        smooth = Image.fromarray(clouds).resize((SIDE, SIDE), Image.Resampling.BICUBIC)
        canvas += (np.asarray(smooth) - 128.0) / 128 * strength
    buffer = io.BytesIO()
    Image.fromarray(np.clip(canvas, 0, 255).astype(np.uint8)).save(buffer, "JPEG", quality=85)
    return buffer.getvalue()


def write_pictures(path: Path, count: int) -> None:
    """Write a zip of `count` pictures, two thirds of them labelled ai."""
    with archive.create_archive(path) as opened:
        for number, data in enumerate(map_parallel(picture, range(count), "make")):
            folder = "human" if number % 3 == 0 else "ai"
            archive.add_bytes(opened, f"{folder}/{number:07d}.jpg", data)


def clone_project(folder: Path, pictures: Path, model: str = "", epochs: int = 0) -> Path:
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


def run_watched(command: Sequence[str], folder: Path) -> tuple[Share, Share]:
    """Run a command; measure the processes of its stage and, separately, all others."""
    stage, dvc, start = Share(), Share(), time.monotonic()
    seconds, stage_pids = dict[int, float](), set[int]()
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL) as process:
        while process.poll() is None:
            before, stage_processes = time.monotonic(), set[psutil.Process]()
            processes = family(process.pid)
            for process_below in processes:
                with suppress(psutil.Error):
                    if any(word.startswith("stages.") for word in process_below.cmdline()):
                        stage_processes |= family(process_below.pid)
            stage.memory = max(stage.memory, memory_of(stage_processes))
            dvc.memory = max(dvc.memory, memory_of(processes - stage_processes))
            seconds |= core_seconds(processes)
            stage_pids |= {process_below.pid for process_below in stage_processes}
            time.sleep(TICK)
            if stage_processes:
                stage.seconds += time.monotonic() - before
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} failed")
    stage.core = sum(seconds.pop(pid, 0.0) for pid in stage_pids)
    dvc.core = sum(seconds.values())
    dvc.seconds = time.monotonic() - start - stage.seconds
    return stage, dvc


def family(pid: int) -> set[psutil.Process]:
    """Return a process and its descendants."""
    with suppress(psutil.Error):
        parent = psutil.Process(pid)
        return {parent, *parent.children(recursive=True)}
    return set()


def memory_of(processes: Iterable[psutil.Process]) -> float:
    """Return the sum of the proportional set sizes of processes, in MiB."""
    total = 0
    for process in processes:
        with suppress(psutil.Error):
            total += process.memory_full_info().pss
    return total / 2**20


def core_seconds(processes: Iterable[psutil.Process]) -> dict[int, float]:
    """Return the core-seconds that each process has used so far, by its id."""
    seconds = {}
    for process in processes:
        with suppress(psutil.Error):
            seconds[process.pid] = sum(process.cpu_times()[:2])
    return seconds


def size(path: Path) -> tuple[int, float]:
    """Return the number of files below a path, and their MiB."""
    sizes = [file.stat().st_size for file in [path, *path.rglob("*")] if file.is_file()]
    return len(sizes), sum(sizes) / 2**20


def measure(count: int, folder: Path, last: str, model: str, epochs: int) -> dict[str, Cost]:
    """Run the stages on `count` pictures; print and return the cost of each."""
    write_pictures(folder / "pictures.zip", count)
    clone = clone_project(folder, folder / "pictures.zip", model, epochs)
    head = ["stage", "s", "s of a core", "MiB at most", "DVC: s", "s of a core", "MiB at most",
            "files", "MB read", "MB written"]  # fmt: skip
    print(f"\n{count} pictures of {SIDE} x {SIDE}\n")
    print_row(head)
    print_row(["---"] * len(head))
    costs = {}
    for name in STAGES[: STAGES.index(last) + 1]:
        stage, dvc = run_watched(["dvc", "repro", "--single-item", name], clone)
        lock = yaml12.load((clone / "dvc.lock").read_text(), "dvc.lock")["stages"][name]
        read = sum(entry["size"] for entry in lock.get("deps", []))
        outs = lock.get("outs", [])
        written = sum(entry["size"] for entry in outs)
        files = sum(entry.get("nfiles", 1) for entry in outs)
        costs[name] = Cost(count, stage, dvc, read / 1e6, written / 1e6, files)
        print_row(
            [name, *shares(stage, dvc), f"{files}", f"{read / 1e6:.0f}", f"{written / 1e6:.0f}"]
        )
    for command in (["dvc", "repro", last], ["dvc", "status"]):
        print_row(
            [
                f"`{' '.join(command)}`, nothing to do",
                *shares(*run_watched(command, clone)),
                "",
                "",
                "",
            ]
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


def print_slopes(small: dict[str, Cost], large: dict[str, Cost]) -> None:
    """Print the cost of a million more pictures, by the difference of two measurements."""
    head = ["stage", "hours of a core", "of it DVC", "GB read", "GB written", "files",
            "GiB more memory"]  # fmt: skip
    print("\nFor a million pictures\n")
    print_row(head)
    print_row(["---"] * len(head))
    for name, cost in large.items():
        before = small[name]
        million = 1e6 / (cost.pictures - before.pictures)
        dvc = (cost.dvc.core - before.dvc.core) * million / 3600
        stage = (cost.stage.core - before.stage.core) * million / 3600
        print_row(
            [
                name,
                f"{stage + dvc:.2f}",
                f"{dvc:.2f}",
                f"{(cost.read - before.read) * million / 1e3:.1f}",
                f"{(cost.written - before.written) * million / 1e3:.1f}",
                f"{(cost.files - before.files) * million:,.0f}",
                f"{(cost.stage.memory - before.stage.memory) * million / 1024:.1f}",
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
