"""What several commands share: how they add themselves, and what they read of the project."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from realart.cli.parser import Parser
from realart.core import isolation, paths
from realart.core.project import in_root, workspace
from realart.params import Params, load_params

if TYPE_CHECKING:
    from realart.models.trained_model import TrainedModel

Commands: TypeAlias = "argparse._SubParsersAction[Parser]"


def add_model(parser: argparse.ArgumentParser) -> None:
    """Add the option `--model` to a command's parser."""
    parser.add_argument(
        "--model", type=Path, metavar="FOLDER", help=f"folder of the model (default: {paths.FINAL})"
    )


def load_model(arguments: argparse.Namespace) -> "TrainedModel":
    """Load the model that `--model` names, by default the project's, and print its caution."""
    isolation.start("realart.serving.provenance")  # it imports while the model is loaded
    from realart.models.trained_model import TrainedModel  # takes seconds to import

    model = TrainedModel(arguments.model or in_root(paths.FINAL))
    if model.caution:
        print(model.caution, file=sys.stderr, flush=True)
    return model


def project_params() -> Params:
    """Read params.yaml of the project that the current directory is in."""
    return load_params(workspace() / paths.PARAMS)
