"""`realart audit`: find what gives the labels of a set of pictures away."""

import argparse
import json
import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path

from pydantic import ValidationError

from realart.cli.commands import Commands, project_params
from realart.core.errors import RealartError
from realart.core.outputs import fresh_file, require_writable
from realart.core.registry import choose
from realart.params import CLASSES, LabelNames


def add_command(commands: Commands) -> None:
    """Add this command to the parser."""
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
        help="exit with 1 if the label is predicted from shortcuts with an AUC above this, "
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
    from realart.evaluation import audit_page, published_audit, published_findings

    if arguments.out.suffix.lower() != ".html" or arguments.out.is_dir():
        raise RealartError(f"--out {arguments.out} is no page: give a name that ends in .html")
    require_writable(arguments.out)
    known = dict.fromkeys(published_findings.PROBLEMS)
    for kind in arguments.fail_on:
        choose(known, kind, "problem", "--fail-on")
    labels, fields = _label_options(arguments)
    with redirect_stdout(sys.stderr if arguments.json else sys.stdout):
        sets = published_audit.open_sets(arguments.paths, labels, fields)
        audit = published_audit.audit(sets, arguments.pictures)
    with fresh_file(arguments.out) as beside:
        beside.write_text(audit_page.page(audit), "utf-8")
    failures = published_findings.failures(audit, arguments.fail_above, arguments.fail_on)
    doubt = published_findings.doubt(audit, arguments.fail_above) if arguments.fail_above else ""
    if arguments.json:
        figures = published_findings.figures(audit) | {"failures": failures, "no_verdict": doubt}
        print(json.dumps(figures, indent=2, ensure_ascii=False))
        return 1 if failures else 0
    print(*published_findings.sentences(audit), sep="\n")
    for failure in failures:
        print(f"fails: {failure}")
    if doubt:
        print(f"no verdict: {doubt}")
    print(f"audited {audit.drawn} of {audit.labelled} labelled files; the page is {arguments.out}")
    return 1 if failures else 0


def _label_options(arguments: argparse.Namespace) -> tuple[LabelNames, str | None]:
    """Return the names of classes in paths, and the pattern of other fields, of an audit."""

    from realart.data import defaults
    from realart.params import WeakNames

    given = {name: getattr(arguments, name) for name in CLASSES if getattr(arguments, name)}
    if arguments.labels:
        if given:
            raise RealartError("--labels names both classes: leave out --ai and --human")
        dataset = choose(project_params().datasets, arguments.labels, "dataset", "--labels")
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
