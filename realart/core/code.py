"""Digests of the code that decides what a stage writes: a stage runs again when one changes.

The stage `check` writes, for each stage, a digest of every module that the stage imports, directly
or not, and `dvc.yaml` names that file as a dependency. Two things are left out, since no output
depends on them: modules that are `PLUMBING`, and, inside a module, comments, docstrings, blank
lines, and the messages of errors and `print`. So a reworded error message runs nothing again, and
nobody keeps a list of modules by hand.
"""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from realart.core.hashing import SHORT

ROOT = Path(__file__).parents[2]
"""The folder that holds the packages `realart` and `stages`."""

PACKAGES = ("realart", "stages")
PLUMBING = (
    "realart.cli",
    "realart.core.code",
    "realart.core.dask_cluster",
    "realart.core.devices",
    "realart.core.errors",
    "realart.core.hub",
    "realart.core.interrupts",
    "realart.core.isolation",
    "realart.core.parallel",
    "realart.core.paths",
    "realart.core.project",
    "realart.core.registry",
    "realart.networks.keras_signatures",
    "realart.networks.signatures",
    "realart.params",
    "realart.tracking",
    "realart.training.check_params",
)
"""Modules and packages that decide no byte of an output: neither they nor their imports count.

They run work, report on it and check what it is given; it is the values of params, which DVC
compares by itself, that decide. A default of a param never changes
(`tests/params/test_groups.py`).
"""

MESSAGES = ("RealartError", "print")
"""Functions whose arguments are text for people, and decide nothing."""

Span = tuple[int, int]
"""First byte of a piece of source, and the byte after its last."""


def digests(module: str) -> dict[str, str]:
    """Return a digest of each source file that decides what `module` does, by its path.

    Parameters
    ----------
    module
        A dotted name below `PACKAGES`, such as `stages.clean`.

    Returns
    -------
    dict
        `SHORT` hexadecimal digits by path, relative to `ROOT`; sorted by path. Files that hold
        nothing but a docstring are left out.
    """
    texts = {file: _read(file).text for file in sources(module)}
    return {
        file.relative_to(ROOT).as_posix(): sha256(text.encode()).hexdigest()[:SHORT]
        for file, text in texts.items()
        if text
    }


def sources(module: str) -> list[Path]:
    """Return the project's files that `module` imports, directly or not, and its own; sorted.

    Imports inside functions count, and all modules of a package that imports its own by
    `registry.import_modules`. `PLUMBING` does not count, nor what only that imports.
    """
    found, names = set[Path](), {module}
    waiting = _files(module)
    while waiting:
        file = waiting.pop()
        if file not in found:
            found.add(file)
            source = _read(file)
            for name in source.imports - names:
                waiting += _files(name)
            names |= source.imports
            if source.imports_modules:
                waiting += [*file.parent.glob("*.py"), *file.parent.glob("*/__init__.py")]
    return sorted(found)


def normalised_source(source: str) -> str:
    """Return Python source without comments, docstrings, blank lines and texts of `MESSAGES`.

    >>> normalised_source("x = 1  # a comment\\n\\nprint('x is', x)")
    'x = 1\\nprint'
    """
    return _analyse(source).text


class _Source(NamedTuple):
    """A source as `normalised_source` returns it, and the dotted names that it imports.

    `imports_modules` is whether it imports all modules of its package, too.
    """

    text: str
    imports: frozenset[str]
    imports_modules: bool


def _read(file: Path) -> _Source:
    """Analyse a file once, and again if it was written since."""
    status = file.stat()
    return _read_once(file, status.st_mtime_ns, status.st_size)


@cache
def _read_once(file: Path, *status: int) -> _Source:
    return _analyse(file.read_text("utf-8"))


def _analyse(source: str) -> _Source:
    nodes = list(ast.walk(ast.parse(source)))
    starts = [0]  # of each line, in bytes, as `ast` counts columns
    for line in source.split("\n"):
        starts.append(starts[-1] + len(f"{line}\n".encode()))
    content = bytearray(source.encode())
    for start, end in [*_message_spans(nodes, starts), *_comment_spans(source, nodes, starts)]:
        content[start:end] = bytes(end - start)
    lines = content.replace(b"\0", b"").decode().split("\n")
    text = "\n".join(line.rstrip() for line in lines if line.strip())
    calls = (node for node in nodes if isinstance(node, ast.Call))
    imports_modules = any(_function_name(call) == "import_modules" for call in calls)
    return _Source(text, frozenset(_imported_names(nodes)), imports_modules)


def _message_spans(nodes: list[ast.AST], starts: list[int]) -> Iterator[Span]:
    """Yield the spans of docstrings, and of the arguments of `MESSAGES`."""
    for node in nodes:
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            yield _start(node, starts), _end(node, starts)
        elif isinstance(node, ast.Call) and _function_name(node) in MESSAGES:
            yield _end(node.func, starts), _end(node, starts)


def _function_name(call: ast.Call) -> str:
    return call.func.id if isinstance(call.func, ast.Name) else ""


def _start(node: ast.stmt | ast.expr, starts: list[int]) -> int:
    return starts[node.lineno - 1] + node.col_offset


def _end(node: ast.stmt | ast.expr, starts: list[int]) -> int:
    assert node.end_lineno is not None
    assert node.end_col_offset is not None
    return starts[node.end_lineno - 1] + node.end_col_offset


def _comment_spans(source: str, nodes: list[ast.AST], starts: list[int]) -> Iterator[Span]:
    """Yield the spans of comments: what begins with a # that is in no text."""
    found = [match.span() for match in re.finditer(rb"#[^\n]*", source.encode())]
    texts = [
        (_start(node, starts), _end(node, starts))
        for node in nodes
        if isinstance(node, ast.Constant | ast.JoinedStr)
    ]
    if any(first < start < last for start, _ in found for first, last in texts):
        yield from _tokenized_comment_spans(source, starts)  # takes as long as all the rest
    else:
        yield from found


def _tokenized_comment_spans(source: str, starts: list[int]) -> Iterator[Span]:
    lines = source.split("\n")
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            row, column = token.start
            start = starts[row - 1] + len(lines[row - 1][:column].encode())
            yield start, start + len(token.string.encode())


def _imported_names(nodes: list[ast.AST]) -> Iterator[str]:
    """Yield the dotted names that a module imports: modules, and what may be a submodule."""
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _files(name: str) -> list[Path]:
    """Return the file of a module of the project, and the `__init__.py` of each parent package.

    Not those of `realart` and `stages` themselves, which decide nothing: the one offers the library
    to other programs, the other handles interrupts.
    """
    parts = name.split(".")
    names = [".".join(parts[: depth + 1]) for depth in range(len(parts))]
    if parts[0] not in PACKAGES or any(plumbing in names for plumbing in PLUMBING):
        return []
    paths = [ROOT.joinpath(*parts[: depth + 1]) for depth in range(len(parts))]
    files = [*(path / "__init__.py" for path in paths[1:]), paths[-1].with_suffix(".py")]
    return [file for file in files if file.is_file()]
