"""What is written for `-S` sets the value that was meant, by way of a shell and of DVC."""

import shlex
from pathlib import Path
from typing import Any

import pytest
from dvc.utils.hydra import apply_overrides
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from realart.core import yaml12
from realart.core.overrides import setting

TEXTS = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Zs"))).filter(
    lambda text: "$" not in text  # of an interpolation
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, width=32) | TEXTS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["a", "b_c", "d1"]), inner, max_size=3)
    ),
    max_leaves=6,
)


def read_back(folder: Path, value: Any) -> Any:
    """Set a param by the words that a shell makes of the option; return what params.yaml has."""
    file = folder / "params.yaml"
    file.write_text("group: {leaf: 0}\n")
    option, override = shlex.split(setting("group.leaf", value))
    assert option == "-S"
    apply_overrides(file, [override])
    return yaml12.load(file.read_text("utf-8"), file.name)["group"]["leaf"]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(VALUES)
def test_the_value_arrives(tmp_path: Path, value: Any) -> None:
    assert read_back(tmp_path, value) == value


@pytest.mark.parametrize(
    "path",
    [
        "/home/zoé/a\N{EN DASH}b.zip", "my set=1.zip", "it's \"art\".zip", "back\\slash\\",
        "\\\\\"", "~/x", "../pictures", "a+b",
        "1e3", "true", "null", "01", "", " a ", "a,b", "{a: b}", "C:\\art",
        "-x", "+x", "inf", "a b", "a:b", "#a", "a#b", "%", "[a]",
    ],
)  # fmt: skip
def test_a_path_arrives(tmp_path: Path, path: str) -> None:
    assert read_back(tmp_path, path) == path
