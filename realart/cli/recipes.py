"""`realart recipes`: list the recipes of params.yaml."""

import argparse
import json
from collections.abc import Iterable

from realart.cli.commands import Commands, project_params
from realart.models import recipe_table


def add_command(commands: Commands) -> None:
    """Add this command to the parser."""
    parser = commands.add_parser("recipes", help="list the recipes of params.yaml")
    parser.add_argument(
        "--parameters",
        action="store_true",
        help="count the parameters of each network, which is built for that",
    )
    parser.add_argument("--json", action="store_true", help="print a JSON list")
    parser.set_defaults(command=_recipes)


def _recipes(arguments: argparse.Namespace) -> None:
    table = [
        recipe_table.row(name, recipe, arguments.parameters)
        for name, recipe in project_params().recipes.items()
    ]
    if arguments.json:
        print(json.dumps(table, indent=2))
    else:
        _print_table(list(table[0]), [[str(value) for value in row.values()] for row in table])


def _print_table(header: list[str], rows: Iterable[list[str]]) -> None:
    lines = [header, *rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(header))]
    for line in lines:
        cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        print("  ".join(cells).rstrip())
