"""Small random encoders as ONNX files, and what ONNX's own evaluator computes of them."""

from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

WIDTH, PATCH, SIDE = 12, 8, 32
TOKENS = (SIDE // PATCH) ** 2


class Graph:
    """An ONNX graph that is written node by node."""

    def __init__(self, shape: tuple[int | str, ...], name: str = "pixel_values") -> None:
        self.rng = np.random.default_rng(0)
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []
        self.inputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)]

    def add(self, kind: str, *inputs: str, name: str = "", **attributes: object) -> str:
        name = name or f"{kind.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [name], name=name, **attributes))
        return name

    def weight(self, *shape: int, scale: float = 0.3) -> str:
        return self.constant(self.rng.normal(0, scale, shape).astype(np.float32))

    def constant(self, values: NDArray[np.generic] | float) -> str:
        name = f"weight_{len(self.weights)}"
        values = np.asarray(values, np.float32) if isinstance(values, float) else values
        self.weights.append(numpy_helper.from_array(values, name))
        return name

    def save(self, path: Path, **outputs: tuple[int | str, ...]) -> Path:
        found = [
            helper.make_tensor_value_info(key, TensorProto.FLOAT, shape)
            for key, shape in outputs.items()
        ]
        graph = helper.make_graph(self.nodes, "encoder", self.inputs, found, self.weights)
        opset = [helper.make_opsetid("", 17)]
        model = helper.make_model(graph, opset_imports=opset, ir_version=8)
        onnx.checker.check_model(model, full_check=True)
        onnx.save(model, path)
        return path


def transformer(
    path: Path,
    *,
    prefix: int = 1,
    blocks: int = 3,
    batch: int | str = "batch",
    channels_last: bool = False,
) -> Path:
    """Write a vision transformer of `prefix` tokens before those of 4 x 4 patches of 8 pixels.

    It has the tensors `block_0` to `block_<n - 1>`, (n, tokens, 12), and `embedding`, (n, 5).
    """
    shape = (batch, SIDE, SIDE, 3) if channels_last else (batch, 3, SIDE, SIDE)
    graph = Graph(shape)
    pixels = "pixel_values"
    if channels_last:
        pixels = graph.add("Transpose", pixels, perm=[0, 3, 1, 2])
    kernel = graph.weight(WIDTH, 3, PATCH, PATCH, scale=0.05)
    maps = graph.add("Conv", pixels, kernel, strides=[PATCH, PATCH])
    flat = graph.add("Reshape", maps, graph.constant(np.array([0, WIDTH, TOKENS])))
    x = graph.add("Transpose", flat, perm=[0, 2, 1])
    for _ in range(prefix):
        zero = graph.add("Mul", graph.add("ReduceMean", x, axes=[1]), graph.constant(0.0))
        token = graph.add("Add", zero, graph.weight(1, 1, WIDTH))
        x = graph.add("Concat", token, x, axis=1)
    x = graph.add("Add", x, graph.weight(1, TOKENS + prefix, WIDTH))
    for number in range(blocks):
        query, key, value = (graph.add("MatMul", x, graph.weight(WIDTH, WIDTH)) for _ in range(3))
        scores = graph.add("MatMul", query, graph.add("Transpose", key, perm=[0, 2, 1]))
        mixed = graph.add("MatMul", graph.add("Softmax", scores, axis=-1), value)
        biased = graph.add("Add", mixed, graph.weight(WIDTH))
        x = graph.add("Add", x, biased)
        hidden = graph.add("Relu", graph.add("MatMul", x, graph.weight(WIDTH, 24)))
        x = graph.add(
            "Add", x, graph.add("MatMul", hidden, graph.weight(24, WIDTH)), name=f"block_{number}"
        )
    mean = graph.add("ReduceMean", x, axes=[1], keepdims=0)
    embedding = graph.add("MatMul", mean, graph.weight(WIDTH, 5), name="embedding")
    return graph.save(path, **{embedding: (batch, 5)})


def convolutional(path: Path, channels: int = 3) -> Path:
    """Write a network of two residual blocks, `block_0` and `block_1`, (n, 12, 8, 8)."""
    graph = Graph(("batch", channels, "height", "width"))
    strides = {"strides": [4, 4]}
    x = graph.add("Conv", "pixel_values", graph.weight(WIDTH, channels, 4, 4), **strides)
    for number in range(2):
        kernel = graph.weight(WIDTH, WIDTH, 3, 3, scale=0.1)
        inside = graph.add("Relu", graph.add("Conv", x, kernel, pads=[1, 1, 1, 1]))
        x = graph.add("Add", inside, x, name=f"block_{number}")
    pooled = graph.add("GlobalAveragePool", x, name="pooled")
    return graph.save(path, **{pooled: ("batch", WIDTH, 1, 1)})


def mixing(path: Path) -> Path:
    """Write an encoder whose embedding of a picture depends on the others of its batch."""
    graph = Graph(("batch", 3, SIDE, SIDE))
    alone = graph.add("ReduceMean", "pixel_values", axes=[2, 3], keepdims=0)
    mean = graph.add("ReduceMean", alone, axes=[0])
    embedding = graph.add("Sub", alone, mean, name="embedding")
    return graph.save(path, **{embedding: ("batch", 3)})


def computed(path: Path, tensor: str, values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return a tensor inside an ONNX file, by the evaluator that ONNX defines its operators by."""
    model = onnx.load(path)
    wanted = helper.make_tensor_value_info(tensor, TensorProto.FLOAT, None)
    del model.graph.output[:]
    model.graph.output.append(wanted)
    name = model.graph.input[0].name
    return np.asarray(ReferenceEvaluator(model).run(None, {name: values})[0])
