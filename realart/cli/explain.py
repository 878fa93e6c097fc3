"""`realart explain`: draw which parts of a picture moved its score."""

import argparse
import sys
from pathlib import Path

from realart.cli.commands import Commands, add_model, load_model
from realart.cli.predict import decision
from realart.core.errors import RealartError, printable
from realart.core.outputs import fresh_file, require_writable


def add_command(commands: Commands) -> None:
    """Add this command to the parser."""
    parser = commands.add_parser("explain", help="draw which parts of a picture moved its score")
    parser.add_argument("path", type=Path, metavar="PICTURE")
    add_model(parser)
    parser.add_argument(
        "--out",
        type=Path,
        metavar="PNG",
        help="output file (default: NAME-explained.png in the current directory)",
    )
    parser.set_defaults(command=_explain)


def _explain(arguments: argparse.Namespace) -> None:
    picture = arguments.path
    out = arguments.out or Path(f"{picture.stem}-explained.png")
    require_writable(out)
    if out.suffix.lower() != ".png":
        raise RealartError(f"--out {out} is no PNG: give a name that ends in .png")
    if out.exists() and picture.exists() and out.samefile(picture):
        raise RealartError(f"--out {out} is the picture itself: give another name")
    from realart.data.decoding import UnusableFileError
    from realart.serving import explain, inputs

    model = load_model(arguments)
    try:
        explanation = explain.explain(inputs.read(picture, model.input.clean), model)
    except UnusableFileError as error:
        raise RealartError(f"{picture} can't be explained: {error}; give a picture") from error
    with fresh_file(out) as beside:
        explain.draw(explanation).save(beside, "PNG")
    print(model.decision_rule.describe(), file=sys.stderr)
    reason = explanation.reason and f": {explanation.reason}"
    verdict = decision(explanation.verdict, explanation.probability_ai)
    print(printable(f"{verdict}  {picture}, explanation saved to {out}{reason}"))
