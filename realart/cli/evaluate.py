"""`realart evaluate`: evaluate runs, or another detector, on a labelled set."""

import argparse
from pathlib import Path

from realart.cli.commands import Commands, project_params
from realart.core.errors import RealartError
from realart.core.outputs import require_writable
from realart.core.project import in_root
from realart.core.registry import choose


def add_command(commands: Commands) -> None:
    """Add this command to the parser."""
    parser = commands.add_parser(
        "evaluate", help="evaluate trained models, or another detector's scores, on a labelled set"
    )
    parser.add_argument(
        "--data",
        nargs="+",
        type=Path,
        required=True,
        help="folders or zips that contain a folder for each class, or for one",
    )
    detector = parser.add_mutually_exclusive_group()
    detector.add_argument(
        "--model",
        nargs="+",
        default=["workspace"],
        metavar="RUN",
        help="models of experiments, of commits, or of the workspace (default: workspace)",
    )
    detector.add_argument(
        "--scores",
        type=Path,
        metavar="CSV",
        help="scores of another detector: columns path, and probability_ai or score",
    )
    parser.add_argument(
        "--threshold",
        type=float,
        help="with --scores: score from which a picture is classified as ai (default: 0.5 for "
        "probabilities, none for scores)",
    )
    parser.add_argument(
        "--labels",
        default="local",
        help="entry of datasets in params.yaml whose label names apply (default: local)",
    )
    parser.add_argument(
        "--out",
        type=Path,
        help="output folder (default: metrics/elsewhere)",
    )
    parser.set_defaults(command=_evaluate)


def _evaluate(arguments: argparse.Namespace) -> None:
    from realart.evaluation import cross_dataset, external_scores, set_report

    params = project_params()
    labels = choose(params.datasets, arguments.labels, "dataset").labels
    out = arguments.out or in_root("metrics/elsewhere")
    require_writable(out, "folder")
    if arguments.scores:
        if len(arguments.data) > 1:
            raise RealartError(f"--scores is of one set, and --data names {len(arguments.data)}")
        table = external_scores.read(arguments.scores, arguments.threshold)
        (data,) = arguments.data
        out = out / f"{table.file.stem} on {data.name}"
        print(set_report.summary(external_scores.evaluate(table, data, labels, params, out)))
        print(f"metrics, scores and plots are in {out}")
        return
    if arguments.threshold is not None:
        raise RealartError("--threshold is of --scores; a run has its own thresholds")
    limit = params.audit.pictures
    for report in cross_dataset.matrix(arguments.model, arguments.data, labels, out, limit):
        print(set_report.summary(report), flush=True)
    print(f"metrics, scores, plots and the matrix are in {out}")
