"""Layers, optimizers and backbones that recipes may name, with their arguments, without Keras.

Keras takes seconds to import, so `keras_signatures` lists them. What holds code, such as `Lambda`
and `TFSMLayer`, is in no list: neither a recipe nor a stored network can bring some.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from realart.core.errors import RealartError
from realart.core.registry import choose, hint
from realart.networks import keras_signatures
from realart.params import KerasApplication, NetworkRecipe

SHOWN = 60
"""Most names of a kind that an error lists."""


class Signature(NamedTuple):
    """The names of the arguments of a layer, optimizer or backbone."""

    required: tuple[str, ...]
    optional: tuple[str, ...]


def _parse(text: str) -> dict[str, Signature]:
    """Parse a text of `keras_signatures`: the signature of each name."""
    signatures: dict[str, Signature] = {}
    for line in re.sub(r"\n +", " ", text.strip()).split("\n"):
        names, _, arguments = line.partition(": ")
        required, _, optional = arguments.rstrip("]").partition("[")
        optional = optional.replace("...", keras_signatures.COMMON)
        signature = Signature(tuple(required.split()), tuple(optional.split()))
        signatures |= dict.fromkeys(names.split(), signature)
    return dict(sorted(signatures.items()))


LAYERS = _parse(keras_signatures.LAYERS)
OPTIMIZERS = _parse(keras_signatures.OPTIMIZERS)
BACKBONES = _parse(keras_signatures.BACKBONES)
"""Signatures by name; of Keras's and of `realart.networks.layers`."""
KINDS = {"layer": LAYERS, "optimizer": OPTIMIZERS, "backbone": BACKBONES}
IN_ARGUMENTS = {*keras_signatures.INITIALIZERS.split(), "DTypePolicy"}
"""Classes of objects that an argument may describe as `{class_name: ..., config: ...}`."""
IN_ARCHITECTURES = {
    *LAYERS, *OPTIMIZERS, *IN_ARGUMENTS, "CustomScaleLayer", "Functional", "InputLayer",
    "LayerScale", "Preprocess", "Sequential", "StochasticDepth", "__keras_tensor__",
}  # fmt: skip
"""Classes of objects in stored networks."""


def check_recipe(param: str, recipe: NetworkRecipe) -> None:
    """Check the names in a recipe, and which arguments they are given.

    Parameters
    ----------
    param
        The dotted name of the recipe in params.yaml, for messages.

    Raises
    ------
    RealartError
        As `check_call`.
    """
    for number, layer in enumerate(recipe.layers):
        check_layer(f"{param}.layers.{number}", layer)
    for number, layer in enumerate(getattr(recipe.sees, "augment", ())):
        check_layer(f"{param}.sees.augment.{number}", layer)
    if recipe.backbone:
        check_backbone(f"{param}.sees.backbone", recipe.backbone)
    optimizer = recipe.optimizer
    check_call(f"{param}.optimizer", "optimizer", optimizer.name, optimizer.arguments)


def check_layer(param: str, layer: Mapping[str, Mapping[str, Any]]) -> None:
    """Check a layer as a recipe declares it, `{name: arguments}`, as `check_call`."""
    ((name, arguments),) = layer.items()
    check_call(param, "layer", name, arguments)


def check_backbone(param: str, backbone: KerasApplication) -> None:
    """Check the name of a backbone and its arguments, as `check_call`."""
    check_call(param, "backbone", backbone.name, backbone.arguments)


def check_call(param: str, kind: str, name: str, arguments: Mapping[str, Any]) -> None:
    """Check the name of a layer, optimizer or backbone, and the names of its arguments.

    Parameters
    ----------
    param
        Where params.yaml has it, for messages.
    kind
        A key of `KINDS`.

    Raises
    ------
    RealartError
        There is none of that name, it takes no such argument, lacks one, or an argument describes
        an object that may hold code.
    """
    signature = _choose(param, kind, name)
    known = signature.required + signature.optional
    for argument in arguments:
        if argument not in known:
            raise RealartError(
                f"{param}: {kind} {name} takes no argument '{argument}'{hint(argument, known)}; "
                f"it takes: {', '.join(known)}"
            )
    for argument in signature.required:
        if argument not in arguments:
            raise RealartError(f"{param}: {kind} {name} lacks its argument '{argument}'")
    check_objects(f"{param}: an argument of {name}", arguments, IN_ARGUMENTS)


def _choose(param: str, kind: str, name: str) -> Signature:
    known = KINDS[kind]
    if name in known or len(known) <= SHOWN:
        return choose(known, name, kind, param)
    raise RealartError(
        f"{param}: unknown {kind} '{name}'{hint(name, known)}; recipes have the layers of "
        "https://keras.io/api/layers that hold no code, file or other layer, and those of "
        "realart/networks/layers.py"
    )


def check_objects(place: str, config: Any, allowed: set[str]) -> None:
    """Check that objects that Keras would make from a configuration can't hold code.

    Parameters
    ----------
    place
        Of the configuration, for messages.
    config
        Content of YAML or JSON.
    allowed
        Names of classes.

    Raises
    ------
    RealartError
        It describes an object of another class.
    """
    for name in _class_names(config):
        if name not in allowed:
            raise RealartError(
                f"{place} describes an object of the class '{name}', which is not known to be "
                "without code: leave it out"
            )


def _class_names(config: Any) -> Iterator[str]:
    """Yield the classes of all objects in a configuration, as Keras serializes them."""
    if isinstance(config, Mapping):
        if "class_name" in config:
            yield str(config["class_name"])
        config = config.values()
    elif not isinstance(config, list | tuple):
        return
    for value in config:
        yield from _class_names(value)
