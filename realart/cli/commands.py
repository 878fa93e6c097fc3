"""What several commands share: how they add themselves, and what they read of the project."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from realart.core import isolation, paths
from realart.core.project import in_root, workspace
from realart.params import Params, load_params

if TYPE_CHECKING:
    from realart.models.trained_model import TrainedModel

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def add_model(parser: argparse.ArgumentParser) -> None:
    """Add the option `--model` to a command's parser."""
    parser.add_argument(
        "--model", type=Path, metavar="FOLDER", help=f"folder of the model (default: {paths.FINAL})"
    )


def load_model(arguments: argparse.Namespace) -> "TrainedModel":
    """Load the model that `--model` names, by default the project's."""
    isolation.start("realart.serving.provenance")  # it imports while the model is loaded
    from realart.models.trained_model import TrainedModel  # takes seconds to import

    return TrainedModel(arguments.model or in_root(paths.FINAL))


def project_params() -> Params:
    """Read params.yaml of the project that the current directory is in."""
    return load_params(workspace() / paths.PARAMS)
