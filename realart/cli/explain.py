"""`realart explain`: draw which parts of a picture moved its score."""

import argparse
from pathlib import Path

from realart.cli.commands import Commands
from realart.core.errors import RealartError
from realart.core.project import root


def add_command(commands: Commands) -> None:
    """Add this command to the parser."""
    parser = commands.add_parser("explain", help="draw which parts of a picture moved its score")
    parser.add_argument("path", type=Path, metavar="PICTURE")
    parser.add_argument("--model", type=Path, help="folder of the model (default: models/final)")
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
    if out.suffix.lower() != ".png":
        raise RealartError(f"--out {out} is no PNG: give a name that ends in .png")
    if out.exists() and picture.exists() and out.samefile(picture):
        raise RealartError(f"--out {out} is the picture itself: give another name")
    from realart.core.outputs import fresh_file
    from realart.data.decoding import UnusableFileError
    from realart.models.trained_model import TrainedModel
    from realart.serving import explain

    model = TrainedModel(arguments.model or root() / "models/final")
    try:
        explanation = explain.explain(picture.read_bytes(), model)
    except (UnusableFileError, OSError) as error:
        reason = getattr(error, "strerror", None) or error
        raise RealartError(f"{picture} can't be explained: {reason}; give a picture") from error
    with fresh_file(out) as beside:
        explain.draw(explanation).save(beside, "PNG")
    decision = f"{explanation.verdict:7}{explanation.probability:6.3f}"
    reason = explanation.reason and f": {explanation.reason}"
    print(f"{decision}  {picture}, explanation saved to {out}{reason}")
