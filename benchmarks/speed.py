"""The speed of inference, training and batch reading on this machine.

    python -m benchmarks.speed

Prints three tables in Markdown. Inference: pictures a second of a batch of 32 by each engine, and
the largest difference of its outputs from TensorFlow's; PyTorch, and ONNX Runtime with `pip install
onnxruntime tf2onnx`, only if they are installed. Training: pictures a second of `cnn150`, by the
`fit` of Keras on arrays in memory and by `train_fold` on a memory-mapped file. Batches: rows a
second that are read from a file. Each measurement runs in a process of its own.
"""

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from realart.networks import openvino_runtime
from realart.params import load_params

ROOT = Path(__file__).parents[1]
PARAMS = load_params(ROOT / "params.yaml")
NETWORKS = ("mobilenetv2_svm", "mobilenetv2", "efficientnetb0", "resnet101", "cnn150")
ENGINES = {
    "TensorFlow": "tensorflow", "JAX": "jax", "PyTorch": "torch",
    "ONNX Runtime": "onnxruntime", "OpenVINO": "openvino",
}  # fmt: skip
BATCH, ROUNDS = 32, 3
FITTED, EPOCHS = 640, 3


def main() -> None:
    print(f"| inference | {' | '.join(ENGINES)} | largest difference |")
    print(f"| --- |{' --- |' * (len(ENGINES) + 1)}")
    for name in NETWORKS:
        results = {engine: run_task("infer", engine, name) for engine in ENGINES}
        cells = [f"{result['rate']:.0f}" if result else "-" for result in results.values()]
        difference = max(result["difference"] for result in results.values() if result)
        print(f"| {name} | {' | '.join(cells)} | {difference:.0e} |", flush=True)
    print("\n| training of cnn150 | pictures a second |\n| --- | --- |")
    for way in ("fit", "train_fold", "train_fold, mixed_bfloat16", "fit, XLA"):
        print(f"| {way} | {run_task('train', way)['rate']:.0f} |", flush=True)
    print("\n| batches, in random order | rows a second |\n| --- | --- |")
    for kind in ("pixels, 224 px", "maps, 7x7x2048, of halves", "vectors, 1280"):
        print(f"| {kind} | {run_task('read', kind)['rate']:.0f} |", flush=True)


def run_task(task: str, *arguments: str) -> dict[str, Any]:
    """Run a task in a process of its own; return its measurements, none if it can't run."""
    module = ENGINES.get(arguments[0], "tensorflow")
    if not importlib.util.find_spec(module):
        return {}
    keras = module if module in ("jax", "torch") else "tensorflow"
    result = subprocess.run(
        [sys.executable, "-m", "benchmarks.speed", task, *arguments],
        env={**os.environ, "KERAS_BACKEND": keras},
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if result.returncode:
        print(f"{' '.join(arguments)} fails: {result.stderr.splitlines()[-1]}", file=sys.stderr)
        return {}
    return json.loads(result.stdout.splitlines()[-1])


def infer(engine: str, name: str) -> dict[str, float]:
    """Time the inference of a recipe's network, with the same random weights for all engines."""
    from realart.features import feature_extractors
    from realart.networks import builder
    from realart.networks.backend import keras

    recipe = PARAMS.recipes[name]
    if name == "mobilenetv2_svm":
        part = PARAMS.descriptors["mobilenetv2"]
        random = part.backbone.model_copy(update={"weights": "none"})
        model = feature_extractors.network(part.model_copy(update={"backbone": random}))
    else:
        model = builder.build(builder.with_random_weights(recipe))
    generator = np.random.default_rng(0)
    for weight in model.weights:  # backends draw different ones
        fan = max(1, int(np.prod(weight.shape[:-1])))
        values = generator.normal(0, np.sqrt(2 / fan), weight.shape)
        weight.assign(np.abs(values) + 0.5 if "variance" in weight.path else values)
    pixels = generator.integers(0, 256, (BATCH, *model.input_shape[1:]), np.uint8)
    with tempfile.TemporaryDirectory() as folder:
        run = engines(model, Path(folder))[engine]()
        (outputs,) = run(pixels)
        reference = Path(tempfile.gettempdir(), f"realart-speed-{name}.npy")
        if engine == "TensorFlow":
            np.save(reference, outputs)
        difference = np.abs(outputs - np.load(reference)).max() / max(1, np.abs(outputs).max())
        times = [timed(lambda: run(pixels)) for _ in range(ROUNDS)]
    keras.utils.clear_session()
    return {"rate": BATCH / float(np.median(times)), "difference": float(difference)}


def engines(
    model: Any, folder: Path
) -> dict[str, Callable[[], openvino_runtime.InferenceFunction]]:
    """Return, for each engine, a function that prepares the model for inference."""

    def onnx() -> openvino_runtime.InferenceFunction:
        import onnxruntime

        model(np.zeros((1, *model.input_shape[1:]), np.uint8))
        model.export(f"{folder}/it.onnx", format="onnx", verbose=False)
        session = onnxruntime.InferenceSession(f"{folder}/it.onnx")
        name = session.get_inputs()[0].name
        return lambda batch: session.run(None, {name: batch})

    ways = dict.fromkeys(
        ("TensorFlow", "JAX", "PyTorch"), lambda: openvino_runtime.keras_inference(model)
    )
    return ways | {
        "ONNX Runtime": onnx,
        "OpenVINO": lambda: openvino_runtime.export(model, folder, "it"),
    }


def train(way: str) -> dict[str, float]:
    """Time epochs of `cnn150`, after a first epoch that compiles."""
    from realart.networks import backend, builder
    from realart.training import fold_training, folds

    recipe = PARAMS.recipes["cnn150"].model_copy(update={"epochs": 1 + EPOCHS, "patience": 99})
    precision = "mixed_bfloat16" if "bfloat16" in way else "float32"
    params = PARAMS.train.model_copy(update={"precision": precision})
    backend.prepare(params.seed, deterministic=params.deterministic, precision=params.precision)
    data = rows(FITTED, "uint8", (recipe.sees.size,) * 2 + (3,))
    stamps = [0.0]
    if way.startswith("fit"):
        model = builder.build(recipe)
        builder.compile_for(model, recipe, recipe.optimizer.learning_rate)
        model.jit_compile = "XLA" in way
        pixels, targets = np.array(data.inputs[0]), builder.targets(data.labels, recipe)
        stamp = backend.keras.callbacks.LambdaCallback(
            on_epoch_end=lambda *_: stamps.append(time.monotonic())
        )
        model.fit(pixels, targets, 32, recipe.epochs, verbose=0, callbacks=[stamp],
                  validation_data=(pixels[:32], targets[:32]))  # fmt: skip
    else:
        rows_used = np.arange(FITTED)
        parts = folds.FoldIndices(rows_used, rows_used[:32], rows_used[:32], rows_used)
        fold_training.train_fold(
            lambda: builder.build(recipe), recipe, params, data, parts, 0,
            Path(tempfile.mkdtemp(), "fold.npz"),
            lambda _: stamps.append(time.monotonic()),
        )  # fmt: skip
    return {"rate": FITTED * EPOCHS / (stamps[-1] - stamps[1])}


def read_batches(kind: str) -> dict[str, float]:
    """Time the reading of batches from a file, in random order."""
    from realart.training import fold_training

    dtype, shape = {
        "p": ("uint8", (224, 224, 3)), "m": ("float16", (7, 7, 2048)), "v": ("float32", (1280,))
    }[kind[0]]  # fmt: skip
    count = 4000
    data = rows(count, dtype, shape)
    order = np.random.default_rng(0).permutation(count)
    batches = fold_training.Batches(data, order, PARAMS.recipes["cnn150"])

    def read() -> None:
        for number in range(len(batches)):
            batches[number]

    return {"rate": count / float(np.median([timed(read) for _ in range(ROUNDS)]))}


def rows(count: int, dtype: str, shape: tuple[int, ...]) -> Any:
    """Return rows of noise, memory-mapped as in the stages."""
    from realart.training.fold_training import TrainingData

    file = Path(tempfile.mkdtemp(), "rows.npy")
    np.save(file, np.random.default_rng(0).integers(0, 256, (count, *shape)).astype(dtype))
    array = np.load(file, mmap_mode="r")
    file.unlink()  # the map keeps it until the process ends
    return TrainingData((array,), np.arange(count) % 2, np.ones(count, np.float32))


def timed(function: Callable[[], object]) -> float:
    start = time.monotonic()
    function()
    return time.monotonic() - start


if __name__ == "__main__":
    if len(sys.argv) > 1:
        tasks: dict[str, Callable[..., dict[str, float]]] = {
            "infer": infer, "train": train, "read": read_batches
        }  # fmt: skip
        print(json.dumps(tasks[sys.argv[1]](*sys.argv[2:])))
    else:
        main()
