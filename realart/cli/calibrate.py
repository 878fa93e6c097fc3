"""`realart calibrate`: fit a model to labelled pictures of where it is used."""

import argparse
from pathlib import Path

from pydantic import ValidationError

from realart.cli.commands import Commands, project_params
from realart.core.errors import RealartError
from realart.core.outputs import require_writable
from realart.core.project import in_root
from realart.core.registry import choose
from realart.params import Promise


def add_command(commands: Commands) -> None:
    """Add this command to the parser."""
    parser = commands.add_parser(
        "calibrate", help="fit a model's probabilities and thresholds to labelled pictures of yours"
    )
    parser.add_argument(
        "--data",
        type=Path,
        required=True,
        help="folder or zip that contains a folder for each class, or for human art alone",
    )
    parser.add_argument(
        "--model",
        default="workspace",
        metavar="RUN",
        help="that of an experiment, of a commit, or of the workspace (default: workspace)",
    )
    parser.add_argument(
        "--labels",
        default="local",
        help="entry of datasets in params.yaml whose label names apply (default: local)",
    )
    for name in ("false-positive-rate", "precision", "confidence"):
        parser.add_argument(
            f"--{name}", type=float, help="to be promised (default: as in params.yaml)"
        )
    parser.add_argument(
        "--out", type=Path, help="folder of the new model (default: models/calibrated/NAME)"
    )
    parser.set_defaults(command=_calibrate)


def _calibrate(arguments: argparse.Namespace) -> None:
    from realart.evaluation import calibrated_model, cross_dataset
    from realart.tracking import model_registry

    params = project_params()
    labels = choose(params.datasets, arguments.labels, "dataset").labels
    promise = _promise(arguments, params.promise)
    out = arguments.out or in_root("models/calibrated") / arguments.data.resolve().stem
    require_writable(out, "folder")
    with cross_dataset.load_run(arguments.model) as run:
        report = calibrated_model.calibrate(run, arguments.data, labels, promise, out)
    summary = calibrated_model.summary(report)
    print(f"{summary}\nsaved to {out}: realart predict --model {out}", flush=True)
    print(model_registry.register_calibrated(run.dataset, out, report, summary))


def _promise(arguments: argparse.Namespace, default: Promise) -> Promise:
    """Return the promise of params.yaml with what the command line changes of it."""
    given = {name: getattr(arguments, name) for name in Promise.model_fields}
    changed = {name: value for name, value in given.items() if value is not None}
    try:
        return Promise.model_validate(default.model_dump() | changed)
    except ValidationError as error:
        name, reason = error.errors()[0]["loc"][0], error.errors()[0]["msg"]
        option = f"--{name}".replace("_", "-")
        raise RealartError(f"{option} is {changed[str(name)]}: {reason}") from error
