"""`realart compare`: test whether two runs differ by more than chance."""

import argparse

from realart.cli.commands import Commands


def add_command(commands: Commands) -> None:
    """Add this command to the parser."""
    parser = commands.add_parser("compare", help="test whether two runs differ by more than chance")
    parser.add_argument(
        "a",
        metavar="A",
        help="experiment, commit, workspace, or a folder that `realart evaluate` wrote",
    )
    parser.add_argument(
        "b",
        metavar="B",
        nargs="?",
        default="workspace",
        help="the same (default: workspace)",
    )
    parser.add_argument(
        "--markdown",
        action="store_true",
        help="print a Markdown table, for a comment on a pull request",
    )
    parser.set_defaults(command=_compare)


def _compare(arguments: argparse.Namespace) -> None:
    from realart.evaluation import compare, compare_cases, named_scores

    a, threshold_a = named_scores.load(arguments.a)
    b, threshold_b = named_scores.load(arguments.b)
    comparisons = compare.compare(a, b, (threshold_a, threshold_b))
    case_lines = compare_cases.compare(*map(compare_cases.load, (arguments.a, arguments.b)))
    if arguments.markdown:
        print(compare.markdown(arguments.a, arguments.b, comparisons), end="\n\n")
        print(*(f"- {line}" for line in case_lines), sep="\n")
        return
    print(f"A is {arguments.a}, B is {arguments.b}")
    print(*comparisons, *case_lines, sep="\n")
