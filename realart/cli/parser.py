"""A parser whose errors show the usage of the command in question, and the nearest known word."""

import argparse
from itertools import takewhile
from typing import Any

from realart.core.registry import hint


class Parser(argparse.ArgumentParser):
    """Parses a command line, or what follows the name of one of its commands."""

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parse as `argparse` does, but end on what is unknown, before on what is missing.

        `argparse` leaves that to the parser of the whole command line, and shows the usage of that.
        """
        for argument in takewhile(self._is_own, args):
            if not argument:  # which would stand for the current directory, or for the workspace
                self.error("an argument is empty: is a variable of the shell unset?")
            name = argument.partition("=")[0]
            known = [option for option in self._option_string_actions if option.startswith(name)]
            if name.startswith("--") and not known:
                self.error(f"unknown option {name}{hint(name, self._option_string_actions)}")
        parsed, unknown = super().parse_known_args(args, namespace)
        if unknown:
            self.error(f"unknown arguments: {' '.join(unknown)}")
        return parsed, unknown

    def _is_own(self, argument: str) -> bool:
        """Return whether an argument is before `--`, and before the name of a command if any."""
        return argument != "--" and (not self._subparsers or argument.startswith("-"))

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        try:
            super()._check_value(action, value)
        except argparse.ArgumentError as error:
            error.message += hint(f"{value}", map(str, action.choices or ()))
            raise
