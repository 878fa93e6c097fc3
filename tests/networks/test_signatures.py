"""The lists of layers, optimizers and backbones are Keras's own, without what may hold code."""

import inspect
import json
from collections.abc import Callable
from typing import Any

import pytest
from keras_signatures import module_text
from networks import PARAMS, backbone_recipe, recipe

from realart.core.errors import RealartError
from realart.networks import builder, keras_signatures, signatures
from realart.networks.backend import keras
from realart.params import NetworkRecipe

pytestmark = pytest.mark.slow

STORED = ("cnn_bn", "residual", "mobilenetv2_tuned", "efficientnetb0")
SAMPLES: dict[str, Any] = {
    "MaxNumBoundingBoxes": {"max_number": 1}, "Attention": {}, "Dot": {"axes": 1},
    "EinsumDense": {"equation": "ab,bc->ac", "output_shape": 3}, "Permute": {"dims": [1]},
    "Pool": {"statistics": ["mean"]}, "Reshape": {"target_shape": [1]},
    "RandomResizedCrop": {"size": 2}, "Activation": {"activation": "relu"},
}  # fmt: skip


def test_the_lists_are_those_of_the_installed_keras() -> None:
    """If not, run `PYTHONPATH=. python tests/support/keras_signatures.py` as it says."""
    assert inspect.getsource(keras_signatures) == module_text()


@pytest.mark.parametrize("name", list(signatures.LAYERS))
def test_a_layer_takes_the_arguments_of_the_list(name: str) -> None:
    """Arguments are passed to Keras, which would refuse unknown ones and those set twice."""
    function = builder.layers.OWN.get(name) or getattr(keras.layers, name)
    signature = signatures.LAYERS[name]
    needed = SAMPLES.get(name) or dict.fromkeys(signature.required, 1)
    assert needed.keys() >= {*signature.required}
    for argument in {"name", *signature.optional} - {"input_shape", "input_dim", "weights"}:
        assert "keyword" not in refusal(function, {**needed, argument: None})


def refusal(function: Callable[..., Any], arguments: dict[str, Any]) -> str:
    """Return the message of the exception that a call raises; empty without one."""
    try:
        function(**arguments)
    except (TypeError, ValueError, AttributeError, NotImplementedError) as error:
        return str(error)
    return ""


@pytest.mark.parametrize("name", ["Lambda", "TFSMLayer", "JaxLayer", "FlaxLayer"])
def test_a_stored_network_with_code_is_refused(name: str) -> None:
    text = builder.architecture(builder.build(recipe()))
    content = json.loads(text)
    content["config"]["layers"][1]["class_name"] = name
    with pytest.raises(RealartError, match=f"an object of the class '{name}'"):
        builder.from_architecture(json.dumps(content))
    hidden = {"class_name": name, "module": "keras.layers", "config": {}}
    content = json.loads(text)
    content["config"]["layers"][1]["config"]["dtype"] = hidden
    with pytest.raises(RealartError, match=f"an object of the class '{name}'"):
        builder.from_architecture(json.dumps(content))


@pytest.mark.parametrize(
    "wanted",
    [
        *(builder.with_random_weights(PARAMS.recipes[name]) for name in STORED),
        *(backbone_recipe(name) for name in ("ConvNeXtTiny", "MobileNetV3Small")),
    ],
    ids=lambda wanted: wanted.backbone.name if wanted.backbone else None,
)
def test_networks_of_recipes_are_stored_and_loaded(wanted: NetworkRecipe) -> None:
    model = builder.build(wanted)
    builder.compile_for(model, wanted, 0.1)
    loaded = builder.from_architecture(builder.architecture(model))
    assert loaded.count_params() == model.count_params()
