"""`realart send`: log the runs that could not be logged to MLflow."""

import argparse

from realart.cli.commands import Commands


def add_command(commands: Commands) -> None:
    """Add this command to the parser."""
    parser = commands.add_parser(
        "send", help="log the runs that could not be logged to MLflow when they were made"
    )
    parser.set_defaults(command=_send)


def _send(arguments: argparse.Namespace) -> None:
    from realart.tracking import outbox

    sent = 0
    for message in outbox.send():
        sent += 1
        print(message, flush=True)
    print(f"logged {sent} {'run' if sent == 1 else 'runs'}; none is left to log")
