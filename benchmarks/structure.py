"""The size of the code, and the imports that run against the order of packages, as a table.

    python -m benchmarks.structure [REVISION ...]

Prints a row in Markdown for each git revision (a commit, a branch, a tag), or for the working tree.
Lines of code have a token: no blank lines, comments or docstrings; modules without any are not
counted. The length of a function is from `def` to its last line, docstring included. Imports
against the order are those of a package from one that stands above it in `tests/test_imports.py`; a
revision without these packages has "-".
"""

import argparse
import ast
import io
import statistics
import subprocess
import tarfile
import tempfile
import tokenize
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
COLUMNS = (
    "revision",
    "modules",
    "packages",
    "lines of code",
    "function: median lines",
    "longest",
    "imports against the order",
    "`dvc.yaml`, lines",
    "`README.md`, lines",
    "longest stage, lines",
)
LAYOUT = (
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENDMARKER,
)
"""Types of tokens that do not make a line one of code."""

Order = tuple[tuple[str, ...], dict[str, str]]
"""Packages, the lowest first, and those of them that stand side by side."""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("revisions", nargs="*", metavar="REVISION")
    revisions = parser.parse_args().revisions
    print(f"| {' | '.join(COLUMNS)} |\n|{' --- |' * len(COLUMNS)}")
    order = package_order()
    for revision in revisions or [None]:
        with tempfile.TemporaryDirectory() as folder:
            tree = extract(revision, Path(folder)) if revision else ROOT
            cells = [revision or "working tree", *map(str, measure(tree, order))]
            print(f"| {' | '.join(cells)} |", flush=True)


def package_order() -> Order:
    """Return `ORDER` and `APART` of the test of imports, without importing it."""
    tree = ast.parse((ROOT / "tests/test_imports.py").read_text("utf-8"))
    values = {
        node.targets[0].id: node.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }
    return ast.literal_eval(values["ORDER"]), ast.literal_eval(values["APART"])


def extract(revision: str, folder: Path) -> Path:
    """Write the files of a revision into `folder`, and return it."""
    command = ["git", "-C", str(ROOT), "archive", revision]
    archive = subprocess.run(command, check=True, capture_output=True).stdout
    with tarfile.open(fileobj=io.BytesIO(archive)) as opened:
        opened.extractall(folder, filter="data")
    return folder


def measure(tree: Path, order: Order) -> list[int | str]:
    """Return the cells of a row after its name; `tree` is the folder of the project."""
    library = tree / "realart"
    modules = sorted(library.rglob("*.py"))
    sources = {file: file.read_text("utf-8") for file in modules}
    lengths = [length for source in sources.values() for length in function_lengths(source)]
    packages = [file for file in modules if file.name == "__init__.py" and file.parent != library]
    layered = {place(file, library) for file in modules} - {"__init__"} <= set(order[0])
    against = sum(imports_against(file, library, sources[file], order) for file in modules)
    return [
        sum(code_lines(source) > 0 for source in sources.values()),
        len(packages),
        sum(map(code_lines, sources.values())),
        f"{statistics.median(lengths):g}",
        max(lengths),
        against if layered else "-",
        line_count(tree / "dvc.yaml"),
        line_count(tree / "README.md"),
        max(map(line_count, (tree / "stages").glob("*.py"))),
    ]


def function_lengths(source: str) -> Iterator[int]:
    """Yield the length of each function and method, in lines."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno is not None
            yield node.end_lineno - node.lineno + 1


def code_lines(source: str) -> int:
    """Count the lines of code: without blank lines, comments and docstrings."""
    texts = {
        (node.lineno, node.col_offset)
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in LAYOUT and token.start not in texts:
            lines |= {*range(token.start[0], token.end[0] + 1)}
    return len(lines)


def place(file: Path, library: Path) -> str:
    """Return the package, or the module beside packages, that a file belongs to."""
    return file.relative_to(library).with_suffix("").parts[0]


def imports_against(file: Path, library: Path, source: str, order: Order) -> int:
    """Count a module's imports from packages that stand above or beside its own."""
    names, apart = order
    own = place(file, library)
    return sum(
        names.index(name) > names.index(own) or apart.get(own) == name
        for name in imported(source)
        if own in names and name in names
    )


def imported(source: str) -> Iterator[str]:
    """Yield the packages of realart that a module imports, wherever in it."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            dotted = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            dotted = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in dotted:
            first, _, rest = name.partition(".")
            if first == "realart" and rest:
                yield rest.split(".")[0]


def line_count(file: Path) -> int:
    """Count the lines of a text file."""
    return len(file.read_text("utf-8").splitlines())


if __name__ == "__main__":
    main()
