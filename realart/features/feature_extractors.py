"""Keras networks of descriptors: a backbone up to the last layer needed, with pooling inside.

The stage `features` builds them once; they are stored beside the vectors and beside each model.
"""

from pathlib import Path

from realart.core.errors import RealartError
from realart.networks import backend, builder, openvino_runtime
from realart.networks.backend import keras
from realart.networks.layers import Pool
from realart.networks.openvino_runtime import InferenceFunction
from realart.params import KerasFeatures

SEED = 0
"""Seed of random weights."""


def save_network(part: KerasFeatures, folder: Path, file: str) -> InferenceFunction | None:
    """Build the network of a descriptor, and write it as `file` into `folder` for OpenVINO.

    Returns
    -------
    InferenceFunction or None
        The network as run by Keras, where Keras has an accelerator.

    Raises
    ------
    RealartError
        The backbone or a layer does not exist, or its weights can't be loaded.
    """
    backend.prepare(SEED)
    backend.clear_session()
    model = network(part)
    openvino_runtime.export(model, folder, file)
    return openvino_runtime.keras_inference(model) if backend.has_accelerator() else None


def network(part: KerasFeatures) -> keras.Model:
    """Build the network of a descriptor: uint8 squares (n, size, size, 3) to vectors (n, d).

    The statistics of each layer lie together, layers in the order of `part.layers`.
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
