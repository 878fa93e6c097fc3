"""The command line: `realart` and its commands."""

import argparse
import csv
import json
import sys
from collections.abc import Callable, Iterable
from contextlib import redirect_stdout
from dataclasses import asdict
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from pydantic import ValidationError

from realart.core import errors
from realart.core.errors import RealartError
from realart.core.project import root
from realart.core.registry import choose
from realart.params import CLASSES, POINTS, LabelNames, Promise, load_params

if TYPE_CHECKING:
    from realart.serving.predict import Prediction


Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def main() -> None:
    """Run the command that the command line names, and exit with its status."""
    arguments = _parser().parse_args()
    assert isinstance(sys.stdout, TextIOWrapper)
    sys.stdout.reconfigure(errors="backslashreplace")  # file names may be undecodable
    errors.run(lambda: arguments.command(arguments))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="realart",
        description="Classify pictures as made by people (human) or by generators (ai).",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for add_command in (
        _add_predict,
        _add_explain,
        _add_audit,
        _add_recipes,
        _add_evaluate,
        _add_calibrate,
        _add_compare,
        _add_send,
        _add_ui,
        _add_demo,
    ):
        add_command(commands)
    return parser


def _add_address(parser: argparse.ArgumentParser, port: int) -> None:
    parser.add_argument(
        "--host",
        default="127.0.0.1",
        help="address to listen on; 0.0.0.0 is open to other machines (default: 127.0.0.1)",
    )
    parser.add_argument("--port", type=int, default=port, help=f"(default: {port})")


def _add_predict(commands: Commands) -> None:
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
    if promise and not (arguments.json or arguments.csv):
        print(promise, file=sys.stderr, flush=True)
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


def _add_explain(commands: Commands) -> None:
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


def _add_audit(commands: Commands) -> None:
    parser = commands.add_parser(
        "audit", help="find what gives the labels of a set of pictures away, and its duplicates"
    )
    parser.add_argument(
        "paths",
        nargs="+",
        type=Path,
        metavar="FOLDER_OR_ZIP",
        help="sets of pictures with a folder for each class, audited as one",
    )
    names = parser.add_argument_group("labels", "by default folders such as ai and real are known")
    names.add_argument("--ai", nargs="+", default=[], metavar="NAME", help="folders of ai pictures")
    names.add_argument(
        "--human", nargs="+", default=[], metavar="NAME", help="folders of human pictures"
    )
    names.add_argument(
        "--labels", metavar="DATASET", help="entry of datasets in params.yaml, in a project"
    )
    parser.add_argument(
        "--pictures",
        type=_number(int, 40, 10**9),
        default=4000,
        metavar="N",
        help="audit at most so many, drawn evenly by class (default: 4000, about a minute)",
    )
    parser.add_argument(
        "--out", type=Path, default=Path("audit.html"), help="the page (default: audit.html)"
    )
    parser.add_argument("--json", action="store_true", help="print all figures as a JSON object")
    parser.add_argument(
        "--fail-above",
        type=_number(float, 0.5, 1),
        metavar="AUC",
        help="exit with 1 if the label is predicted without image content with an AUC above this, "
        "by the lower bound of its interval",
    )
    parser.add_argument(
        "--fail-on",
        type=lambda text: text.split(","),
        default=[],
        metavar="KINDS",
        help="exit with 1 if there are any: duplicates, contradictions, leaks (duplicates across "
        "train and test), broken, one-sided; joined by commas",
    )
    parser.set_defaults(command=_audit)


def _number(kind: Callable[[str], float], low: float, high: float) -> Callable[[str], float]:
    """Return a type of arguments: a number of some kind, from `low` to `high`."""

    def parse(text: str) -> float:
        number = kind(text)
        if not low <= number <= high:
            raise argparse.ArgumentTypeError(f"{text} is not from {low:g} to {high:g}")
        return number

    return parse


def _audit(arguments: argparse.Namespace) -> int:
    from realart.core.outputs import fresh_file
    from realart.evaluation import audit_findings, audit_page, published_audit

    if arguments.out.suffix.lower() != ".html" or arguments.out.is_dir():
        raise RealartError(f"--out {arguments.out} is no page: give a name that ends in .html")
    known = dict.fromkeys(audit_findings.PROBLEMS)
    for kind in arguments.fail_on:
        choose(known, kind, "problem", "--fail-on")
    labels, fields = _label_options(arguments)
    with redirect_stdout(sys.stderr if arguments.json else sys.stdout):
        sets = published_audit.open_sets(arguments.paths, labels, fields)
        audit = published_audit.audit(sets, arguments.pictures)
    with fresh_file(arguments.out) as beside:
        beside.write_text(audit_page.page(audit), "utf-8")
    failures = audit_findings.failures(audit, arguments.fail_above, arguments.fail_on)
    doubt = audit_findings.doubt(audit, arguments.fail_above) if arguments.fail_above else ""
    if arguments.json:
        figures = audit_findings.figures(audit) | {"failures": failures, "no_verdict": doubt}
        print(json.dumps(figures, indent=2, ensure_ascii=False))
        return 1 if failures else 0
    print(*audit_findings.sentences(audit), sep="\n")
    for failure in failures:
        print(f"fails: {failure}")
    if doubt:
        print(f"no verdict: {doubt}")
    print(f"audited {audit.drawn} of {audit.labelled} labelled files; the page is {arguments.out}")
    return 1 if failures else 0


def _label_options(arguments: argparse.Namespace) -> tuple[LabelNames, str | None]:
    """Return the names of classes in paths, and the pattern of other fields, of an audit."""
    from pydantic import ValidationError

    from realart.data import defaults
    from realart.params import WeakNames

    given = {name: getattr(arguments, name) for name in CLASSES if getattr(arguments, name)}
    if arguments.labels:
        if given:
            raise RealartError("--labels names both classes: leave out --ai and --human")
        dataset = choose(load_params().datasets, arguments.labels, "dataset", "--labels")
        return dataset.labels, dataset.fields or defaults.FIELDS
    weak = dict(defaults.LABELS.weak) | {name: [] for name in given}
    names = {name: getattr(defaults.LABELS, name) for name in CLASSES} | given
    try:
        return LabelNames(weak=WeakNames(**weak), **names), defaults.FIELDS
    except ValidationError as error:
        problem = error.errors()[0]
        raise RealartError(
            f"--{problem['loc'][0]} {problem['input']!r} "
            f"{problem['msg'].removeprefix('Value error, ')}"
        ) from error


def _add_recipes(commands: Commands) -> None:
    parser = commands.add_parser("recipes", help="list the recipes of params.yaml")
    parser.add_argument("--json", action="store_true", help="print a JSON list")
    parser.set_defaults(command=_recipes)


def _recipes(arguments: argparse.Namespace) -> None:
    params = load_params()
    from realart.models import recipe_table

    table = [recipe_table.row(name, recipe) for name, recipe in params.recipes.items()]
    if arguments.json:
        print(json.dumps(table, indent=2))
    else:
        _print_table(list(table[0]), [[str(value) for value in row.values()] for row in table])


def _add_evaluate(commands: Commands) -> None:
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
        "--run",
        nargs="+",
        default=["workspace"],
        help="experiments, commits, or workspace (default: workspace)",
    )
    detector.add_argument(
        "--scores",
        type=Path,
        metavar="CSV",
        help="scores of another detector: columns path, and probability or score (of ai)",
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
        default=Path("metrics/elsewhere"),
        help="output folder (default: metrics/elsewhere)",
    )
    parser.set_defaults(command=_evaluate)


def _evaluate(arguments: argparse.Namespace) -> None:
    from realart.evaluation import cross_dataset, external_scores, set_report

    params = load_params()
    labels, out = choose(params.datasets, arguments.labels, "dataset").labels, arguments.out
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
    for report in cross_dataset.matrix(arguments.run, arguments.data, labels, out, limit):
        print(set_report.summary(report), flush=True)
    print(f"metrics, scores, plots and the matrix are in {out}")


def _add_calibrate(commands: Commands) -> None:
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
        "--run",
        default="workspace",
        help="experiment, commit, or workspace whose model is calibrated (default: workspace)",
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

    params = load_params()
    labels = choose(params.datasets, arguments.labels, "dataset").labels
    promise = _promise(arguments, params.promise)
    out = arguments.out or root() / "models/calibrated" / arguments.data.resolve().stem
    with cross_dataset.load_run(arguments.run) as run:
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
        (name,), reason = error.errors()[0]["loc"], error.errors()[0]["msg"]
        option = f"--{name}".replace("_", "-")
        raise RealartError(f"{option} is {changed[str(name)]}: {reason}") from error


def _add_compare(commands: Commands) -> None:
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
    from realart.evaluation import compare

    a, threshold_a = compare.load_scores(arguments.a)
    b, threshold_b = compare.load_scores(arguments.b)
    comparisons = compare.compare(a, b, (threshold_a, threshold_b))
    if arguments.markdown:
        print(compare.markdown(arguments.a, arguments.b, comparisons))
        return
    print(f"A is {arguments.a}, B is {arguments.b}")
    for comparison in comparisons:
        print(comparison)


def _print_table(header: list[str], rows: Iterable[list[str]]) -> None:
    lines = [header, *rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(header))]
    for line in lines:
        cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        print("  ".join(cells).rstrip())


def _add_send(commands: Commands) -> None:
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


def _add_ui(commands: Commands) -> None:
    parser = commands.add_parser("ui", help="serve the MLflow UI on this machine")
    _add_address(parser, port=5000)
    parser.set_defaults(command=_ui)


def _ui(arguments: argparse.Namespace) -> None:
    from realart.tracking import ui

    ui.serve(arguments.host, arguments.port)


def _add_demo(commands: Commands) -> None:
    parser = commands.add_parser(
        "demo", help="serve a page that classifies a picture, on this machine"
    )
    _add_address(parser, port=7860)
    parser.add_argument("--model", type=Path, help="folder of the model (default: models/final)")
    parser.set_defaults(command=_demo)


def _demo(arguments: argparse.Namespace) -> None:
    from realart.models.trained_model import TrainedModel
    from realart.serving import demo

    demo.serve(
        arguments.host, arguments.port, TrainedModel(arguments.model or root() / "models/final")
    )
