"""How fast networks are asked, trained and fed on this machine.

    python -m benchmarks.speed

Prints three tables in Markdown. Asked: pictures a second of a batch of 32 by each engine, and how
far its numbers are from TensorFlow's; PyTorch, and ONNX Runtime with `pip install onnxruntime
tf2onnx`, only where they are installed. Trained: pictures a second of `cnn150`, by Keras's own
`fit` on arrays in memory and by ours on a memory-mapped file. Fed: rows a second that our batches
deliver. Each engine and way runs in a process of its own.
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
    print(f"| network asked | {' | '.join(ENGINES)} | largest difference |")
    print(f"| --- |{' --- |' * (len(ENGINES) + 1)}")
    for name in NETWORKS:
        answers = {engine: elsewhere("ask", engine, name) for engine in ENGINES}
        cells = [f"{one['rate']:.0f}" if one else "-" for one in answers.values()]
        apart = max(one["apart"] for one in answers.values() if one)
        print(f"| {name} | {' | '.join(cells)} | {apart:.0e} |", flush=True)
    print("\n| cnn150 trained | pictures a second |\n| --- | --- |")
    for way in ("fit", "ours", "ours, mixed_bfloat16", "fit, XLA"):
        print(f"| {way} | {elsewhere('train', way)['rate']:.0f} |", flush=True)
    print("\n| fed | rows a second |\n| --- | --- |")
    for what in ("pixels, 224 px", "maps, 7x7x2048, of halves", "vectors, 1280"):
        print(f"| {what} | {elsewhere('feed', what)['rate']:.0f} |", flush=True)


def elsewhere(task: str, *arguments: str) -> dict[str, Any]:
    """Run a task in a process of its own; return what it measured, nothing where it can't run."""
    module = ENGINES.get(arguments[0], "tensorflow")
    if not importlib.util.find_spec(module):
        return {}
    keras = module if module in ("jax", "torch") else "tensorflow"
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.speed", task, *arguments],
        env={**os.environ, "KERAS_BACKEND": keras},
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        print(f"{' '.join(arguments)} fails: {done.stderr.splitlines()[-1]}", file=sys.stderr)
        return {}
    return json.loads(done.stdout.splitlines()[-1])


def ask(engine: str, name: str) -> dict[str, float]:
    """Time a recipe's network, with random weights that are the same for all engines."""
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
    for weight in model.weights:  # backends draw differently
        fan = max(1, int(np.prod(weight.shape[:-1])))
        drawn = generator.normal(0, np.sqrt(2 / fan), weight.shape)
        weight.assign(np.abs(drawn) + 0.5 if "variance" in weight.path else drawn)
    pixels = generator.integers(0, 256, (BATCH, *model.input_shape[1:]), np.uint8)
    with tempfile.TemporaryDirectory() as folder:
        run = engines(model, Path(folder))[engine]()
        (said,) = run(pixels)
        kept = Path(tempfile.gettempdir(), f"realart-speed-{name}.npy")
        if engine == "TensorFlow":
            np.save(kept, said)
        apart = np.abs(said - np.load(kept)).max() / max(1, np.abs(said).max())
        spent = [timed(lambda: run(pixels)) for _ in range(ROUNDS)]
    keras.utils.clear_session()
    return {"rate": BATCH / float(np.median(spent)), "apart": float(apart)}


def engines(
    model: Any, folder: Path
) -> dict[str, Callable[[], openvino_runtime.InferenceFunction]]:
    """Return makers of each way through a model."""

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
    """Time epochs of `cnn150`, after one that compiles."""
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
        everything = np.arange(FITTED)
        parts = folds.FoldIndices(everything, everything[:32], everything[:32], everything)
        fold_training.train_fold(
            lambda: builder.build(recipe), recipe, params, data, parts, 0,
            Path(tempfile.mkdtemp(), "fold.npz"),
            lambda _: stamps.append(time.monotonic()),
        )  # fmt: skip
    return {"rate": FITTED * EPOCHS / (stamps[-1] - stamps[1])}


def feed(what: str) -> dict[str, float]:
    """Time how fast batches in random order come from a file."""
    from realart.training import fold_training

    dtype, shape = {
        "p": ("uint8", (224, 224, 3)), "m": ("float16", (7, 7, 2048)), "v": ("float32", (1280,))
    }[what[0]]  # fmt: skip
    count = 4000
    data = rows(count, dtype, shape)
    order = np.random.default_rng(0).permutation(count)
    batches = fold_training.Batches(data, order, PARAMS.recipes["cnn150"])

    def read() -> None:
        for number in range(len(batches)):
            batches[number]

    return {"rate": count / float(np.median([timed(read) for _ in range(ROUNDS)]))}


def rows(count: int, dtype: str, shape: tuple[int, ...]) -> Any:
    """Return noise as the stages keep it: memory-mapped."""
    from realart.training.fold_training import TrainingData

    file = Path(tempfile.mkdtemp(), "rows.npy")
    np.save(file, np.random.default_rng(0).integers(0, 256, (count, *shape)).astype(dtype))
    array = np.load(file, mmap_mode="r")
    file.unlink()  # the map keeps it until the process ends
    return TrainingData((array,), np.arange(count) % 2, np.ones(count, np.float32))


def timed(work: Callable[[], object]) -> float:
    began = time.monotonic()
    work()
    return time.monotonic() - began


if __name__ == "__main__":
    if len(sys.argv) > 1:
        tasks: dict[str, Callable[..., dict[str, float]]] = {
            "ask": ask, "train": train, "feed": feed
        }  # fmt: skip
        print(json.dumps(tasks[sys.argv[1]](*sys.argv[2:])))
    else:
        main()
