"""`realart predict`: classify pictures."""

import argparse
import csv
import json
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from realart.cli.commands import Commands, add_model, load_model
from realart.core.errors import printable
from realart.params import POINTS

if TYPE_CHECKING:
    from realart.serving.predict import Prediction


def add_command(commands: Commands) -> None:
    """Add this command to the parser."""
    parser = commands.add_parser(
        "predict", help="classify pictures: decision and probability of ai"
    )
    parser.add_argument(
        "paths",
        nargs="+",
        type=Path,
        metavar="PATH",
        help="pictures, and folders or zips of pictures; - reads one from standard input; a name "
        "that begins with - follows --",
    )
    add_model(parser)
    parser.add_argument(
        "--at",
        choices=POINTS,
        help="operating point of the decisions; without one, some are unsure",
    )
    parser.add_argument(
        "--once",
        action="store_true",
        help="several times as fast: skip the scoring of deliveries (saved, shrunk, cut, framed), "
        "which shows whether one would turn the decision",
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print a JSON object per file")
    form.add_argument("--csv", action="store_true", help="print CSV with a header")
    parser.set_defaults(command=_predict)


def _predict(arguments: argparse.Namespace) -> int:
    from tqdm import tqdm

    from realart.serving import inputs, predict  # takes seconds to import

    files = inputs.list_files(arguments.paths)
    model = load_model(arguments)
    model.decision_rule.require_point(arguments.at)
    if not (arguments.json or arguments.csv):
        print(model.decision_rule.describe(arguments.at), file=sys.stderr, flush=True)
    write, verdicts = _writer(arguments), Counter[str]()
    predictions = predict.predict(files, model, arguments.at, arguments.once)
    disable = True if len(files) == 1 else None  # None: unless standard error is a terminal
    for prediction in tqdm(predictions, total=len(files), unit=" pictures", disable=disable):
        verdicts[prediction.verdict] += 1
        with tqdm.external_write_mode():
            write(prediction)
    if len(files) > 1:
        print(_summary(verdicts), file=sys.stderr)
    return 1 if verdicts[""] else 0


def _summary(verdicts: Counter[str]) -> str:
    """Summarise in a line how often each verdict came; that of an error is ""."""
    counts = ", ".join(f"{verdicts[name]} {name}" for name in ("ai", "human", "unsure"))
    failed = f"; {verdicts['']} can't be classified" if verdicts[""] else ""
    return f"{verdicts.total() - verdicts['']} pictures: {counts}{failed}"


def _writer(arguments: argparse.Namespace) -> Callable[["Prediction"], object]:
    """Return the function that prints a prediction in the form that the options choose."""
    if arguments.json:
        return _print_json
    if arguments.csv:
        from realart.serving.predict import Prediction

        table = csv.DictWriter(sys.stdout, _csv_row(Prediction("")), lineterminator="\n")
        table.writeheader()
        return lambda prediction: table.writerow(_csv_row(prediction))
    return _print_lines


def _print_json(prediction: "Prediction") -> None:
    print(json.dumps(asdict(prediction), ensure_ascii=False), flush=True)


def _print_lines(prediction: "Prediction") -> None:
    """Print a prediction, or to standard error its error, and below it what else is known."""
    first = f"{prediction.path}: {prediction.error}"
    if not prediction.error:
        first = f"{decision(prediction.verdict, prediction.probability_ai)}  {prediction.path}"
    lines = [first, *(f"  {line}" for line in (*prediction.reasons, *prediction.evidence))]
    stream = sys.stderr if prediction.error else sys.stdout
    print("\n".join(map(printable, lines)), file=stream, flush=True)


def decision(verdict: str, probability: float | None) -> str:
    """Return a verdict and its probability as text of one width.

    >>> decision("human", 0.158)
    'human   p(ai)=0.158'
    """
    return f"{verdict:6}  p(ai)={probability:.3f}"


def _csv_row(prediction: "Prediction") -> dict[str, Any]:
    """Return the fields of a prediction, with a column for each delivery of the panel."""
    from realart.serving.deliveries import PANEL

    row: dict[str, Any] = {}
    for name, value in asdict(prediction).items():
        if name == "deliveries":
            row |= {f"deliveries.{delivery}": value.get(delivery) for delivery in PANEL}
        else:
            row[name] = "; ".join(value) if name == "evidence" else value
    return row
