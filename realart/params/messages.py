"""One line for what validation finds wrong in params.yaml."""

from collections.abc import Iterator, Sequence
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ValidationError

from realart.core.registry import hint
from realart.params.params import Params

RENAMED = {"evaluate.sure": "promise.precision"}
"""Params of older releases, and what took their place."""


def first_problem(error: ValidationError) -> str:
    """Format the first problem as one line; unknown params, often typing errors, come first."""
    problems = sorted(error.errors(), key=lambda entry: entry["type"] != "extra_forbidden")
    problem = problems[0]
    # Without the tags of unions.
    location = [part for part in problem["loc"] if not str(part).startswith("<")]
    name = ".".join(str(part) for part in location)
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    if name in RENAMED:
        return f"param '{name}' is now '{RENAMED[name]}': change params.yaml (CHANGELOG.md){more}"
    if problem["type"] == "extra_forbidden":
        return f"unknown param '{name}'{hint(name, _names(Params, location))}{more}"
    if problem["type"] == "missing":
        return f"param '{name}' is missing{more}"
    message = problem["msg"].removeprefix("Value error, ")
    if location[-1:] == ["[key]"]:  # pydantic's place of the name itself
        return f"{location[0]} has the name {problem['input']!r}: {message}{more}"
    if not name or isinstance(problem["input"], dict):
        return f"{name}: {message}{more}".removeprefix(": ")
    return f"{name} is {problem['input']!r}: {message}{more}"


def _names(model: type[BaseModel], location: Sequence[int | str], prefix: str = "") -> list[str]:
    """List the dotted names of all params in a group.

    Of named entries, such as recipes, those of the entry that `location` is in.
    """
    names = []
    for name, field in model.model_fields.items():
        names.append(prefix + name)
        inside = f"{prefix}{name}."
        if get_origin(field.annotation) is dict and location[0] == name and len(location) > 1:
            inside += f"{location[1]}."
        for inner in _models(field.annotation):
            names += _names(inner, location, inside)
    return names


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    """Yield the groups of params inside a type annotation."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models(inner)
