"""The fastest way through a trained network on a CPU: OpenVINO (`python -m benchmarks.speed`).

A network that is only asked is kept as two files, which need no Keras: a graph in XML and its
weights.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from realart.core.errors import RealartError

sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
# OpenVINO's converter would tell Google of its use; it does without what can't be imported.

GRAPH, WEIGHTS = "{}.xml", "{}.bin"
PRECISION = ["realart", "precision"]
"""Where a graph says in what precision it is to be computed."""
HINTS = {"float32": "f32", "bfloat16": "bf16"}
TOLERANCE = 1e-3
"""Of the largest number that a network says, and of 1."""

Precision = Literal["float32", "bfloat16"]

InferenceFunction = Callable[[NDArray[Any]], list[NDArray[Any]]]
"""A batch in, what each output of a network says of it out, (n, ...) each."""


class UnsupportedError(RealartError):
    """OpenVINO can't run a network, or says something else than Keras."""


def export(model: Any, folder: Path, name: str) -> InferenceFunction:
    """Write a Keras model of one input for `load`, having compared what both say; return that run.

    Equal networks are equal bytes. Nothing is written of one that is refused.

    Raises
    ------
    UnsupportedError
        OpenVINO has no such operation, or differs by more than `TOLERANCE`.
    """
    with TemporaryDirectory() as beside:
        try:
            _write(model, Path(beside))
            run = load(Path(beside), "it")
            _compare(by_keras(model), run, _noise(model))
        except Exception as error:  # each layer fails in its own way, and none may end a training
            raise UnsupportedError(f"OpenVINO can't run this network: {error}") from error
        for file in (GRAPH, WEIGHTS):
            shutil.move(Path(beside, file.format("it")), folder / file.format(name))
    return run


def save(graph: Any, folder: Path, name: str, precision: Precision = "float32") -> None:
    """Write an OpenVINO graph for `load`, which computes it in `precision` where it can.

    For `bfloat16`, weights are stored in 16 bits, at half the size. Equal graphs are equal bytes.
    """
    import openvino

    # Names count on from whatever the process has made before.
    for number, operation in enumerate(graph.get_ordered_ops()):
        operation.set_friendly_name(f"{number}")
        for output in operation.outputs():
            output.get_tensor().set_names(set())
    graph.set_rt_info(precision, PRECISION)
    halved = precision == "bfloat16"
    openvino.save_model(graph, folder / GRAPH.format(name), compress_to_fp16=halved)


def has_bfloat16() -> bool:
    """Return whether this processor computes in bfloat16."""
    import openvino

    return "BF16" in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


def load_cached(folder: Path, name: str) -> InferenceFunction:
    """Return the way through a network that `export` wrote, loaded once in each process."""
    return _kept(folder.resolve(), name, (folder / GRAPH.format(name)).stat().st_mtime_ns)


@lru_cache(maxsize=8)
def _kept(folder: Path, name: str, _modified: int) -> InferenceFunction:
    return load(folder, name)


def load(folder: Path, name: str) -> InferenceFunction:
    """Return the way through a network that `export` wrote.

    It takes as many threads as `OMP_NUM_THREADS` says, which joblib's processes and Dask's workers
    have set, or all; what it says does not depend on that.
    """
    import openvino  # takes a moment, and models without networks do without it

    core = openvino.Core()
    model = core.read_model(folder / GRAPH.format(name))
    precision = model.get_rt_info(PRECISION).astype(str) if has_bfloat16() else "float32"
    settings = {
        "INFERENCE_PRECISION_HINT": HINTS[precision],
        "PERFORMANCE_HINT": "LATENCY",
        "ENABLE_CPU_PINNING": False,  # else the threads of all processes share the first processor
    }
    if threads := os.environ.get("OMP_NUM_THREADS"):
        settings["INFERENCE_NUM_THREADS"] = threads
    compiled = core.compile_model(model, "CPU", settings)

    def run(batch: NDArray[Any]) -> list[NDArray[Any]]:
        # `compiled(batch)` has one request for all threads, and mixes up what they ask.
        request = compiled.create_infer_request()
        return list(request.infer(np.ascontiguousarray(batch)).values())

    return run


def by_keras(model: Any) -> InferenceFunction:
    """Return the way through a Keras model."""

    def run(batch: NDArray[Any]) -> list[NDArray[Any]]:
        said = model.predict_on_batch(batch)
        return list(map(np.asarray, said if isinstance(said, list | tuple) else [said]))

    return run


def _write(model: Any, folder: Path) -> None:
    import openvino

    from realart.networks.backend import keras  # imported by whoever made the model

    if keras.config.backend() != "tensorflow":
        _write_elsewhere(model, folder)
        return
    asked = keras.Model(model.input, model(model.input, training=False))
    seen = [keras.InputSpec(shape=one.shape, dtype=one.dtype) for one in model.inputs]
    # `asked.export` would prepare a SavedModel too, and trace every layer of it: twice the time.
    function = keras.export.ExportArchive().add_endpoint("asked", asked.__call__, seen)
    found = openvino.convert_model(function)
    results = found.get_results()[: len(model.outputs)]  # behind them is what nothing needs
    save(openvino.Model(results, found.get_parameters(), "network"), folder, "it")


def _write_elsewhere(model: Any, folder: Path) -> None:
    """Let a process with TensorFlow write: OpenVINO does not read the graphs of today's JAX."""
    from realart.networks import builder

    (folder / "it.json").write_text(builder.architecture(model), "utf-8")
    model.save_weights(folder / "it.weights.h5")
    done = subprocess.run(
        [sys.executable, "-m", "realart.networks.openvino_runtime", folder],
        env={**os.environ, "KERAS_BACKEND": "tensorflow"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(done.stderr[-300:])


def _write_rebuilt(folder: Path) -> None:
    from realart.networks import builder

    model = builder.from_architecture((folder / "it.json").read_text("utf-8"))
    model.load_weights(folder / "it.weights.h5")
    _write(model, folder)


def _noise(model: Any) -> NDArray[Any]:
    shape, dtype = (4, *model.inputs[0].shape[1:]), model.inputs[0].dtype
    generator = np.random.default_rng(0)
    if dtype == "uint8":
        return generator.integers(0, 256, shape, np.uint8)
    return generator.standard_normal(shape).astype(dtype)


def _compare(one: InferenceFunction, other: InferenceFunction, batch: NDArray[Any]) -> None:
    for expected, found in zip(one(batch), other(batch), strict=True):
        apart = np.abs(found.astype(np.float64) - expected).max()
        if not apart <= TOLERANCE * max(1, np.abs(expected).max()):
            raise ValueError(f"its numbers differ by {apart:.2g}")


if __name__ == "__main__":
    _write_rebuilt(Path(sys.argv[1]))
