"""The networks of descriptors: cut behind the last layer that is asked for, they pool inside.

They are built once, by the stage `features`, and kept beside what they said and beside every model.
"""

import shutil
from pathlib import Path

from realart import backend, recipes
from realart.backend import keras
from realart.errors import RealartError
from realart.inputs import Input
from realart.layers import Pool
from realart.params import Layers, Train

SEED = 0
"""Of random networks."""

ARCHITECTURE = "describer-{}.json"
WEIGHTS = "describer-{}.weights.h5"


def keep(seen: Input, train: Train, folder: Path) -> dict[str, keras.Model]:
    """Build the networks that describe, and keep them in `folder`.

    Of `train` only the precision counts.

    Raises
    ------
    RealartError
        A backbone or layer that there is not, or weights that can't be had.
    """
    backend.prepare(train.model_copy(update={"seed": SEED, "deterministic": True}))
    networks = {}
    for name, part in seen.parts.items():
        if isinstance(part, Layers):
            keras.utils.clear_session()  # else layers would be numbered on from a network before
            networks[name] = model = network(part)
            (folder / ARCHITECTURE.format(name)).write_text(recipes.architecture(model), "utf-8")
            model.save_weights(folder / WEIGHTS.format(name))
    return networks


def kept(seen: Input, folder: Path) -> dict[str, keras.Model]:
    """Return the networks that `keep` left in `folder`."""
    networks = {}
    for name, part in seen.parts.items():
        if isinstance(part, Layers):
            text = (folder / ARCHITECTURE.format(name)).read_text("utf-8")
            networks[name] = recipes.from_architecture(text)
            networks[name].load_weights(folder / WEIGHTS.format(name))
    return networks


def copy(seen: Input, source: Path, target: Path) -> None:
    """Copy the files of the networks that describe."""
    for name, part in seen.parts.items():
        if isinstance(part, Layers):
            for file in (ARCHITECTURE.format(name), WEIGHTS.format(name)):
                shutil.copyfile(source / file, target / file)


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
