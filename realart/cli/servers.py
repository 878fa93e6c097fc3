"""`realart ui` and `realart demo`: serve pages on this machine."""

import argparse
import os
import sys

from realart.cli.commands import Commands, add_model, load_model
from realart.core.project import workspace


def add_ui(commands: Commands) -> None:
    """Add `realart ui` to the parser."""
    parser = commands.add_parser("ui", help="serve the MLflow UI on this machine")
    _add_address(parser, port=5000)
    parser.set_defaults(command=_ui)


def _ui(arguments: argparse.Namespace) -> None:
    _print_start("MLflow")
    from realart.tracking import ui

    os.chdir(workspace())
    ui.serve(arguments.host, arguments.port)


def add_demo(commands: Commands) -> None:
    """Add `realart demo` to the parser."""
    parser = commands.add_parser(
        "demo", help="serve a page that classifies a picture, on this machine"
    )
    _add_address(parser, port=7860)
    add_model(parser)
    parser.set_defaults(command=_demo)


def _demo(arguments: argparse.Namespace) -> None:
    _print_start("the demo")
    model = load_model(arguments)
    from realart.serving import demo, examples

    tried = examples.examples(workspace(), model.folder)
    demo.serve(arguments.host, arguments.port, model, tried)


def _print_start(name: str) -> None:
    """Print what is started: the imports alone take seconds."""
    print(f"starting {name} ...", file=sys.stderr, flush=True)


def _add_address(parser: argparse.ArgumentParser, port: int) -> None:
    parser.add_argument(
        "--host",
        default="127.0.0.1",
        help="address to listen on; 0.0.0.0 is open to other machines (default: 127.0.0.1)",
    )
    parser.add_argument("--port", type=int, default=port, help=f"(default: {port})")
