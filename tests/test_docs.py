"""What the documentation names exists: links and anchors, paths, commands, options and params."""

import argparse
import ast
import re
import shlex
import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from dvc.cli.parser import get_main_parser
from shell_blocks import COMMAND, FENCE, PAGES, ROOT, commands

from realart import cli
from realart.core import yaml12

PAST = ("CHANGELOG.md",)
"""Pages that name what there was before, too: only their links are checked."""

SPAN = re.compile(r"`([^`\n]+(?:\n[^`\n]+)*)`")
LINK = re.compile(r"\]\(([^)\s]+)\)")
PATH = re.compile(r"(?<![\w/.-])(?:realart|stages|docs|benchmarks|tests)/[\w./-]*\w")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_a_page_names_exists(page: Path) -> None:
    assert list(problems(page)) == []


@pytest.mark.parametrize(
    "text",
    [
        "[a page](docs/nowhere.md)",
        "[a section](docs/data.md#nowhere)",
        "`realart/nowhere.py`",
        "`realart nowhere`",
        "`realart predict --nowhere`",
        "`dvc nowhere`",
        "`dvc repro nowhere`",
        "`dvc exp run --nowhere`",
        "`-S split.nowhere=1`",
        "`make nowhere`",
        "`python -m benchmarks.nowhere`",
        "`python -m benchmarks.recipes ZIP --nowhere`",
        "```sh\nrealart evaluate\n```",
        "```sh\nA=1 dvc exp run \\\n  -S split.nowhere=1  # it's a comment\n```",
        'the rest\n\n```sh\nSET="-S nowhere=1"\ncd x && dvc exp run $SET\n```',
        "```sh\npython -m benchmarks.encoders ZIP\n```",
        "```python\nfrom realart.serving import nowhere\n```",
        "```python\nfrom realart.serving.predict import nowhere\n```",
    ],
)
def test_what_does_not_exist_is_found(text: str, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(text.replace("docs/", f"{ROOT}/docs/"), "utf-8")
    assert len(list(problems(page))) == 1


def problems(page: Path) -> Iterator[str]:
    """Yield a sentence for each thing that a page names and that does not exist."""
    text = page.read_text("utf-8")
    prose = FENCE.sub("", text)
    yield from _links(page, prose)
    if page.name in PAST:
        return
    spans = [" ".join(span.split()) for span in SPAN.findall(prose)]
    blocks = FENCE.findall(text)
    for name in {name for code in (*spans, *(b for _, b in blocks)) for name in PATH.findall(code)}:
        if not (ROOT / name).exists() and not (ROOT / f"{name}.py").exists():
            yield f"no path {name}"
    variables: dict[str, str] = {}
    for language, block in blocks:
        if language == "sh":
            for command in commands(block, variables):
                yield from _command_problems(command, whole=True)
        elif language == "python":
            yield from _import_problems(block)
    for span in spans:
        if COMMAND.match(span):
            for command in commands(span, variables):
                yield from _command_problems(command, whole=False)
        elif span.startswith("-S "):
            yield from _param_problems(shlex.split(span))


def _links(page: Path, prose: str) -> Iterator[str]:
    for target in LINK.findall(SPAN.sub("", prose)):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path) if path else page
        if not file.exists():
            yield f"no file {target}"
        elif anchor and anchor not in _anchors(file):
            yield f"no heading {target}"


@cache
def _anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", page.read_text("utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def _command_problems(command: Sequence[str], whole: bool) -> Iterator[str]:
    """Yield what is wrong with a command; arguments may be missing where it is not `whole`."""
    program, *arguments = command
    if program == "make":
        targets = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
        for argument in arguments:
            if "=" not in argument and argument not in targets:
                yield f"no target {argument} of make"
    elif program == "python":
        yield from _benchmark_problems(arguments[1], arguments[2:], whole)
    else:
        parser = cli.make_parser() if program == "realart" else _dvc_parser()
        yield from _parser_problems(parser, program, arguments, whole)
    yield from _param_problems(arguments)
    if command[:2] == ["dvc", "repro"]:
        for target in arguments[1:]:
            if not target.startswith("-") and target not in _yaml("dvc.yaml")["stages"]:
                yield f"no stage {target}"


@cache
def _dvc_parser() -> argparse.ArgumentParser:
    with patch.object(sys, "argv", ["dvc"]):  # DVC looks into the arguments of the process
        return get_main_parser()


def _parser_problems(
    parser: argparse.ArgumentParser, program: str, arguments: Sequence[str], whole: bool
) -> Iterator[str]:
    """Follow subcommands as far as they go, then look at options, and at all of it if `whole`."""
    inner, rest = parser, list(arguments)
    while rest and (choices := _subcommands(inner)):
        name = rest.pop(0)
        if name not in choices:
            yield f"{program} has no command {name}"
            return
        inner = choices[name]
    unknown = [
        word.partition("=")[0]
        for word in rest
        if re.match(r"--?[a-zA-Z]", word)
        and word.partition("=")[0] not in inner._option_string_actions
    ]
    if unknown:
        yield f"{inner.prog} has no option {unknown[0]}"
    elif whole:
        try:
            parser.parse_args(list(arguments))
        except (Exception, SystemExit) as error:
            yield f"{program} {shlex.join(arguments)} can't be parsed: {error}"


def _subcommands(parser: argparse.ArgumentParser) -> Mapping[str, argparse.ArgumentParser]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            return action.choices
    return {}


def _benchmark_problems(module: str, arguments: Sequence[str], whole: bool) -> Iterator[str]:
    """Compare options with the calls of `add_argument`, since imports of benchmarks take long."""
    file = ROOT / f"{module.replace('.', '/')}.py"
    if not file.is_file():
        yield f"no module {module}"
        return
    options = {}
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "add_argument":
            required = any(word.arg == "required" for word in node.keywords)
            options |= {
                name.value: required for name in node.args if isinstance(name, ast.Constant)
            }
    given = {argument for argument in arguments if argument.startswith("--")}
    for name in sorted(given - options.keys()):
        yield f"{module} has no option {name}"
    if whole:
        for name, required in options.items():
            if required and name not in given:
                yield f"{module} needs {name}"


def _param_problems(arguments: Sequence[str]) -> Iterator[str]:
    """Look up what `-S` sets, and what benchmarks `--set`; <name> is any key, +key a new one."""
    for flag, setting in pairwise(arguments):
        key, equals, _ = setting.partition("=")
        known = (
            not equals
            or key.startswith("+")
            or "..." in key
            or _has(_yaml("params.yaml"), key.split("."))
        )
        if flag in ("-S", "--set", "--set-param") and not known:
            yield f"no param {key}"


@cache
def _yaml(name: str) -> Any:
    return yaml12.load((ROOT / name).read_text("utf-8"), name)


def _has(params: Any, keys: Sequence[str]) -> bool:
    if not keys or not isinstance(params, dict):
        return not keys
    inner = params.values() if keys[0].startswith("<") else [params.get(keys[0])]
    return (keys[0] in params or keys[0].startswith("<")) and any(
        _has(value, keys[1:]) for value in inner
    )


def _import_problems(block: str) -> Iterator[str]:
    """Look for what an example in Python imports from the library."""
    for node in ast.walk(ast.parse(block)):
        if not (isinstance(node, ast.ImportFrom) and (node.module or "").startswith("realart")):
            continue
        module = ROOT / str(node.module).replace(".", "/")
        for name in (alias.name for alias in node.names):
            if (module / f"{name}.py").exists() or (module / name).is_dir():
                continue
            source = module / "__init__.py" if module.is_dir() else module.with_suffix(".py")
            if not source.exists() or name not in _defined(source):
                yield f"no {name} in {node.module}"


def _defined(source: Path) -> set[str]:
    body = ast.parse(source.read_text("utf-8")).body
    return {node.name for node in body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
