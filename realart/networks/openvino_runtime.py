"""Inference on a CPU by OpenVINO, the fastest way that was measured (`python -m benchmarks.speed`).

A network that is trained no further is stored as two files that need no Keras: a graph in XML, and
its weights.
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
"""Key, in the runtime information of a graph, of the precision that it is computed in."""
HINTS = {"float32": "f32", "bfloat16": "bf16"}
TOLERANCE = 1e-3
"""Largest difference between Keras and OpenVINO, as a share of the largest output and of 1."""

Precision = Literal["float32", "bfloat16"]

InferenceFunction = Callable[[NDArray[Any]], list[NDArray[Any]]]
"""Maps a batch, (n, ...), to the outputs of a network, (n, ...) each."""

_NAME, _ARCHITECTURE, _KERAS_WEIGHTS = "network", "network.json", "network.weights.h5"
"""File names in the temporary folder that a model is converted in."""


class UnsupportedError(RealartError):
    """OpenVINO can't run a network, or computes other outputs than Keras."""


def export(model: Any, folder: Path, name: str) -> InferenceFunction:
    """Convert a Keras model of one input, compare the outputs of both, and write it for `load`.

    Equal networks are equal bytes. Nothing is written of a network that is refused.

    Returns
    -------
    InferenceFunction
        The converted network.

    Raises
    ------
    UnsupportedError
        OpenVINO lacks an operation, or its outputs differ by more than `TOLERANCE`.
    """
    with TemporaryDirectory() as temporary:
        try:
            _convert(model, Path(temporary))
            run = load(Path(temporary), _NAME)
            _compare(keras_inference(model), run, _random_batch(model))
        except Exception as error:  # each layer fails in its own way, and none may end a training
            raise UnsupportedError(f"OpenVINO can't run this network: {error}") from error
        for file in (GRAPH, WEIGHTS):
            shutil.move(Path(temporary, file.format(_NAME)), folder / file.format(name))
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
    """Load a network that `export` or `save` wrote, once in each process."""
    modified = (folder / GRAPH.format(name)).stat().st_mtime_ns
    return _load_cached(folder.resolve(), name, modified)


@lru_cache(maxsize=8)
def _load_cached(folder: Path, name: str, _modified: int) -> InferenceFunction:
    return load(folder, name)


def load(folder: Path, name: str) -> InferenceFunction:
    """Load a network that `export` or `save` wrote.

    It takes as many threads as `OMP_NUM_THREADS` sets, which joblib's processes and Dask's workers
    have set, or all; its outputs do not depend on that.
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
        # `compiled(batch)` has one request for all threads, and mixes up their batches.
        request = compiled.create_infer_request()
        return list(request.infer(np.ascontiguousarray(batch)).values())

    return run


def keras_inference(model: Any) -> InferenceFunction:
    """Return the inference function of a Keras model, computed by Keras."""

    def run(batch: NDArray[Any]) -> list[NDArray[Any]]:
        outputs = model.predict_on_batch(batch)
        return list(map(np.asarray, outputs if isinstance(outputs, list | tuple) else [outputs]))

    return run


def _convert(model: Any, folder: Path) -> None:
    import openvino

    from realart.networks.backend import keras  # imported by whoever made the model

    if keras.config.backend() != "tensorflow":
        _convert_by_tensorflow(model, folder)
        return
    inference = keras.Model(model.input, model(model.input, training=False))
    inputs = [keras.InputSpec(shape=tensor.shape, dtype=tensor.dtype) for tensor in model.inputs]
    # `inference.export` would prepare a SavedModel too, and trace every layer: twice the time.
    function = keras.export.ExportArchive().add_endpoint("inference", inference.__call__, inputs)
    graph = openvino.convert_model(function)
    results = graph.get_results()[: len(model.outputs)]  # behind them is what nothing needs
    save(openvino.Model(results, graph.get_parameters(), "network"), folder, _NAME)


def _convert_by_tensorflow(model: Any, folder: Path) -> None:
    """Convert in a process with TensorFlow: OpenVINO does not read the graphs of today's JAX."""
    from realart.networks import builder

    (folder / _ARCHITECTURE).write_text(builder.architecture(model), "utf-8")
    model.save_weights(folder / _KERAS_WEIGHTS)
    process = subprocess.run(
        [sys.executable, "-m", "realart.networks.openvino_runtime", folder],
        env={**os.environ, "KERAS_BACKEND": "tensorflow"},
        capture_output=True,
        text=True,
        check=False,
    )
    if process.returncode:
        raise RuntimeError(process.stderr[-300:])


def _convert_stored(folder: Path) -> None:
    """Convert the model that `_convert_by_tensorflow` stored in `folder`."""
    from realart.networks import builder

    model = builder.from_architecture((folder / _ARCHITECTURE).read_text("utf-8"))
    model.load_weights(folder / _KERAS_WEIGHTS)
    _convert(model, folder)


def _random_batch(model: Any) -> NDArray[Any]:
    shape, dtype = (4, *model.inputs[0].shape[1:]), model.inputs[0].dtype
    generator = np.random.default_rng(0)
    if dtype == "uint8":
        return generator.integers(0, 256, shape, np.uint8)
    return generator.standard_normal(shape).astype(dtype)


def _compare(
    reference: InferenceFunction, converted: InferenceFunction, batch: NDArray[Any]
) -> None:
    for expected, output in zip(reference(batch), converted(batch), strict=True):
        difference = np.abs(output.astype(np.float64) - expected).max()
        if not difference <= TOLERANCE * max(1, np.abs(expected).max()):
            raise ValueError(f"its outputs differ from those of Keras by {difference:.2g}")


if __name__ == "__main__":
    _convert_stored(Path(sys.argv[1]))
