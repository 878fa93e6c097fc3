"""The command line: `realart` and its commands, each a function."""

import argparse
import csv
import json
import sys
from collections.abc import Iterable
from dataclasses import asdict, fields
from io import TextIOWrapper
from pathlib import Path

from realart.core import errors
from realart.core.errors import RealartError
from realart.core.project import root
from realart.core.registry import choose
from realart.params import POINTS, load_params


def main() -> None:
    """Run the command that the arguments name."""
    arguments = _parser().parse_args()
    assert isinstance(sys.stdout, TextIOWrapper)
    sys.stdout.reconfigure(errors="backslashreplace")  # a file's name need not be text
    errors.run(lambda: arguments.command(arguments))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="realart", description="Tell art made by people from art made by generators."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    predict = commands.add_parser("predict", help="verdict and probability for pictures")
    predict.add_argument(
        "paths",
        nargs="+",
        type=Path,
        metavar="PICTURE_OR_FOLDER",
        help="- is a picture on standard input",
    )
    predict.add_argument("--model", type=Path, help="a model's folder (default: models/final)")
    predict.add_argument(
        "--at",
        choices=POINTS,
        help="the operating point of verdicts; without it some are unsure",
    )
    predict.add_argument(
        "--once",
        action="store_true",
        help="skip the second look, which tells whether saving again would change the verdict",
    )
    form = predict.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="one JSON object a line")
    form.add_argument("--csv", action="store_true", help="a table with a header")
    predict.set_defaults(command=_predict)

    explain = commands.add_parser("explain", help="draw what spoke for the verdict on a picture")
    explain.add_argument("path", type=Path, metavar="PICTURE")
    explain.add_argument("--model", type=Path, help="a model's folder (default: models/final)")
    explain.add_argument(
        "--out", type=Path, metavar="PNG", help="(default: <PICTURE's name>-explained.png, here)"
    )
    explain.set_defaults(command=_explain)

    recipes = commands.add_parser("recipes", help="the recipes of params.yaml as a table")
    recipes.add_argument("--json", action="store_true", help="a list for programs")
    recipes.set_defaults(command=_recipes)

    evaluate = commands.add_parser("evaluate", help="trained models on other labelled pictures")
    evaluate.add_argument(
        "--data", nargs="+", type=Path, required=True, help="folders or zips, a folder a class each"
    )
    evaluate.add_argument(
        "--run", nargs="+", default=["workspace"], help="experiments or commits (workspace)"
    )
    evaluate.add_argument(
        "--labels", default="local", help="the dataset of params.yaml whose labels hold (local)"
    )
    evaluate.add_argument("--out", type=Path, default=Path("metrics/elsewhere"))
    evaluate.set_defaults(command=_evaluate)

    compare = commands.add_parser("compare", help="is one of two runs better, or is it chance?")
    compare.add_argument("a", metavar="A", help="an experiment, a commit, or workspace")
    compare.add_argument(
        "b", metavar="B", nargs="?", default="workspace", help="(default: workspace)"
    )
    compare.add_argument(
        "--markdown", action="store_true", help="a table for a comment on a pull request"
    )
    compare.set_defaults(command=_compare)

    send = commands.add_parser("send", help="log what MLflow could not be told when it was made")
    send.set_defaults(command=_send)

    ui = commands.add_parser("ui", help="MLflow's pages, for this machine")
    _add_place(ui, port=5000)
    ui.set_defaults(command=_ui)

    demo = commands.add_parser("demo", help="a page for one picture at a time, for this machine")
    _add_place(demo, port=7860)
    demo.add_argument("--model", type=Path, help="a model's folder (default: models/final)")
    demo.set_defaults(command=_demo)
    return parser


def _add_place(parser: argparse.ArgumentParser, port: int) -> None:
    parser.add_argument(
        "--host", default="127.0.0.1", help="0.0.0.0 listens for other machines, too (127.0.0.1)"
    )
    parser.add_argument("--port", type=int, default=port)


def _predict(arguments: argparse.Namespace) -> int:
    from tqdm import tqdm

    from realart.models.trained_model import TrainedModel
    from realart.serving import predict  # takes seconds to import: only where it is needed

    files = predict.files(arguments.paths)
    model = TrainedModel(arguments.model or root() / "models/final")
    failed = 0
    if arguments.csv:
        columns = [field.name for field in fields(predict.Prediction)]
        table = csv.DictWriter(sys.stdout, columns, lineterminator="\n")
        table.writeheader()
    predictions = predict.predict(files, model, arguments.at, arguments.once)
    hidden = sys.stdout.isatty() or not sys.stderr.isatty()  # answers are progress enough
    for one in tqdm(predictions, total=len(files), unit=" pictures", disable=hidden):
        failed += bool(one.error)
        if arguments.json:
            print(json.dumps(asdict(one), ensure_ascii=False), flush=True)
        elif arguments.csv:
            table.writerow(asdict(one) | {"evidence": "; ".join(one.evidence)})
        elif one.error:
            lines = (f"{one.path}: {one.error}", *(f"  {line}" for line in one.evidence))
            tqdm.write("\n".join(lines), file=sys.stderr)
        else:
            print(f"{one.verdict:7}{one.probability:6.3f}  {one.path}")
            if one.flips:
                again = f"{one.flips} ({one.probability_saved_again:.3f})"
                print(f"  saved again as JPEG {predict.QUALITY} it would be called {again}")
            print(*(f"  {said}\n" for said in one.evidence), sep="", end="", flush=True)
    return 1 if failed else 0


def _explain(arguments: argparse.Namespace) -> None:
    picture = arguments.path
    out = arguments.out or Path(f"{picture.stem}-explained.png")
    if out.suffix.lower() != ".png":
        raise RealartError(f"--out {out} is no PNG: give it a name that ends in .png")
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
        raise RealartError(f"{picture} can't be explained: {reason}; name a picture") from error
    with fresh_file(out) as beside:
        explain.draw(explanation).save(beside, "PNG")
    print(f"{explanation.verdict:7}{explanation.probability:6.3f}  {picture}, drawn in {out}")


def _recipes(arguments: argparse.Namespace) -> None:
    params = load_params()
    from realart.models import recipe_table

    table = [recipe_table.row(name, recipe) for name, recipe in params.recipes.items()]
    if arguments.json:
        print(json.dumps(table, indent=2))
    else:
        _print_table(list(table[0]), [[str(value) for value in row.values()] for row in table])


def _evaluate(arguments: argparse.Namespace) -> None:
    from realart.evaluation import cross_dataset
    from realart.metrics.thresholds import format_figure, one_class_warning

    labels = choose(load_params().datasets, arguments.labels, "dataset").labels
    for one in cross_dataset.matrix(arguments.run, arguments.data, labels, arguments.out):
        accuracy, auc = (format_figure(name, one) for name in ("accuracy", "auc"))
        warning = one_class_warning(one)
        print(
            f"{one['run']} on {one['data']} ({one['pictures']}): accuracy {accuracy}, auc {auc}; "
            f"{one['own']} have the run's own score, {one['left_out']} near-duplicates left out, "
            f"{one['rejected']} files rejected{warning and '; '}{warning}",
            flush=True,
        )
    print(f"figures, scores, plots and the matrix are in {arguments.out}")


def _compare(arguments: argparse.Namespace) -> None:
    from realart.evaluation import compare

    a, b = compare.load_scores(arguments.a), compare.load_scores(arguments.b)
    comparisons = compare.compare(a, b)
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


def _send(arguments: argparse.Namespace) -> None:
    from realart.tracking import outbox

    sent = 0
    for result in outbox.send():
        sent += 1
        print(result, flush=True)
    print(f"sent {sent} runs: nothing is kept any more")


def _ui(arguments: argparse.Namespace) -> None:
    from realart.tracking import ui

    ui.serve(arguments.host, arguments.port)


def _demo(arguments: argparse.Namespace) -> None:
    from realart.models.trained_model import TrainedModel
    from realart.serving import demo

    demo.serve(
        arguments.host, arguments.port, TrainedModel(arguments.model or root() / "models/final")
    )
