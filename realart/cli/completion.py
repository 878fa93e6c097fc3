"""`realart completion`: print a script by which a shell completes commands, options and files."""

import argparse
from collections.abc import Iterator
from pathlib import Path

from realart.cli.commands import Commands

SHELLS = ("bash", "zsh", "tcsh")


def add_command(commands: Commands) -> None:
    """Add this command to the parser."""
    parser = commands.add_parser("completion", help="print a script that completes in a shell")
    parser.add_argument("shell", choices=SHELLS)
    parser.set_defaults(command=_completion)


def _completion(arguments: argparse.Namespace) -> None:
    import shtab

    from realart.cli import make_parser

    parser = make_parser()
    for action in _actions(parser):
        if action.type is Path:
            action.complete = shtab.FILE  # type: ignore[attr-defined]
    print(shtab.complete(parser, arguments.shell))


def _actions(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    """Yield the arguments of a parser and of its commands."""
    for action in parser._actions:
        yield action
        if isinstance(action, argparse._SubParsersAction):
            for inner in action.choices.values():
                yield from _actions(inner)
