"""The stage `check` refuses names that no module registers, and those of nothing that is chosen."""

import pytest
from making import PARAMS

from realart.core.errors import RealartError
from realart.params import Params
from stages.check import check_names

HEAD = "recipes.forensic.head"


def changed(path: str, value: object, model: str = "forensic") -> Params:
    """Return params.yaml for a model on `sample`, with another value at a path."""
    content = PARAMS.model_dump() | {"model": model, "dataset": "sample"}
    *groups, last = path.split(".")
    group = content
    for name in groups:
        group = group[name]
    group[last] = value
    return Params.model_validate(content)


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (
            "datasets.sample.source",
            "keggle",
            "datasets.sample.source: unknown source 'keggle' (did you mean 'kaggle'?)",
        ),
        (f"{HEAD}.name", "forest", f"{HEAD}.name: unknown classifier 'forest'; choose one of: "),
        (f"{HEAD}.grid", {"c": [1.0]}, f"{HEAD}.grid: "),
        (
            "descriptors.forensic.families",
            ["colours"],
            "descriptors.forensic.families: unknown family 'colours' (did you mean 'colour'?)",
        ),
    ],
)
def test_an_unknown_name_is_refused_with_the_param_that_gives_it(
    path: str, value: object, message: str
) -> None:
    with pytest.raises(RealartError) as caught:
        check_names(changed(path, value))
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


def test_names_of_what_is_not_chosen_are_not_looked_up() -> None:
    check_names(changed("datasets.local.source", "keggle"))
    check_names(changed("recipes.clip_svm.head.name", "forest"))


def test_weights_that_are_no_file_are_refused() -> None:
    backbone = "recipes.resnet50.sees.backbone.weights"
    with pytest.raises(RealartError, match=r"'own\.weights\.h5' are no file"):
        check_names(changed(backbone, "own.weights.h5", model="resnet50"))
    encoder = "descriptors.clip_vit_b16.encoder.file"
    with pytest.raises(RealartError, match=r"clip_vit_b16\.encoder\.file 'own\.onnx' is no file"):
        check_names(changed(encoder, "own.onnx", model="clip_svm"))
