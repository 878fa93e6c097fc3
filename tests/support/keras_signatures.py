"""The text of `realart/networks/keras_signatures.py`, from the Keras that is installed.

python tests/support/keras_signatures.py > realart/networks/keras_signatures.py
"""

import ast
import inspect
import textwrap
from collections import defaultdict
from collections.abc import Callable
from typing import Any

from realart.networks import layers
from realart.networks.backend import keras

CODE = {"FlaxLayer", "JaxLayer", "Lambda", "TFSMLayer", "TorchModuleWrapper"}
"""Layers that hold a function, a module or a SavedModel."""
OBJECTS = {
    "Bidirectional", "LossScaleOptimizer", "MultiOptimizer", "OptimizerMap", "Pipeline", "RNN",
    "SpectralNormalization", "StackedRNNCells", "TimeDistributed",
}  # fmt: skip
"""What takes layers or optimizers as arguments, which params.yaml can't write."""
FILES = {"IntegerLookup", "StringLookup", "TextVectorization"}
"""Layers that read a vocabulary from any file."""
LEGACY = ("input_shape", "input_dim")
"""Arguments that every layer takes with a warning, as in older code."""
COMMON = ["activity_regularizer", "trainable", "dtype", "autocast", "name", *LEGACY]
"""Arguments of almost every layer."""
ABSTRACT = {"InputLayer", "Layer", "Optimizer", "Wrapper"}
OWN_PARAMS = {
    "classes", "classifier_activation", "include_top", "input_shape", "input_tensor",
    "learning_rate", "weights",
}  # fmt: skip
"""Arguments of backbones and optimizers that recipes set by params of their own."""
HEADER = '''"""Names and arguments of Keras's layers, optimizers and backbones.

Written by tests/support/keras_signatures.py from Keras {version}; a test compares. A line is
`names: arguments [optional arguments]`, where `...` are those of almost any layer.
"""

COMMON = "{common}"
'''


def module_text() -> str:
    """Return the whole module."""
    all_layers = signatures({**classes(keras.layers, keras.layers.Layer), **layers.OWN}, set())
    optimizers = classes(keras.optimizers, keras.optimizers.Optimizer)
    backbones = {
        name: value for name, value in vars(keras.applications).items() if inspect.isfunction(value)
    }
    initializers = dict.fromkeys(
        name
        for module in (keras.initializers, keras.regularizers, keras.constraints)
        for name, value in vars(module).items()
        if inspect.isclass(value)
    )
    texts = {
        "LAYERS": all_layers,
        "OPTIMIZERS": signatures(optimizers, OWN_PARAMS),
        "BACKBONES": signatures(backbones, OWN_PARAMS),
        "INITIALIZERS": textwrap.fill(" ".join(sorted(initializers)), 100),
    }
    return HEADER.format(version=keras.__version__, common=" ".join(COMMON)) + "".join(
        f'{name} = """\n{text}\n"""\n' for name, text in texts.items()
    )


def classes(module: Any, parent: type) -> dict[str, type]:
    """Return the subclasses of `parent` in a module by their names there, without those refused."""
    refused = CODE | OBJECTS | FILES | ABSTRACT
    return {
        name: value
        for name, value in vars(module).items()
        if inspect.isclass(value) and issubclass(value, parent) and name not in refused
    }


def signatures(functions: dict[str, Callable[..., Any]], omitted: set[str]) -> str:
    """Return a line for each signature, folded, with the names of all that have it."""
    names = defaultdict(list)
    for name, function in functions.items():
        names[signature(function, omitted)].append(name)
    lines = sorted(f"{' '.join(sorted(of))}: {text}" for text, of in names.items())
    return "\n".join(
        textwrap.fill(line, 100, subsequent_indent="  ", break_on_hyphens=False) for line in lines
    )


def signature(function: Callable[..., Any], omitted: set[str]) -> str:
    """Return the arguments of a function, or of a class and its parents, as in a line."""
    found = arguments(function) if inspect.isclass(function) else own_arguments(function)
    required = [name for name, needed in found.items() if needed and name not in omitted]
    optional = [name for name, needed in found.items() if not needed and name not in omitted]
    if {*COMMON} <= {*optional}:
        optional = [*(name for name in optional if name not in COMMON), "..."]
    return " ".join([*required, f"[{' '.join(optional)}]"])


def arguments(cls: type) -> dict[str, bool]:
    """Return whether each argument is required; with those that `**kwargs` pass to parents."""
    found: dict[str, bool] = {}
    given: set[str] = set()
    for parent in cls.__mro__:
        function = vars(parent).get("__init__")
        if inspect.isfunction(function):
            first = not found
            found |= {
                name: needed
                for name, needed in own_arguments(function).items()
                if name not in found.keys() | given | {"self"} and (first or not needed)
            }
            if parent is keras.layers.Layer or not takes_more(function):
                break
            given |= given_to_parent(function)
    return found | (dict.fromkeys(LEGACY, False) if issubclass(cls, keras.layers.Layer) else {})


def own_arguments(function: Callable[..., Any]) -> dict[str, bool]:
    """Return whether each argument in the signature of a function is required."""
    return {
        name: parameter.default is parameter.empty
        for name, parameter in inspect.signature(function).parameters.items()
        if parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
    }


def takes_more(function: Callable[..., Any]) -> bool:
    """Return whether a function has `**kwargs`."""
    parameters = inspect.signature(function).parameters.values()
    return any(parameter.kind == parameter.VAR_KEYWORD for parameter in parameters)


def given_to_parent(function: Callable[..., Any]) -> set[str]:
    """Return the keywords that an `__init__` calls that of its parent with."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return {
        keyword.arg
        for call in calls
        for keyword in call.keywords
        if keyword.arg and ast.unparse(call.func) == "super().__init__"
    }


if __name__ == "__main__":
    print(module_text(), end="")
