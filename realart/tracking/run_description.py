"""What a run in MLflow is described by beside its metrics: its name, params and standard tags."""

import os
from typing import Any

from mlflow.tracking.context.git_context import GitRunContext
from mlflow.tracking.context.registry import resolve_tags
from mlflow.utils.mlflow_tags import MLFLOW_GIT_COMMIT, MLFLOW_SOURCE_NAME

from realart.core.project import commit
from realart.params import Params, Strict


def name(params: Params) -> str:
    """Return the name of the run of a training."""
    return f"{params.model} on {params.dataset}"


def standard_tags(source: str) -> dict[str, str]:
    """Return the tags that MLflow's own API sets: user, source and commit, where there is one.

    `dvc_experiment` is added under `dvc exp run`.

    Parameters
    ----------
    source
        The script or command that the run is of.
    """
    # MLflow's git context would log the address of the remote, too, which may hold a token.
    tags = resolve_tags({MLFLOW_SOURCE_NAME: source}, ignore=[GitRunContext])  # type: ignore[list-item]
    optional = {MLFLOW_GIT_COMMIT: commit(), "dvc_experiment": os.environ.get("DVC_EXP_NAME")}
    return {**tags, **{name: value for name, value in optional.items() if value}}


def flat_params(params: Params) -> dict[str, Any]:
    """Return all params that a run depends on, by the dotted names that params.yaml gives them."""
    recipe = params.recipe
    groups: dict[str, Strict] = {
        "clean": params.clean, "split": params.split, "balance": params.balance,
        "recipe": recipe, "train": params.train, "evaluate": params.evaluate,
    }  # fmt: skip
    for name, descriptor in params.recipe_descriptors.items():
        groups[f"descriptors.{name}"] = descriptor
    if recipe.sees.of_ela:
        groups["ela"] = params.ela
    flat: dict[str, Any] = {"dataset": params.dataset, "model": params.model}
    for name, group in groups.items():
        flat |= flatten(group.model_dump(), ".", name)
    return flat


def flatten(value: Any, separator: str, prefix: str = "") -> dict[str, Any]:
    """Return the leaves of nested dictionaries by their joined keys; an empty one is a leaf.

    >>> flatten({"test": {"auc": 0.8, "intervals": {}}}, "/")
    {'test/auc': 0.8, 'test/intervals': {}}
    """
    if not isinstance(value, dict) or not value:
        return {prefix: value}
    flat: dict[str, Any] = {}
    for name, inner in value.items():
        flat |= flatten(inner, separator, f"{prefix}{separator}{name}" if prefix else name)
    return flat
