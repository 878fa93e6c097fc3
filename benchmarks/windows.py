"""Training on a dataset larger than memory: the speed of reading its rows, and the memory.

    python -m benchmarks.windows [--rows 200000] [--size 224] [--folder FOLDER]

Writes `--rows` rows of `--size` pixels a side (30 GB) to a folder, and removes them at the end.
They are sorted by class; a fold is fitted on .6 of them, validated on .2 and holds out .2. Prints
four tables in Markdown. Mixing: for each number of blocks a window, the standard deviation of the
share of ai over batches of 32, beside that of a full permutation, and rows a second over three
windows. Reading: rows a second and peak resident memory of an epoch's batches, by windows, by
memory-mapping in random order, both for a minute at most, and in memory. Training: rows a second
and peak memory of two epochs of `train_fold` (the faster one counts) and `predict`, with a network
that averages pixels and with the layers of `cnn150`. Each line is measured in a process of its own,
with a cold file cache. Last, the time that DVC needs for 3 GB in one file and in 20, copied and
linked: to add them, and to hash them again.
"""

import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from realart.core.outputs import array_file
from realart.core.tables import Positions
from realart.params import load_params
from realart.training import batch_reader
from realart.training.batch_reader import Windows

ROOT = Path(__file__).parents[1]
PARAMS = load_params(ROOT / "params.yaml")
BATCH = 32
SECONDS = 60
BLOCKS = (50, 100, 200, 500, 1000, 2000)
FITTED = {"average": 1_000_000, "cnn150": 160}
"""Most rows: few suffice to time a slow network."""
INSIDE = 10_000
WAYS = ("in windows", "memory-mapped, at random", f"in memory, of {INSIDE} rows")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument(
        "--folder", type=Path, help="folder with enough space (default: the temporary folder)"
    )
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        file = Path(folder, "pixels.npy")
        write(file, arguments.rows, arguments.size)
        print(f"{arguments.rows} rows of {arguments.size} px: {file.stat().st_size / 1e9:.1f} GB")
        print_row("blocks of a window", "MB a block", "deviation", "rows a second")
        print_row(*["---"] * 4)
        fit, *_ = parts(arguments.rows)
        print_row("one permutation", "", deviation(np.random.default_rng(0).permutation(fit)), "")
        for blocks in BLOCKS:
            print_row(blocks, *run_task("mix", file, blocks))
        for task, networks in (("read", [""]), ("train", FITTED)):
            print()
            print_row(task, "rows", "rows a second", "peak MiB")
            print_row(*["---"] * 4)
            for network in networks:
                for way in WAYS:
                    print_row(f"{network} {way}", *run_task(task, file, way, network))
    print()
    print_row("files", "cache.type", "`dvc add`, s", "`dvc status`, s")
    print_row(*["---"] * 4)
    for link in ("copy", "hardlink"):
        for files in (1, 20):
            with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
                print_row(files, link, *time_dvc(Path(folder), files, link))


def write(file: Path, count: int, size: int) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (500, size, size, 3), np.uint8)
    with array_file(file, "uint8", (count, size, size, 3)) as append:
        for start in range(0, count, len(noise)):
            append(noise[: count - start])
    with file.open("rb+") as stream:
        os.fsync(stream)


def run_task(task: str, file: Path, *arguments: object) -> list[str]:
    """Run a task in a process of its own, with a cold file cache; return the cells it prints."""
    with file.open("rb") as stream:
        os.posix_fadvise(stream.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    command = [sys.executable, "-m", "benchmarks.windows", task, file, *arguments]
    result = subprocess.run([*map(str, command)], cwd=ROOT, stdout=subprocess.PIPE, check=True)
    cells: list[str] = json.loads(result.stdout.splitlines()[-1])
    return cells


def print_row(*cells: object) -> None:
    print(f"| {' | '.join(f'{cell}'.strip() for cell in cells)} |", flush=True)


def open_windows(file: str, way: str) -> Windows:
    array = np.load(file, mmap_mode="r")
    if "in memory" in way:
        first = np.fromfile(file, np.uint8, INSIDE * array.strides[0], offset=array.offset)
        array = first.reshape(-1, *array.shape[1:])
    budget = PARAMS.train.window_gigabytes if "windows" in way else math.inf
    return Windows((array,), budget, BATCH)


def parts(count: int) -> list[Positions]:
    """Return the positions of the rows of a fold: fitted on, validated on, held out."""
    part_of_row = np.random.default_rng(0).choice(3, count, p=[0.6, 0.2, 0.2])
    return [np.flatnonzero(part_of_row == part) for part in range(3)]


def deviation(order: Positions) -> str:
    labels = order[: len(order) // BATCH * BATCH] >= order.max() / 2
    return f"{labels.reshape(-1, BATCH).mean(axis=1).std():.4f}"


def mix(file: str, blocks: str) -> list[str]:
    batch_reader.BLOCKS = int(blocks)
    windows = open_windows(file, "windows")
    fit, *_ = parts(len(windows.arrays[0]))
    order = windows.shuffled(fit, np.random.default_rng(0))
    size = windows.size(len(fit))
    _, rate = time_batches(windows, order, 3 * size)
    block = max(1, size // batch_reader.BLOCKS) * windows.arrays[0].strides[0]
    return [f"{block / 1e6:.1f}", deviation(order), rate]


def read(file: str, way: str, _: str) -> list[str]:
    windows = open_windows(file, way)
    fit, *_others = parts(len(windows.arrays[0]))
    return [
        *time_batches(windows, windows.shuffled(fit, np.random.default_rng(0)), len(fit)),
        peak(),
    ]


def time_batches(windows: Windows, order: Positions, count: int) -> list[str]:
    """Read batches of `count` rows, for a minute at most; return rows and rows a second."""
    read_batch, start_time, start = windows.reader(order), time.monotonic(), 0
    while start < count and time.monotonic() - start_time < SECONDS:
        read_batch(slice(start, start + BATCH))
        start += BATCH
    return [f"{min(start, count)}", f"{min(start, count) / (time.monotonic() - start_time):.0f}"]


def train(file: str, way: str, network: str) -> list[str]:
    from realart.networks import backend, builder
    from realart.training import fold_training, folds

    windows = open_windows(file, way)
    (array,) = windows.arrays
    recipe = PARAMS.recipes["cnn150"]
    sees = recipe.sees.model_copy(update={"size": array.shape[1]})
    recipe = recipe.model_copy(update={"sees": sees, "batch_size": BATCH, "epochs": 2})
    if network == "average":
        average = [{"AveragePooling2D": {"pool_size": 16}}, {"Flatten": {}}]
        recipe = recipe.model_copy(update={"layers": average})
    backend.prepare(
        PARAMS.train.seed,
        deterministic=PARAMS.train.deterministic,
        precision=PARAMS.train.precision,
    )
    labels = (np.arange(len(array)) >= len(array) / 2).astype(np.int64)
    weights = np.ones(len(array), np.float32)
    data = fold_training.TrainingData(windows.arrays, labels, weights, windows.gigabytes)
    max_rows = INSIDE if "random" in way else len(array)
    fit, val, held_out = (
        np.random.default_rng(0).permutation(part)[: min(max_rows, FITTED[network])]
        for part in parts(len(array))
    )
    indices = folds.FoldIndices(*(np.sort(part) for part in (fit, val, held_out, fit)))
    stamps = [time.monotonic()]
    model, _ = fold_training.train_fold(
        lambda: builder.build(recipe), recipe, PARAMS.train, data, indices, 0,
        Path(tempfile.mkdtemp(), "fold.npz"), lambda _: stamps.append(time.monotonic()),
    )  # fmt: skip
    fold_training.predict(model, recipe, data, indices.held_out)
    rows = len(indices.fit) + len(indices.val)
    return [f"{rows}", f"{rows / np.diff(stamps).min():.0f}", peak()]


def time_dvc(folder: Path, files: int, link: str) -> list[str]:
    """Return the seconds of `dvc add` of 3 GB, and of `dvc status` after all times have changed."""
    seconds = []
    for command in ("git init --quiet", "dvc init --quiet", f"dvc config cache.type {link}"):
        subprocess.run(command.split(), cwd=folder, check=True)
    (folder / "rows").mkdir()
    for number in range(files):
        noise = np.random.default_rng(number).bytes(3_000_000_000 // files)
        (folder / f"rows/{number}.npy").write_bytes(noise)
    for command in ("dvc add --quiet rows", "dvc status --quiet"):
        for file in (folder / "rows").iterdir():
            file.touch()
        start = time.monotonic()
        subprocess.run(command.split(), cwd=folder, check=True)
        seconds.append(f"{time.monotonic() - start:.0f}")
    return seconds


def peak() -> str:
    """Return the peak resident memory, in MiB."""
    status = Path("/proc/self/status").read_text()
    return f"{int(status.split('VmHWM:')[1].split()[0]) / 1024:.0f}"


if __name__ == "__main__":
    if len(sys.argv) > 2 and not sys.argv[1].startswith("-"):
        tasks: dict[str, Callable[..., list[str]]] = {"mix": mix, "read": read, "train": train}
        print(json.dumps(tasks[sys.argv[1]](*sys.argv[2:])))
    else:
        main()
