"""Imports run one way: a package knows only itself and the packages below it."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ORDER = (
    "core",
    "params",
    "metrics",
    "data",
    "networks",
    "features",
    "models",
    "training",
    "evaluation",
    "serving",
    "tracking",
    "cli",
)
"""Packages and modules of realart, the lowest first; above them all are the stages."""
APART = {"metrics": "data", "data": "metrics"}
"""Packages of one height: neither knows the other."""

FILES = sorted((ROOT / "realart").rglob("*.py")) + sorted((ROOT / "stages").glob("*.py"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_a_package_imports_only_what_is_below_it(file: Path) -> None:
    own = place(file)
    for name in imported(file):
        if own in ORDER:  # the stages are above all
            assert ORDER.index(name) <= ORDER.index(own)
            assert APART.get(own) != name


def test_every_package_has_its_place() -> None:
    packages = {entry.stem for entry in (ROOT / "realart").iterdir() if entry.suffix in ("", ".py")}
    assert packages - {"__init__", "__main__", "__pycache__"} == {*ORDER}


def test_params_are_imported_from_their_package_alone() -> None:
    inside = ROOT / "realart/params"
    for file in FILES:
        if not file.is_relative_to(inside):
            assert "from realart.params." not in file.read_text("utf-8"), file


def place(file: Path) -> str:
    """Return the package, or the module beside packages, that a file belongs to."""
    parts = file.relative_to(ROOT).with_suffix("").parts
    return parts[1] if parts[0] == "realart" else parts[0]


def imported(file: Path) -> Iterator[str]:
    """Yield the packages of realart that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            package, _, rest = name.partition(".")
            assert package != "stages", "a stage is no library"
            if package == "realart" and rest != "__version__":
                yield rest.split(".")[0]
