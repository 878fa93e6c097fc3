"""What params.yaml names is looked up before anything runs, chosen or not, without Keras."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from making import PARAMS
from project_copy import ROOT

from realart.core.errors import RealartError
from realart.params import Params
from realart.training.check_params import check_params, check_paths

HEAD = "recipes.forensic.head"
FLATTEN = {"Flatten": {}}


def changed(path: str, value: object, model: str = "forensic", dataset: str = "sample") -> Params:
    """Return params.yaml for a model and a dataset, with another value at a path."""
    content = PARAMS.model_dump() | {"model": model, "dataset": dataset}
    *groups, last = path.split(".")
    group = content
    for name in groups:
        group = group[name]
    group[last] = value
    return Params.model_validate(content)


def problem(params: Params) -> str:
    """Return the error, of one line, that params are refused with."""
    with pytest.raises(RealartError) as caught:
        check_params(params)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("model", list(PARAMS.recipes))
def test_all_recipes_of_params_yaml_are_sound(model: str) -> None:
    check_params(PARAMS.model_copy(update={"model": model, "dataset": "sample"}))


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (
            "datasets.artimages.source",
            "keggle",
            "datasets.artimages.source: unknown source 'keggle' (did you mean 'kaggle'?)",
        ),
        (f"{HEAD}.name", "forest", f"{HEAD}.name: unknown classifier 'forest'; choose one of: "),
        ("recipes.clip_svm.head.name", "smv", "recipes.clip_svm.head.name: unknown classifier"),
        (f"{HEAD}.grid", {"c": [1.0]}, f"{HEAD}.grid: svm has no hyperparameter 'c'"),
        (
            "descriptors.forensic.families",
            ["colours"],
            "descriptors.forensic.families: unknown family 'colours' (did you mean 'colour'?)",
        ),
        (
            "recipes.clip_svm.sees.features",
            ["clip"],
            "recipes.clip_svm.sees.features: unknown descriptor 'clip'",
        ),
        (
            "descriptors.mobilenetv2.backbone.name",
            "MobileNetV4",
            "descriptors.mobilenetv2.backbone: unknown backbone 'MobileNetV4' (did you mean 'Mob",
        ),
        (
            "recipes.cnn150.optimizer.name",
            "Adm",
            "recipes.cnn150.optimizer: unknown optimizer 'Adm' (did you mean 'Adam'?); choose one "
            "of: Adadelta, ",
        ),
        (
            "recipes.cnn150.optimizer.arguments",
            {"momentun": 0.9},
            "recipes.cnn150.optimizer: optimizer Adam takes no argument 'momentun' (did you mean",
        ),
        (
            "recipes.cnn150.optimizer.arguments",
            {"learning_rate": 0.1},
            "takes no argument 'learning_rate'; it takes: beta_1, ",
        ),
        (
            "recipes.cnn.layers",
            [FLATTEN, {"Dens": {"units": 3}}],
            "recipes.cnn.layers.1: unknown layer 'Dens' (did you mean 'Dense'?); recipes have the",
        ),
        (
            "recipes.cnn.layers",
            [FLATTEN, {"Dense": {"unit": 3}}],
            "recipes.cnn.layers.1: layer Dense takes no argument 'unit' (did you mean 'units'?); "
            "it takes: units, activation, ",
        ),
        (
            "recipes.cnn.layers",
            [{"Conv2D": {"filters": 3}}],
            "recipes.cnn.layers.0: layer Conv2D lacks its argument 'kernel_size'",
        ),
        (
            "recipes.residual.layers",
            [{"Residual": {"filter": 3}}],
            "recipes.residual.layers.0: layer Residual takes no argument 'filter' (did you mean "
            "'filters'?); it takes: filters, strides, ",
        ),
        (
            "recipes.mobilenetv2_tuned.sees.augment",
            [{"RandomFlop": {}}],
            "recipes.mobilenetv2_tuned.sees.augment.0: unknown layer 'RandomFlop'",
        ),
        (
            "recipes.resnet50.sees.backbone.name",
            "ResNet5O",
            "recipes.resnet50.sees.backbone: unknown backbone 'ResNet5O' (did you mean 'ResNet50'",
        ),
        (
            "recipes.mobilenetv2.sees.backbone.arguments",
            {"alhpa": 1.0},
            "recipes.mobilenetv2.sees.backbone: backbone MobileNetV2 takes no argument 'alhpa' "
            "(did you mean 'alpha'?); it takes: alpha, ",
        ),
    ],
)
@pytest.mark.parametrize("model", ["forensic", "cnn"])
def test_an_unknown_name_is_refused_with_the_param_that_gives_it(
    path: str, value: object, message: str, model: str
) -> None:
    assert message in problem(changed(path, value, model))


@pytest.mark.parametrize(
    "layer",
    [
        {"Lambda": {"function": "x"}},
        {"TFSMLayer": {"filepath": "model"}},
        {"TorchModuleWrapper": {"module": "x"}},
        {"StringLookup": {"vocabulary": "/etc/passwd"}},
        {"Dense": {"units": 1, "kernel_initializer": {"class_name": "TFSMLayer", "config": {}}}},
        {"Dense": {"units": 1, "bias_initializer": [{"x": {"class_name": "Lambda"}}]}},
    ],
)
def test_a_layer_that_may_hold_code_is_refused(layer: dict[str, dict[str, object]]) -> None:
    message = problem(changed("recipes.cnn.layers", [FLATTEN, layer]))
    assert message.startswith("recipes.cnn.layers.1: ")
    assert "code" in message


def test_an_initializer_may_be_described() -> None:
    initializer = {"class_name": "HeNormal", "config": {"seed": 3}}
    layer = {"Dense": {"units": 1, "kernel_initializer": initializer}}
    check_params(changed("recipes.cnn.layers", [FLATTEN, layer]))


def test_weights_of_the_chosen_recipe_that_are_no_file_are_refused() -> None:
    backbone = "recipes.resnet50.sees.backbone.weights"
    assert "'own.weights.h5' are no file" in problem(
        changed(backbone, "own.weights.h5", "resnet50")
    )
    encoder = "descriptors.clip_vit_b16.encoder.file"
    assert "encoder.file 'own.onnx' is no file" in problem(changed(encoder, "own.onnx", "clip_svm"))
    check_params(changed(backbone, "own.weights.h5", "cnn"))


@pytest.mark.parametrize(
    ("dataset", "path", "message"),
    [
        ("local", None, "datasets.local.path is not set: say which folder or zip archive holds"),
        ("local", "nowhere", "there is nothing; set -S datasets.local.path="),
        ("local", "/dev/zero", "path is '/dev/zero': neither a folder nor a whole zip archive"),
        ("local", "pipe", "neither a folder nor a whole zip archive; set -S datasets.local.path="),
        ("cashbowman", "cashbowman", "for Kaggle it is owner/dataset or owner/dataset/version"),
        ("artimages", None, "for Hugging Face it is owner/name or owner/name@revision"),
    ],
)
def test_the_path_of_a_chosen_dataset_is_checked(
    dataset: str, path: str | None, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    os.mkfifo("pipe")
    with pytest.raises(RealartError, match=re.escape(message)):
        check_paths(changed(f"datasets.{dataset}.path", path, dataset=dataset))
    check_paths(changed(f"datasets.{dataset}.path", path))


def test_neither_keras_nor_scikit_learn_is_imported() -> None:
    code = """
import sys
from realart.params import load_params
from realart.training.check_params import check_params
check_params(load_params())
assert not {"keras", "tensorflow", "sklearn", "scipy"} & {*sys.modules}
"""
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
