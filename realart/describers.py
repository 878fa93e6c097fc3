"""The networks of descriptors: cut behind the last layer that is asked for, they pool inside.

They are built once, by the stage `features`, and kept beside what they said and beside every model.
"""

from pathlib import Path

from realart import backend, inference, recipes, vectors
from realart.backend import keras
from realart.errors import RealartError
from realart.inference import Run
from realart.inputs import Input
from realart.layers import Pool
from realart.params import Layers, Train

PRECISE = Train(
    seed=0,
    deterministic=True,
    precision="float32",
    checkpoint_seconds=0,
    devices=1,
    window_gigabytes=1,
)
"""How they are built: the seed is that of random networks."""


def keep(seen: Input, folder: Path) -> dict[str, Run]:
    """Build the networks that describe, and keep them in `folder` for `vectors.networks`.

    Returns those that Keras runs itself, since it has something faster than processors.

    Raises
    ------
    RealartError
        A backbone or layer that there is not, or weights that can't be had.
    """
    backend.prepare(PRECISE)
    runs = {}
    for name, part in seen.parts.items():
        if isinstance(part, Layers):
            backend.forget_networks()
            model = network(part)
            inference.export(model, folder, vectors.NETWORK.format(name))
            if backend.has_accelerator():
                runs[name] = inference.by_keras(model)
    return runs


def network(part: Layers) -> keras.Model:
    """Build the network of a descriptor: uint8 squares (n, size, size, 3) in, vectors (n, d) out.

    The statistics of each layer lie together, layers in the order that they are asked for.
    """
    backbone = recipes.build_backbone(part.backbone, part.size)
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
    said = keras.tree.flatten(inner(recipes.Preprocess(part.backbone.name)(pixels)))
    return keras.Model(pixels, keras.layers.Concatenate()(said) if len(said) > 1 else said[0])


def _shape(layer: keras.layers.Layer) -> tuple[int | None, ...]:
    return getattr(layer.output, "shape", ())
