"""dvc.yaml against the code: every module that a stage imports, and every param that it reads."""

import ast
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import BaseModel

from realart.params import Params

ROOT = Path(__file__).parent.parent
PIPELINE = yaml.safe_load((ROOT / "dvc.yaml").read_text())
STAGES = sorted(PIPELINE["stages"])
FOR_THE_RECORD = {"tracking.start", "tracking.evaluation_of"}
"""Functions that note all params of a run, whichever of them its stage reads."""


def imported_modules(file: Path) -> set[Path]:
    """Return the project's modules that a file imports, directly or not."""
    found: set[Path] = set()
    waiting = [file]
    while waiting:
        for node in ast.walk(ast.parse(waiting.pop().read_text())):
            for module in _direct(node) - found:
                found.add(module)
                waiting.append(module)
    return found


def _direct(node: ast.AST) -> set[Path]:
    names: set[str] = set()
    if isinstance(node, ast.Import):
        names = {alias.name for alias in node.names}
    elif isinstance(node, ast.ImportFrom) and node.module:
        names = {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    files: set[Path] = set()
    for name in names:
        if name.split(".")[0] in ("realart", "stages"):
            place = ROOT / name.replace(".", "/")
            files |= {place.with_suffix(".py")} | {
                parent / "__init__.py"
                for parent in [place, *place.parents]
                if parent.is_relative_to(ROOT) and parent != ROOT
            }
    return {file for file in files if file.is_file()}


def params_read(file: Path) -> set[str]:
    """Return the leaves of params.yaml that a stage reads, by following `knobs`."""
    tree = ast.parse(file.read_text())
    parents = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
    names = _names_of_params(tree)
    read: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id in names and isinstance(node.ctx, ast.Load):
            chain = list(names[node.id])
            at: ast.AST = node
            while isinstance(parent := parents[at], ast.Attribute):
                chain.append(parent.attr)
                at = parent
            ...
    return read
