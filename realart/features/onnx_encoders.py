"""Networks of descriptors from ONNX image encoders: up to the tapped tensors, with pooling inside.

They map squares to feature vectors and are run by OpenVINO (`realart.networks.openvino_runtime`).
Nothing of the encoder remains that the taps do not need.
"""

import difflib
import re
from collections.abc import Iterator
from math import isqrt
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from filelock import FileLock

from realart.core import hashing, hub, project
from realart.core.errors import RealartError
from realart.networks import openvino_runtime
from realart.networks.weight_files import encoder_file
from realart.params import REMOTE, Encoder, OnnxFeatures, Tap

if TYPE_CHECKING:
    import openvino

Tensor = Any
"""An output of a node of an OpenVINO graph."""

INDEPENDENCE_TOLERANCE = 1e-2
"""Largest relative difference between a square encoded alone and in a batch."""


def save_network(name: str, part: OnnxFeatures, folder: Path, file: str) -> None:
    """Build the network of the descriptor `name`, and write it as `file` into `folder`.

    Raises
    ------
    RealartError
        The file is missing, can't be downloaded, does not match its `sha256`, is no ONNX image
        encoder, or lacks a tensor.
    """
    network = build(name, part, fetch(name, part.encoder))
    openvino_runtime.save(network, folder, file, part.precision)


def fetch(name: str, encoder: Encoder) -> Path:
    """Return the ONNX file of the descriptor `name`, downloaded once for all experiments.

    Raises
    ------
    RealartError
        There is no such file, or it does not match `sha256`, in which case a download is removed.
    """
    setting = f"descriptors.{name}.encoder"
    local = encoder_file(name, encoder)
    file = local or _download(encoder, setting)
    digest = hashing.sha256(file)
    if not encoder.sha256:
        if local:  # else a file that has changed would not be noticed
            raise RealartError(f"{setting}.sha256 is missing: set it to {digest}")
        revision = file.parts[file.parts.index("snapshots") + 1]
        print(f"features: {encoder.file} is revision {revision}, sha256 {digest}: pin both")
    elif digest != encoder.sha256.lower():
        advice = f"accept this one with -S {setting}.sha256={digest}"
        if not local:
            file.resolve().unlink()
            file.unlink(missing_ok=True)
            advice = f"the download was removed; run again, or {advice}"
        raise RealartError(
            f"{setting}.file '{encoder.file}' has sha256 {digest}, expected {encoder.sha256}: "
            f"{advice}"
        )
    return file


def _download(encoder: Encoder, setting: str) -> Path:
    """Return the path of a file of the Hugging Face Hub, downloading what is missing of it."""
    address = re.fullmatch(rf"{REMOTE}([\w.-]+/[\w.-]+)@([\w.-]+)/(.+)", encoder.file)
    if not address:
        raise RealartError(
            f"{setting}.file is '{encoder.file}': a file of the Hugging Face Hub is written "
            f"{REMOTE}owner/name@revision/path, as {REMOTE}onnx-community/dinov2-small@main/"
            "onnx/model.onnx"
        )
    repository, revision, path = address.groups()
    hub.quieten()
    from huggingface_hub import hf_hub_download

    cache = project.private() / "encoders"
    cache.mkdir(parents=True, exist_ok=True)
    with (
        FileLock(cache / "lock"),
        hub.translate_errors("model", f"{repository}@{revision}", f"{setting}.file"),
    ):
        return Path(hf_hub_download(repository, path, revision=revision, cache_dir=cache))


def build(name: str, part: OnnxFeatures, file: Path) -> "openvino.Model":
    """Build the network of a descriptor: uint8 squares (n, size, size, 3) to vectors (n, d).

    The vectors of taps are concatenated in their order, and of each tap those of its poolings.

    Raises
    ------
    RealartError
        The file is no ONNX image encoder, lacks a tensor or can't pool it so, or encodes the
        pictures of a batch dependently.
    """
    import openvino
    from openvino import Layout, Type, opset13
    from openvino.preprocess import PrePostProcessor

    model = _read(name, file)
    pixels, layout = _reshape_input(model, part.size, name)
    pooled = [
        _pool(_find_tensor(model, tap, name), pooling, name)
        for tap in part.taps
        for pooling in tap.pooling
    ]
    model = openvino.Model([opset13.concat(pooled, 1)], [pixels.get_node()], "network")
    process = PrePostProcessor(model)
    process.input().tensor().set_element_type(Type.u8).set_layout(Layout("NHWC"))
    process.input().model().set_layout(Layout(layout))
    steps = process.input().preprocess().convert_element_type(Type.f32)
    if part.encoder.channels == "bgr":
        steps = steps.reverse_channels()
    steps.mean([255 * value for value in part.encoder.mean])
    steps.scale([255 * value for value in part.encoder.std])
    process.output().tensor().set_element_type(Type.f32)
    model = process.build()
    _check_independence(model, part.size, name)
    return model


def _read(name: str, file: Path) -> "openvino.Model":
    import openvino

    try:
        return openvino.Core().read_model(file)
    except RuntimeError as error:
        reason = str(error).strip().splitlines()[-1]
        raise RealartError(
            f"encoder '{name}': {file.name} can't be read as ONNX ({reason}): give a model whose "
            "graph and weights are in one file"
        ) from error


def _reshape_input(model: "openvino.Model", size: int, name: str) -> tuple[Tensor, str]:
    """Reshape the input to any number of squares of `size` pixels; return it and its layout."""
    inputs = {tensor.get_any_name(): tensor.get_partial_shape() for tensor in model.inputs}
    shapes = ", ".join(f"{key} {shape}" for key, shape in inputs.items())
    if len(inputs) != 1:
        raise RealartError(
            f"encoder '{name}' has {len(inputs)} inputs ({shapes}): an image encoder has one; give "
            "the file of the image tower alone"
        )
    (shape,) = inputs.values()
    rank = shape.rank.get_length() if shape.rank.is_static else 0
    fixed = [shape[axis].is_static and shape[axis].get_length() for axis in range(rank)]
    layout = "NHWC" if rank == 4 and fixed[3] == 3 else "NCHW"
    if rank != 4 or fixed[layout.index("C")] not in (3, False):
        raise RealartError(
            f"encoder '{name}' takes {shapes}: pictures are (batch, 3, height, width) or "
            "(batch, height, width, 3)"
        )
    sides = {fixed[layout.index(axis)] for axis in "HW"} - {False}
    if sides - {size}:
        raise RealartError(
            f"encoder '{name}' takes {shapes}: set descriptors.{name}.size to {max(sides)}"
        )
    wanted = {"N": -1, "C": 3, "H": size, "W": size}
    try:
        model.reshape([wanted[axis] for axis in layout])
    except RuntimeError as error:
        raise RealartError(
            f"encoder '{name}' takes {shapes} and no batches of {size} px: set descriptors.{name}"
            ".size to one that it takes, or export it with a dynamic batch"
        ) from error
    return model.input(0), layout


def _find_tensor(model: "openvino.Model", tap: Tap, name: str) -> Tensor:
    """Return the tensor of a tap, by its name or the number of its block."""
    tensors = {
        key: output
        for operation in model.get_ordered_ops()
        if operation.get_type_name() != "Result"
        for output in operation.outputs()
        for key in output.get_names()
    }
    if tap.tensor is not None:
        if tap.tensor in tensors:
            return tensors[tap.tensor]
        close = difflib.get_close_matches(tap.tensor, tensors, n=3) or list(tensors)[-3:]
        raise RealartError(
            f"encoder '{name}' has no tensor '{tap.tensor}'; it has, among {len(tensors)}: "
            + ", ".join(close)
        )
    blocks = list(residual_blocks(model))
    if tap.block is None or tap.block >= len(blocks):
        raise RealartError(
            f"encoder '{name}' has no block {tap.block}: {len(blocks)} residual blocks were found "
            "in its graph; name a tensor instead"
        )
    return blocks[tap.block]


def residual_blocks(model: "openvino.Model") -> Iterator[Tensor]:
    """Yield the outputs of residual blocks, x + f(x), in the order of the graph.

    In a transformer, whose tensors are (n, tokens, d), a block is two such sums, of attention and
    of the feed-forward network; in a convolutional network, (n, c, h, w), each sum is a block.
    """
    sums = [node for node in model.get_ordered_ops() if _is_residual(node)]
    tokens = [node for node in sums if _rank(node.output(0)) == 3]
    yield from (node.output(0) for node in (tokens[1::2] if tokens else sums))


def _is_residual(node: Any) -> bool:
    if node.get_type_name() != "Add" or _rank(node.output(0)) not in (3, 4):
        return False
    sides = [node.input_value(number) for number in (0, 1)]
    if sides[0].get_partial_shape() != sides[1].get_partial_shape():
        return False
    nodes = [side.get_node() for side in sides]
    return _depends_on(nodes[0], nodes[1]) or _depends_on(nodes[1], nodes[0])


def _depends_on(node: Any, origin: Any) -> bool:
    """Return whether `node` is computed from `origin`."""
    pending, visited = [node], {node.get_friendly_name()}
    while pending:
        for value in pending.pop().input_values():
            source = value.get_node()
            if (name := source.get_friendly_name()) == origin.get_friendly_name():
                return True
            if name not in visited:
                visited.add(name)
                pending.append(source)
    return False


def _rank(tensor: Tensor) -> int:
    rank = tensor.get_partial_shape().rank
    return int(rank.get_length()) if rank.is_static else -1


def _pool(tensor: Tensor, pooling: str, name: str) -> Tensor:
    """Pool a tensor over its positions: shape (n, d)."""
    from openvino import Type, opset13

    shape, rank = tensor.get_partial_shape(), _rank(tensor)
    if not 2 <= rank <= 4 or any(shape[axis].is_dynamic for axis in range(1, rank)):
        raise RealartError(
            f"encoder '{name}': tensor {_name_and_shape(tensor)} can't be pooled, as its shape is "
            "not known or has not 2 to 4 axes: choose another"
        )
    lengths = [shape[axis].get_length() for axis in range(1, rank)]
    prefix = lengths[0] - isqrt(lengths[0]) ** 2 if rank == 3 else 0
    if (pooling == "embedding") != (rank == 2) or (pooling == "cls" and not prefix):
        raise RealartError(
            f"encoder '{name}': tensor {_name_and_shape(tensor)} has no '{pooling}'; "
            + (
                "it has no positions: its pooling is embedding"
                if rank == 2
                else "its patches are pooled by mean, std or max"
            )
        )
    values = opset13.convert(tensor, Type.f32)
    if rank == 2:
        return values.output(0)
    if pooling == "cls":
        return opset13.gather(values, np.int64(0), np.int64(1)).output(0)
    if prefix:
        values = opset13.slice(
            values, np.array([prefix]), np.array([lengths[0]]), np.array([1]), np.array([1])
        )
    axes = np.array([1] if rank == 3 else [2, 3])
    if pooling == "max":
        return opset13.reduce_max(values, axes, False).output(0)
    mean = opset13.reduce_mean(values, axes, True)
    if pooling == "mean":
        return opset13.reduce_mean(values, axes, False).output(0)
    deviations = opset13.squared_difference(values, mean)
    return opset13.sqrt(opset13.reduce_mean(deviations, axes, False)).output(0)


def _name_and_shape(tensor: Tensor) -> str:
    names = sorted(tensor.get_names()) or [tensor.get_node().get_friendly_name()]
    return f"'{names[0]}' {tensor.get_partial_shape()}"


def _check_independence(model: "openvino.Model", size: int, name: str) -> None:
    """Raise an error if the encoder mixes pictures, though its shape allows any batch."""
    import openvino

    squares = np.random.default_rng(0).integers(0, 256, (2, size, size, 3), np.uint8)
    try:
        compiled = openvino.Core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
        together = compiled(squares)[0]
        alone = np.concatenate([compiled(square[None])[0].copy() for square in squares])
    except RuntimeError as error:
        reason = str(error).strip().splitlines()[-1]
        raise RealartError(
            f"encoder '{name}' can't be run by OpenVINO on two pictures of {size} px ({reason})"
        ) from error
    difference = np.abs(together - alone).max() if together.shape == alone.shape else np.inf
    if not difference <= INDEPENDENCE_TOLERANCE * np.abs(alone).max():
        raise RealartError(
            f"encoder '{name}' encodes a picture differently in a batch than alone: export it with "
            "a dynamic batch"
        )
