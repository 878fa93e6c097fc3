"""`realart predict`: classify pictures."""

import argparse
import csv
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from realart.cli.commands import Commands
from realart.core.project import root
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
        metavar="PICTURE_OR_FOLDER",
        help="pictures, or folders of pictures; - reads one from standard input",
    )
    parser.add_argument("--model", type=Path, help="folder of the model (default: models/final)")
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

    from realart.models.trained_model import TrainedModel
    from realart.serving import predict  # takes seconds to import

    files = predict.list_files(arguments.paths)
    model = TrainedModel(arguments.model or root() / "models/final")
    model.decision_rule.require_point(arguments.at)
    promise = model.decision_rule.promise(arguments.at)
    shown = [model.caution, *([] if arguments.json or arguments.csv else [promise])]
    for sentence in filter(None, shown):
        print(sentence, file=sys.stderr, flush=True)
    failed = 0
    if arguments.csv:
        table = csv.DictWriter(sys.stdout, _csv_row(predict.Prediction("")), lineterminator="\n")
        table.writeheader()
    predictions = predict.predict(files, model, arguments.at, arguments.once)
    hidden = sys.stdout.isatty() or not sys.stderr.isatty()  # printed predictions show the progress
    for prediction in tqdm(predictions, total=len(files), unit=" pictures", disable=hidden):
        failed += bool(prediction.error)
        if arguments.json:
            print(json.dumps(asdict(prediction), ensure_ascii=False), flush=True)
        elif arguments.csv:
            table.writerow(_csv_row(prediction))
        elif prediction.error:
            tqdm.write("\n".join(_error_lines(prediction)), file=sys.stderr)
        else:
            print("\n".join(_prediction_lines(prediction)), flush=True)
    return 1 if failed else 0


def _error_lines(prediction: "Prediction") -> list[str]:
    evidence = [f"  {sentence}" for sentence in prediction.evidence]
    return [f"{prediction.path}: {prediction.error}", *evidence]


def _prediction_lines(prediction: "Prediction") -> list[str]:
    sentences = [*filter(None, [prediction.reason]), *prediction.evidence]
    decision = f"{prediction.verdict:7}{prediction.probability:6.3f}  {prediction.path}"
    return [decision, *(f"  {sentence}" for sentence in sentences)]


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
