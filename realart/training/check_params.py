"""What params.yaml names exists: checked before anything runs, and without importing Keras."""

import ast
from collections.abc import Mapping
from typing import Any

from realart.core.errors import RealartError
from realart.core.registry import choose, hint, registered
from realart.data import sources
from realart.networks import signatures, weight_files
from realart.params import (
    ClassifierParams,
    ClassifierRecipe,
    ForensicFeatures,
    KerasFeatures,
    NetworkRecipe,
    Params,
)


def check_params(params: Params) -> None:
    """Check the names in all datasets, descriptors and recipes, and the weights of the chosen one.

    Raises
    ------
    RealartError
        There is no such source, layer, optimizer, backbone, family of measurements, descriptor,
        classifier, argument or hyperparameter, no file of weights that the chosen recipe needs, or
        it can't be trained on `train.devices`.
    """
    for name, dataset in params.datasets.items():
        sources.find(name, dataset)
    check_descriptors(params.descriptors)
    for name, recipe in params.recipes.items():
        for descriptor in recipe.sees.features:
            choose(params.descriptors, descriptor, "descriptor", f"recipes.{name}.sees.features")
        if isinstance(recipe, ClassifierRecipe):
            check_classifier(recipe.head, f"recipes.{name}.head")
        else:
            signatures.check_recipe(f"recipes.{name}", recipe)
    for backbone in params.backbones:
        weight_files.weights_file(backbone)
    for name, encoder in params.encoders.items():
        weight_files.encoder_file(name, encoder)
    if params.train.devices > 1 and isinstance(params.recipe, NetworkRecipe):
        from realart.networks import backend  # Keras takes seconds to import

        backend.check_devices(params.train.devices, params.recipe.batch_size)


def check_paths(params: Params) -> None:
    """Check the path of each chosen dataset.

    Raises
    ------
    RealartError
        One has not the form of its source, or is nothing on this machine.
    """
    for name, dataset in params.sets.items():
        sources.check(name, dataset)


def check_descriptors(descriptors: Mapping[str, Any]) -> None:
    """Check the families of measurements and the backbones that descriptors name.

    Raises
    ------
    RealartError
        There is no such family or backbone, or it takes no such argument.
    """
    families = registered("realart.features.forensic")
    for name, descriptor in descriptors.items():
        if isinstance(descriptor, ForensicFeatures):
            for family in descriptor.families:
                choose(families, family, "family", f"descriptors.{name}.families")
        elif isinstance(descriptor, KerasFeatures):
            signatures.check_backbone(f"descriptors.{name}.backbone", descriptor.backbone)


def check_classifier(classifier: ClassifierParams, param: str) -> None:
    """Check that a classifier and the hyperparameters of its grid exist.

    Parameters
    ----------
    classifier
        Its name and grid.
    param
        The dotted name of `classifier` in params.yaml, for messages.

    Raises
    ------
    RealartError
        No classifier is registered under the name, or it has no such hyperparameter.
    """
    classifiers = registered("realart.models.classifiers")
    known = _hyperparameters(choose(classifiers, classifier.name, "classifier", f"{param}.name"))
    for name in classifier.grid:
        if name not in known:
            raise RealartError(
                f"{param}.grid: {classifier.name} has no hyperparameter '{name}'"
                f"{hint(name, known)}; known: {', '.join(known)}"
            )


def _hyperparameters(definition: ast.stmt) -> tuple[str, ...]:
    """Return `hyperparameters` of a class of `realart.models.classifiers`."""
    assert isinstance(definition, ast.ClassDef)
    (names,) = (
        ast.literal_eval(node.value)
        for node in definition.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "hyperparameters"
    )
    return names
