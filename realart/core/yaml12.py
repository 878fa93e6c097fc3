"""YAML 1.2 by DVC's own parser, so that `-S` and this library read a value alike.

`1e-06` is a number in YAML 1.2 (https://yaml.org/spec/1.2.2, 10.3.2), and text in YAML 1.1.
"""

import io
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from realart.core.errors import RealartError


def load(text: str, name: str) -> Any:
    """Return the content of a YAML file called `name`.

    Raises
    ------
    RealartError
        It is no valid YAML, has a key twice, or can't be parsed: a number of thousands of digits,
        brackets nested thousands deep.
    """
    try:
        return _parser().load(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f" in line {mark.line + 1}" if mark else ""
        raise RealartError(f"{name} is no valid YAML{line}: {error.problem}") from error
    except (YAMLError, ValueError) as error:
        raise RealartError(f"{name} is no valid YAML: {error}") from error
    except RecursionError as error:
        raise RealartError(f"{name} is no valid YAML: it is nested too deeply") from error


def dump(content: Any) -> str:
    """Return `content` as YAML, with keys in their order and without anchors.

    `-S` can't set one of two groups that share an anchor.
    """
    stream = io.StringIO()
    parser = _parser()
    parser.representer.ignore_aliases = lambda _: True
    parser.dump(content, stream)
    return stream.getvalue()


def _parser() -> YAML:
    parser = YAML(typ="safe", pure=True)
    parser.default_flow_style = False
    parser.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    return parser
