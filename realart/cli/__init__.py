"""The command line: `realart`, and a module for each of its commands."""

import argparse
import os
import sys
from collections.abc import Sequence
from io import TextIOWrapper
from pathlib import Path

from realart import __version__
from realart.cli import (
    audit,
    calibrate,
    compare,
    completion,
    evaluate,
    explain,
    predict,
    recipes,
    send,
    servers,
)
from realart.cli.parser import Parser
from realart.core import errors


def main() -> None:
    """Run the command that the command line names, and exit with its status."""
    if isinstance(sys.stdout, TextIOWrapper):  # else of a program that has put its own there
        sys.stdout.reconfigure(errors="backslashreplace")  # file names may be undecodable
    errors.run(_run_command)


def _run_command() -> int | None:
    arguments = make_parser().parse_args(_protect_names(sys.argv[1:]))
    status: int | None = arguments.command(arguments)
    return status


def _protect_names(arguments: Sequence[str]) -> list[str]:
    """Return arguments with `./` before the names of files that begin with a hyphen.

    Else a shell's `*.png` would give `-1.png` to the parser as an option. No option has a suffix.
    """
    return [
        f"./{argument}"
        if argument.startswith("-") and Path(argument).suffix and os.path.lexists(argument)
        else argument
        for argument in arguments
    ]


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line, with all commands."""
    parser = Parser(
        prog="realart",
        description="Classify pictures as made by people (human) or by generators (ai).",
    )
    parser.add_argument("--version", action="version", version=f"realart {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for add_command in (
        predict.add_command,
        explain.add_command,
        audit.add_command,
        recipes.add_command,
        evaluate.add_command,
        calibrate.add_command,
        compare.add_command,
        send.add_command,
        servers.add_ui,
        servers.add_demo,
        completion.add_command,
    ):
        add_command(commands)
    return parser
