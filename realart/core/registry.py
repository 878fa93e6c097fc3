"""Registries: what there is of one kind, by name, each entry added by the module that defines it.

A package that has a registry imports its own modules with `import_modules`, so that a new module is
found without being listed anywhere; `realart.core.code` knows of such packages.
"""

import ast
import difflib
import pkgutil
from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TypeVar

from realart.core.errors import RealartError

Entry = TypeVar("Entry")


class Registry(dict[str, Entry]):
    """Entries of one kind by name.

    >>> shapes = Registry[int]("shape")
    >>> shapes.add("triangle", 3)
    >>> shapes["triangel"]
    Traceback (most recent call last):
    realart.core.errors.RealartError: unknown shape 'triangel' (did you mean 'triangle'?); choose \
one of: triangle
    """

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind = kind

    def __missing__(self, name: str) -> Entry:
        return self.choose(name)

    def add(self, name: str, entry: Entry) -> None:
        """Register an entry under its name.

        Raises
        ------
        ValueError
            Another entry has that name.
        """
        if name in self:
            raise ValueError(f"there are two of the {self.kind} '{name}': rename one of them")
        self[name] = entry

    def register(self, name: str) -> Callable[[Entry], Entry]:
        """Return a decorator that adds what it decorates under `name`, as `add` does."""

        def add(entry: Entry) -> Entry:
            self.add(name, entry)
            return entry

        return add

    def choose(self, name: str, param: str = "") -> Entry:
        """Return the entry of a name that the param `param` gives.

        Raises
        ------
        RealartError
            There is no such entry.
        """
        return choose(self, name, self.kind, param)


def import_modules(package: str, folders: Iterable[str]) -> None:
    """Import every module of a package, in the order of their names.

    Parameters
    ----------
    package, folders
        The package's `__name__` and `__path__`.
    """
    for name in sorted(module.name for module in pkgutil.iter_modules(folders)):
        import_module(f"{package}.{name}")


def registered(package: str) -> dict[str, ast.stmt]:
    """Return the definitions that modules of a package register by a decorator, importing none.

    For names alone: what a package imports may take a second.

    >>> list(registered("realart.models.classifiers"))
    ['boosting', 'logistic', 'svm']
    """
    spec = find_spec(package)
    assert spec
    found: dict[str, ast.stmt] = {}
    for file in sorted(Path(str(spec.origin)).parent.glob("*.py")):
        for node in ast.parse(file.read_text("utf-8")).body:
            for decorator in getattr(node, "decorator_list", ()):
                if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "register":
                    found[ast.literal_eval(decorator.args[0])] = node
    return found


def choose(entries: Mapping[str, Entry], name: str, kind: str, param: str = "") -> Entry:
    """Return `entries[name]`.

    Raises
    ------
    RealartError
        There is no such entry: names those of this `kind`, the nearest first, and `param`, whose
        value the name is.
    """
    if name in entries:
        return entries[name]
    where = f"{param}: " if param else ""
    raise RealartError(
        f"{where}unknown {kind} '{name}'{hint(name, entries)}; choose one of: {', '.join(entries)}"
    )


def hint(name: str, known: Iterable[str]) -> str:
    """Return ` (did you mean '...'?)` with the known name that is nearest; empty if none is near.

    >>> hint("foldz", ["folds", "slices"])
    " (did you mean 'folds'?)"
    """
    close = difflib.get_close_matches(name, list(known), n=1)
    return f" (did you mean '{close[0]}'?)" if close else ""
