"""Compare stages on local processes and on a local Dask cluster: bytes, time and memory.

    python -m benchmarks.cluster [--pictures 20000] [--workers 1 2 4] [--set ZIP]

First, the overhead of an item: items without work. Then `clean` on `--pictures` pictures of 256
pixels a side, by each number of processes, and of workers whose scheduler is the benchmark's own
process. Last, with `--set`, the pipeline up to `robustness` on a real archive, in two clones of the
last commit, one for each engine; the hashes in dvc.lock are compared. Tables are printed in
Markdown. Memory is the peak of the process of `clean`, and the growth of the scheduler (resident,
MiB).
"""

import argparse
import math
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil
from distributed import LocalCluster

from benchmarks.scale import clone_project, write_pictures
from realart.core import dask_cluster, yaml12
from realart.core.parallel import map_parallel

ITEMS = 5000
LAST = "robustness"


@contextmanager
def workers(count: int) -> Iterator[dict[str, str]]:
    """Start workers of one thread each; yield environment variables with their address."""
    with LocalCluster(n_workers=count, threads_per_worker=1, dashboard_address=None) as cluster:
        yield {dask_cluster.ADDRESS: cluster.scheduler_address}


def print_overhead(counts: Sequence[int]) -> None:
    print("| engine | microseconds an item without work |\n| --- | --- |")
    print(f"| processes | {overhead():.0f} |")
    for count in counts:
        with workers(count) as address:
            os.environ.update(address)
            print(f"| {count} workers | {overhead():.0f} |", flush=True)
            dask_cluster.get_client(os.environ[dask_cluster.ADDRESS]).close()
            dask_cluster.get_client.cache_clear()
            del os.environ[dask_cluster.ADDRESS]


def overhead() -> float:
    """Return the microseconds that an item without work takes."""
    list(map_parallel(math.sqrt, range(100), "start"))
    start = time.perf_counter()
    list(map_parallel(math.sqrt, range(ITEMS), "empty"))
    return (time.perf_counter() - start) / ITEMS * 1e6


def clean(folder: Path, environment: dict[str, str]) -> tuple[float, float, dict[str, bytes]]:
    """Run `clean`; return its seconds, the peak MiB of its process, and the files that it wrote."""
    code = (
        "import resource; from stages import clean; clean.main(); "
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)"
    )
    start = time.perf_counter()
    result = subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder), **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    seconds = time.perf_counter() - start
    files = {file.name: file.read_bytes() for file in (folder / "data/clean").rglob("*.*")}
    return seconds, float(result.stdout.split()[-1]), files


def compare_clean(folder: Path, pictures: int, counts: Sequence[int]) -> None:
    write_pictures(folder / "pictures.zip", pictures)
    clone = clone_project(folder, folder / "pictures.zip")
    subprocess.run(["dvc", "repro", "download"], cwd=clone, stdout=subprocess.DEVNULL, check=True)
    print(
        f"\n`clean` of {pictures} pictures\n\n"
        "| engine | s | pictures/s | MiB | scheduler, MiB | same bytes |\n|" + " --- |" * 6
    )
    expected: dict[str, bytes] = {}
    for count in [count for count in counts if count <= os.cpu_count()]:
        seconds, memory, expected = clean(clone, {"LOKY_MAX_CPU_COUNT": f"{count}"})
        row = f"| {count} processes | {seconds:.0f} | {pictures / seconds:.0f} | {memory:.0f} | | |"
        print(row, flush=True)
    for count in counts:
        with workers(count) as address:
            before = psutil.Process().memory_info().rss
            seconds, memory, files = clean(clone, address)
            growth = (psutil.Process().memory_info().rss - before) / 2**20
        same = "yes" if files == expected else "NO"
        print(
            f"| {count} workers | {seconds:.0f} | {pictures / seconds:.0f} | {memory:.0f} | "
            f"{growth:+.0f} | {same} |",
            flush=True,
        )


def compare_pipelines(folder: Path, archive: Path) -> None:
    locks = []
    for engine in ("processes", "workers"):
        (folder / engine).mkdir()
        clone = clone_project(folder / engine, archive.resolve())
        (clone / "dvc.lock").unlink()  # of another dataset, and of later stages
        start = time.perf_counter()
        with workers(os.cpu_count() or 1) as address:
            variables = {} if engine == "processes" else address
            subprocess.run(
                ["dvc", "repro", LAST],
                cwd=clone,
                env={**os.environ, **variables},
                stdout=subprocess.DEVNULL,
                check=True,
            )
        print(f"`dvc repro {LAST}`, {engine}: {time.perf_counter() - start:.0f} s", flush=True)
        lock = yaml12.load((clone / "dvc.lock").read_text(), "dvc.lock")["stages"]
        locks.append({name: stage["outs"] for name, stage in lock.items() if "outs" in stage})
    for name in locks[0]:
        print(f"{name}: {'the same bytes' if locks[0][name] == locks[1][name] else 'OTHER BYTES'}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pictures", type=int, default=20_000)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--set", type=Path, metavar="ZIP")
    arguments = parser.parse_args()
    print_overhead(arguments.workers)
    with tempfile.TemporaryDirectory() as folder:
        if arguments.pictures:
            compare_clean(Path(folder), arguments.pictures, arguments.workers)
        if arguments.set:
            print(f"\n{arguments.set.name}\n")
            compare_pipelines(Path(folder), arguments.set)


if __name__ == "__main__":
    main()
