"""Training on simulated devices: its overhead on one machine, and the differences of results.

    python -m benchmarks.devices [--pictures 256] [--epochs 4] [--recipe cnn]

First one fold by JAX on 1, 2 and 4 devices, all simulated on this machine's processors: seconds an
epoch after the first, which compiles, and their sum over all cores; the largest differences of
weights, losses and scores from those of one device. Then `train` of two folds of the sample by
TensorFlow, sequentially and in parallel on two GPUs that exist by name only. Tables are printed in
Markdown. Nothing can become faster here: the processors are the same for any number of devices.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

import numpy as np

from realart.core import yaml12

COUNTS = (1, 2, 4)
STAGES = ("download", "clean", "split", "balance", "ela", "features")


def one_fold(recipe_name: str, pictures: int, epochs: int, count: int, file: Path) -> None:
    """Train a fold on noise that is brighter for ai; save results, print seconds an epoch."""
    from realart.networks import backend, builder
    from realart.params import load_params
    from realart.training import fold_training, folds

    params = load_params()
    recipe = params.recipes[recipe_name].model_copy(
        update={"epochs": epochs, "patience": epochs, "batch_size": 32}
    )
    backend.prepare(
        params.train.seed,
        deterministic=params.train.deterministic,
        precision=params.train.precision,
    )
    backend.distribute(count)
    labels = np.arange(pictures + 64) % 2
    size = recipe.sees.size
    pixels = np.random.default_rng(0).integers(0, 156, (len(labels), size, size, 3), np.uint8)
    pixels += (labels * 100).astype(np.uint8)[:, None, None, None]
    data = fold_training.TrainingData((pixels,), labels, np.ones(len(labels), np.float32))
    rows = np.arange(len(labels))
    parts = folds.FoldIndices(rows[:pictures], rows[pictures:], rows[pictures:], rows[:pictures])
    ends = []
    model, records = fold_training.train_fold(
        partial(builder.build, recipe), recipe, params.train, data, parts, 0,
        file.with_suffix(".checkpoint"),
        lambda record: ends.append((time.perf_counter(), time.process_time())),
    )  # fmt: skip
    np.savez(
        file,
        losses=[record["loss"] for record in records],
        scores=fold_training.predict(model, recipe, data, parts.val),
        **{f"weight{number}": weight.numpy() for number, weight in enumerate(model.weights)},
    )
    print(json.dumps(np.median(np.diff(ends, axis=0), axis=0).tolist()))


def several_devices(arguments: argparse.Namespace, folder: Path) -> None:
    print(
        "| devices | s an epoch | of cores | largest difference: weights | losses | scores |\n|"
        + " --- |" * 6
    )
    single: dict[str, np.ndarray] = {}
    for count in COUNTS:
        file = folder / f"{count}.npz"
        task = [arguments.recipe, arguments.pictures, arguments.epochs, count, file]
        result = subprocess.run(
            [sys.executable, "-m", "benchmarks.devices", "--fold", *map(str, task)],
            env={
                **os.environ,
                "KERAS_BACKEND": "jax",
                "XLA_FLAGS": f"--xla_force_host_platform_device_count={count}",
            },
            stdout=subprocess.PIPE,
            check=True,
        )
        with np.load(file) as stored:
            outcome = dict(stored)
        single = single or outcome
        differences = {key: np.abs(outcome[key] - single[key]).max() for key in outcome}
        weights = max(value for key, value in differences.items() if key.startswith("weight"))
        seconds, of_cores = json.loads(result.stdout)
        print(
            f"| {count} | {seconds:.2f} | {of_cores:.2f} | "
            + " | ".join(
                f"{difference:.1e}"
                for difference in (weights, differences["losses"], differences["scores"])
            )
            + " |",
            flush=True,
        )


def parallel_folds(arguments: argparse.Namespace, folder: Path) -> None:
    """Time `train` of two folds, sequentially and in parallel, after the stages before it."""
    clone, bin_ = folder / "project", folder / "bin"
    subprocess.run(["git", "clone", "-q", ".", clone], check=True)
    content = yaml12.load((clone / "params.yaml").read_text(), "params.yaml")
    content["model"], content["split"]["folds"] = arguments.recipe, 2
    content["recipes"][arguments.recipe] |= {"epochs": arguments.epochs, "patience": 99}
    (clone / "params.yaml").write_text(yaml12.dump(content))
    bin_.mkdir()
    (bin_ / "nvidia-smi").write_text("#!/bin/sh\nprintf 'GPU-1\\nGPU-2\\n'\n")
    (bin_ / "nvidia-smi").chmod(0o755)
    variables = {**os.environ, "PYTHONPATH": str(clone), "TMPDIR": str(folder)}
    options = {"cwd": clone, "stdout": subprocess.DEVNULL, "check": True}
    for stage in STAGES:
        subprocess.run([sys.executable, "-m", f"stages.{stage}"], env=variables, **options)
    print("\n| two folds | s | of cores | same bytes |\n| --- | --- | --- | --- |")
    expected: dict[str, bytes] = {}
    for name, changes in (
        ("sequentially", {"CUDA_VISIBLE_DEVICES": ""}),
        ("in parallel", {"PATH": f"{bin_}{os.pathsep}{os.environ['PATH']}"}),
    ):
        before = os.times()
        subprocess.run(
            [sys.executable, "-m", "stages.train"], env={**variables, **changes}, **options
        )
        _, _, user, system, seconds = np.subtract(os.times(), before)
        files = [file for file in (clone / "models/folds").rglob("*") if file.is_file()]
        folds = {str(file): file.read_bytes() for file in files}
        same = ("yes" if folds == expected else "NO") if expected else ""
        print(f"| {name} | {seconds:.0f} | {user + system:.0f} | {same} |", flush=True)
        expected = folds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pictures", type=int, default=256)
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--recipe", default="cnn")
    parser.add_argument("--fold", nargs=5, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.fold:
        name, *counts, file = arguments.fold
        one_fold(name, *map(int, counts), Path(file))
        return
    with tempfile.TemporaryDirectory() as folder:
        several_devices(arguments, Path(folder))
        parallel_folds(arguments, Path(folder))


if __name__ == "__main__":
    main()
