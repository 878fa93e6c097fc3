"""Time an inference engine on squares, in an environment that has it; print a JSON line.

    python encoder_rates.py {openvino,onnxruntime,torch} {float32,bfloat16} MODEL SQUARES.npy

MODEL is an ONNX file or an OpenVINO graph that takes normalised float32 (n, 3, size, size), or, for
PyTorch, the name of a network of open_clip, with random weights, which take as much time. A graph
with a uint8 input is given the squares as they are. Imports nothing of realart.
"""

import json
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

BATCH, CHUNK, SECONDS = 8, 32, 20.0
MEAN, STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)


def openvino(model: str, precision: str, squares: Any) -> Callable[[], None]:
    import openvino as ov

    core = ov.Core()
    graph = core.read_model(model)
    if graph.input(0).element_type == ov.Type.f32:
        squares = normalised(squares)
    length = graph.input(0).partial_shape[0]
    count = BATCH if length.is_dynamic else length.get_length()
    hint = {"float32": "f32", "bfloat16": "bf16"}[precision]
    settings = {"PERFORMANCE_HINT": "THROUGHPUT", "INFERENCE_PRECISION_HINT": hint}
    compiled = core.compile_model(graph, "CPU", settings)
    queue = ov.AsyncInferQueue(compiled)

    def run() -> None:
        for start in range(0, len(squares), count):
            queue.start_async(squares[start : start + count])
        queue.wait_all()

    return run


def onnxruntime(model: str, precision: str, squares: Any) -> Callable[[], None]:
    import onnxruntime as ort

    assert precision == "float32", "its CPU kernels have no bfloat16"
    session = ort.InferenceSession(model, providers=["CPUExecutionProvider"])
    name, squares = session.get_inputs()[0].name, normalised(squares)

    def run() -> None:
        for start in range(0, len(squares), BATCH):
            session.run(None, {name: squares[start : start + BATCH]})

    return run


def torch(model: str, precision: str, squares: Any) -> Callable[[], None]:
    import open_clip
    import torch

    tower = open_clip.create_model(model).visual.eval()
    tensor = torch.from_numpy(normalised(squares))

    def run() -> None:
        halved = torch.autocast("cpu", torch.bfloat16, enabled=precision == "bfloat16")
        with torch.inference_mode(), halved:
            for start in range(0, len(tensor), BATCH):
                tower(tensor[start : start + BATCH])

    return run


def normalised(squares: Any) -> Any:
    """Normalise uint8 squares (n, size, size, 3) for CLIP: float32 (n, 3, size, size)."""
    scaled = (squares / np.float32(255) - np.float32(MEAN)) / np.float32(STD)
    return np.ascontiguousarray(scaled.transpose(0, 3, 1, 2), np.float32)


def main() -> None:
    engine, precision, model, path = sys.argv[1:]
    squares = np.load(path)[:CHUNK]
    engines = {"openvino": openvino, "onnxruntime": onnxruntime, "torch": torch}
    run = engines[engine](model, precision, squares)
    run()
    start, rounds = time.perf_counter(), 0
    while time.perf_counter() - start < SECONDS:
        run()
        rounds += 1
    print(json.dumps({"rate": rounds * len(squares) / (time.perf_counter() - start)}))


if __name__ == "__main__":
    main()
