"""The command line: `realart`, and a module for each of its commands."""

import argparse
import os
import sys
from io import TextIOWrapper

from realart.cli import (
    audit,
    calibrate,
    compare,
    evaluate,
    explain,
    predict,
    recipes,
    send,
    servers,
)
from realart.core import errors


def main() -> None:
    """Run the command that the command line names, and exit with its status."""
    arguments = _parser().parse_args()
    assert isinstance(sys.stdout, TextIOWrapper)
    sys.stdout.reconfigure(errors="backslashreplace")  # file names may be undecodable
    try:
        errors.run(lambda: arguments.command(arguments))
    except BrokenPipeError:  # as of `realart predict folder | head`
        # docs.python.org/3/library/signal.html#note-on-sigpipe: Python writes the rest as it ends
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="realart",
        description="Classify pictures as made by people (human) or by generators (ai).",
    )
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
    ):
        add_command(commands)
    return parser
