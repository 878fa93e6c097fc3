"""Settings for `dvc exp run -S`, quoted as Hydra's grammar and a POSIX shell want them."""

import re
import shlex
from collections.abc import Iterator
from typing import Any

_PLAIN = re.compile(r"[A-Za-z_/.][A-Za-z0-9_/.+-]*")
"""Text that Hydra reads unquoted."""
_OTHER_TYPES = re.compile(r"(true|false|null|[+-]?(nan|inf)|\.?\d.*)", re.IGNORECASE)
"""Text that Hydra would read as a value of another type."""


def setting(key: str, value: Any) -> str:
    """Return the option of `dvc exp run` that sets a param, to be pasted into a shell.

    Names with blanks, `=` or letters beyond ASCII are quoted twice: for the shell, and for Hydra's
    override grammar (https://hydra.cc/docs/advanced/override_grammar/basic/).

    Examples
    --------
    >>> print(setting("split.folds", 5))
    -S split.folds=5
    >>> print(setting("datasets.local.path", "/home/zoé/my art.zip"))
    -S 'datasets.local.path="/home/zoé/my art.zip"'
    """
    return f"-S {shlex.quote(f'{key}={_value(value)}')}"


def changes(before: Any, after: Any, key: str = "") -> Iterator[str]:
    """Yield the options of `dvc exp run` that turn one params.yaml into another.

    Parameters
    ----------
    before, after
        The contents of both files, or of the groups called `key` in them.

    Examples
    --------
    >>> list(changes({"a": {"b": 1, "c": 2}, "d": 0}, {"a": {"b": 3, "e": 4}, "d": 0}))
    ['-S a.b=3', "-S '~a.c'", '-S ++a.e=4']
    """
    if not (isinstance(before, dict) and isinstance(after, dict)):
        if before != after:
            yield setting(key, after)
        return
    for name in before | after:
        inner = f"{key}.{name}" if key else name
        if name not in after:
            yield f"-S {shlex.quote(f'~{inner}')}"
        elif name not in before:
            yield setting(f"++{inner}", after[name])
        else:
            yield from changes(before[name], after[name], inner)


def _value(value: Any) -> str:
    """Return a value of params.yaml in Hydra's grammar."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "{" + ",".join(f"{name}:{_value(inner)}" for name, inner in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(_value, value)) + "]"
    if isinstance(value, str) and not (_PLAIN.fullmatch(value) and not _OTHER_TYPES.match(value)):
        # Backslashes are literal, but for those before a quote: there each is written twice.
        text = re.sub(r'(\\*)"', r'\1\1\\"', value)
        return '"' + re.sub(r"(\\+)$", r"\1\1", text) + '"'
    return str(value)
