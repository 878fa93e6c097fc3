"""Inference on a CPU by OpenVINO, the fastest way that was measured (`python -m benchmarks.speed`).

A network that is trained no further is stored as two files that need no Keras: a graph in XML, and
its weights.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from realart.core import errors
from realart.core.errors import RealartError
from realart.core.outputs import require_room
from realart.networks import stored_weights

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
_UNSUPPORTED = 3
"""Exit code of the process that converts a model, if OpenVINO can't run it."""


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
    OSError
        The disk is full.
    """
    graph = _graph(model)
    with _refusing():
        run = _compile(graph, "float32")
        outputs = run(_random_batch(model))
    _compare(keras_inference(model)(_random_batch(model)), outputs)
    save(graph, folder, name)
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
    require_room(folder, sum(operation.data.nbytes for operation in _constants(graph)))
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

    graph = openvino.Core().read_model(folder / GRAPH.format(name))
    if any(np.isnan(operation.data).any() for operation in _constants(graph)):
        raise ValueError("it has weights that are no numbers")
    return _compile(graph, graph.get_rt_info(PRECISION).astype(str))


def _constants(graph: Any) -> list[Any]:
    return [operation for operation in graph.get_ops() if operation.get_type_name() == "Constant"]


def _compile(graph: Any, precision: str) -> InferenceFunction:
    import openvino

    settings = {
        "INFERENCE_PRECISION_HINT": HINTS[precision if has_bfloat16() else "float32"],
        "PERFORMANCE_HINT": "LATENCY",
        "ENABLE_CPU_PINNING": False,  # else the threads of all processes share the first processor
    }
    if threads := os.environ.get("OMP_NUM_THREADS"):
        settings["INFERENCE_NUM_THREADS"] = threads
    compiled = openvino.Core().compile_model(graph, "CPU", settings)

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


@contextmanager
def _refusing() -> Iterator[None]:
    """Raise `UnsupportedError` for the errors by which OpenVINO refuses a network in memory."""
    from openvino import frontend

    try:
        yield
    except (
        frontend.GeneralFailure,
        frontend.NotImplementedFailure,
        frontend.OpConversionFailure,
        frontend.OpValidationFailure,
        RuntimeError,
        TypeError,
        ValueError,
    ) as error:
        raise UnsupportedError(f"OpenVINO can't run this network: {error}") from error


def _graph(model: Any) -> Any:
    """Convert a Keras model to an OpenVINO graph; no file is written where TensorFlow runs it."""
    import openvino

    from realart.networks.backend import keras  # imported by whoever made the model

    if keras.config.backend() != "tensorflow":
        return _graph_by_tensorflow(model)
    inference = keras.Model(model.input, model(model.input, training=False))
    inputs = [keras.InputSpec(shape=tensor.shape, dtype=tensor.dtype) for tensor in model.inputs]
    archive = keras.export.ExportArchive()
    with _refusing():
        # `inference.export` would prepare a SavedModel too, and trace every layer: twice the time.
        function = archive.add_endpoint("inference", inference.__call__, inputs)
        graph = openvino.convert_model(function)
    results = graph.get_results()[: len(model.outputs)]  # behind them is what nothing needs
    return openvino.Model(results, graph.get_parameters(), "network")


def _graph_by_tensorflow(model: Any) -> Any:
    """Convert in a process with TensorFlow: OpenVINO does not read the graphs of today's JAX."""
    import openvino

    from realart.networks import builder

    with TemporaryDirectory() as temporary:
        folder = Path(temporary)
        (folder / _ARCHITECTURE).write_text(builder.architecture(model), "utf-8")
        stored_weights.save(model, folder / _KERAS_WEIGHTS)
        process = subprocess.run(
            [sys.executable, "-m", "realart.networks.openvino_runtime", folder],
            env={**os.environ, "KERAS_BACKEND": "tensorflow"},
            capture_output=True,
            text=True,
            check=False,
        )
        reason = (process.stderr.splitlines() or [f"exit code {process.returncode}"])[-1]
        if process.returncode == _UNSUPPORTED:
            raise UnsupportedError(reason)
        if process.returncode:
            raise RealartError(f"a network can't be converted for OpenVINO: {reason}")
        return openvino.Core().read_model(folder / GRAPH.format(_NAME))


def _convert_stored() -> int:
    """Convert the model that `_graph_by_tensorflow` stored in a folder; return the exit code."""
    from realart.networks import builder

    folder = Path(sys.argv[1])
    model = builder.from_architecture((folder / _ARCHITECTURE).read_text("utf-8"))
    stored_weights.load(model, folder / _KERAS_WEIGHTS)
    try:
        save(_graph(model), folder, _NAME)
    except UnsupportedError as error:
        print(error, file=sys.stderr)
        return _UNSUPPORTED
    return 0


def _random_batch(model: Any) -> NDArray[Any]:
    shape, dtype = (4, *model.inputs[0].shape[1:]), model.inputs[0].dtype
    generator = np.random.default_rng(0)
    if dtype == "uint8":
        return generator.integers(0, 256, shape, np.uint8)
    return generator.standard_normal(shape).astype(dtype)


def _compare(reference: list[NDArray[Any]], converted: list[NDArray[Any]]) -> None:
    for expected, output in zip(reference, converted, strict=True):
        difference = np.abs(output.astype(np.float64) - expected).max()
        if not difference <= TOLERANCE * max(1, np.abs(expected).max()):
            raise UnsupportedError(
                "OpenVINO can't run this network: its outputs differ from those of Keras by "
                f"{difference:.2g}"
            )


if __name__ == "__main__":
    errors.run(_convert_stored)
