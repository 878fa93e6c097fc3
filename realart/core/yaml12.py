"""YAML 1.2 by DVC's own parser, so that `-S` and this library read a value alike.

`1e-06` is a number in YAML 1.2 (https://yaml.org/spec/1.2.2, 10.3.2), and text in YAML 1.1.
"""

import io
from collections.abc import Iterator
from copy import deepcopy
from functools import lru_cache
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.constructor import SafeConstructor
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node

from realart.core.errors import RealartError

MAX_DEPTH = 100
"""Most groups inside each other."""
MAX_VALUES = 100_000
"""Most values, where each alias counts as all that it stands for: far more than anybody writes."""


def load(text: str, name: str) -> Any:
    """Return the content of a YAML file called `name`, which the caller may change.

    Raises
    ------
    RealartError
        It is no valid YAML, has a key twice, or can't be parsed: a number of thousands of digits,
        brackets nested thousands deep. Or its aliases stand for more than a program can hold.
    """
    try:
        content = deepcopy(_parse(text))
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f" in line {mark.line + 1}" if mark else ""
        raise RealartError(f"{name} is no valid YAML{line}: {error.problem}") from error
    except (YAMLError, ValueError) as error:
        problem = f"{error}".partition(";")[0]  # what follows it is for programmers
        raise RealartError(f"{name} is no valid YAML: {problem}") from error
    except RecursionError as error:
        raise RealartError(f"{name} is no valid YAML: it is nested too deeply") from error
    if any(number >= MAX_VALUES for number, _ in enumerate(_values(content, name))):
        raise RealartError(f"{name} has more than {MAX_VALUES} values, by its aliases: remove some")
    return content


@lru_cache(maxsize=8)
def _parse(text: str) -> Any:
    """Parse once: it takes a fifth of a second, and a run reads params.yaml several times."""
    return _parser().load(text)


def _values(content: Any, name: str, depth: int = 0) -> Iterator[Any]:
    """Yield all values and the groups that they are in, those of an alias wherever it stands."""
    if depth > MAX_DEPTH:
        raise RealartError(f"{name} is nested more than {MAX_DEPTH} deep, or in itself by an alias")
    yield content
    inner = content.values() if isinstance(content, dict) else content
    for value in inner if isinstance(content, dict | list) else ():
        yield from _values(value, name, depth + 1)


def dump(content: Any) -> str:
    """Return `content` as YAML, with keys in their order and without anchors.

    `-S` can't set one of two groups that share an anchor.
    """
    stream = io.StringIO()
    parser = _parser()
    parser.representer.ignore_aliases = lambda _: True
    parser.dump(content, stream)
    return stream.getvalue()


class _Constructor(SafeConstructor):
    def check_mapping_key(
        self, node: MappingNode, key_node: Node, mapping: Any, key: Any, value: Any
    ) -> bool:
        """Name both lines of a key that is there twice, which YAML 1.2 forbids (3.2.1.3)."""
        if key in mapping:
            first = next(first for first, _ in node.value if self.construct_object(first) == key)
            problem = f"key '{key}' is there twice, first in line {first.start_mark.line + 1}"
            raise MarkedYAMLError(problem=problem, problem_mark=key_node.start_mark)
        return bool(super().check_mapping_key(node, key_node, mapping, key, value))


def _parser() -> YAML:
    parser = YAML(typ="safe", pure=True)
    parser.Constructor = _Constructor
    parser.default_flow_style = False
    parser.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    return parser
