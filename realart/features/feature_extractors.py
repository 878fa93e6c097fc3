"""The networks of descriptors: cut behind the last layer that is asked for, they pool inside.

They are built once, by the stage `features`, and kept beside their vectors and beside every model.
"""

from pathlib import Path

from realart.core.errors import RealartError
from realart.features import vectors
from realart.networks import backend, builder, openvino_runtime
from realart.networks.backend import keras
from realart.networks.layers import Pool
from realart.networks.openvino_runtime import InferenceFunction
from realart.params import KerasFeatures

SEED = 0
"""Of networks with random weights."""


def save_network(name: str, part: KerasFeatures, folder: Path) -> InferenceFunction | None:
    """Build the network of the descriptor `name`, and write it into `folder` for OpenVINO.

    Returns
    -------
    InferenceFunction or None
        The network as Keras runs it, where Keras has something faster than processors.

    Raises
    ------
    RealartError
        A backbone or layer that there is not, or weights that can't be had.
    """
    backend.prepare(SEED)
    backend.forget_networks()
    model = network(part)
    openvino_runtime.export(model, folder, vectors.NETWORK.format(name))
    return openvino_runtime.by_keras(model) if backend.has_accelerator() else None


def network(part: KerasFeatures) -> keras.Model:
    """Build the network of a descriptor: uint8 squares (n, size, size, 3) in, vectors (n, d) out.

    The statistics of each layer lie together, layers in the order that they are asked for.
    """
    backbone = builder.build_backbone(part.backbone, part.size)
    known = [layer.name for layer in backbone.layers if len(_shape(layer)) == 4]
    for name in part.layers:
        if name not in known:
            raise RealartError(
                f"{part.backbone.name} has no layer '{name}' with maps; the last that it has are: "
                + ", ".join(known[-12:])
            )
    pixels = keras.Input((part.size, part.size, 3), dtype="uint8", name="pixels")
    outputs = [backbone.get_layer(name).output for name in part.layers]
    inner = keras.Model(backbone.inputs, [Pool(part.pooling)(maps) for maps in outputs])
    pooled = keras.tree.flatten(inner(builder.Preprocess(part.backbone.name)(pixels)))
    vectors = keras.layers.Concatenate()(pooled) if len(pooled) > 1 else pooled[0]
    return keras.Model(pixels, vectors)


def _shape(layer: keras.layers.Layer) -> tuple[int | None, ...]:
    return getattr(layer.output, "shape", ())
