"""YAML as DVC reads and writes it: numbers survive `-S`, and a mistake is one line."""

import copy
import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from dvc.utils.hydra import apply_overrides
from hypothesis import example, given, settings
from hypothesis import strategies as st
from project_copy import ROOT, git_project, run

from realart.core import yaml12
from realart.core.errors import RealartError
from realart.params import load_params

FLOATS = st.floats(allow_nan=False, allow_infinity=False)
NAMES = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=9)
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | FLOATS | NAMES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=9,
)


def set_by_dvc(content: str, *assignments: str) -> Any:
    """Let DVC set params in a file of `content`, as `-S` does, and read what it wrote."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "params.yaml")
        file.write_text(content)
        apply_overrides(file, [*assignments])
        return yaml12.load(file.read_text(), file.name)


@settings(max_examples=200)
@given(FLOATS | st.integers(), st.sampled_from(["{!r}", "{:e}", "{:.17g}", "{:E}"]))
@example(1e-6, "{!r}")
@example(1e-5, "{!r}")
@example(0.00001, "{:f}")
@example(1e22, "{!r}")
def test_a_number_set_by_dvc_reads_back(value: float, form: str) -> None:
    try:
        written = form.format(value)
    except OverflowError:  # an integer too large for a float is written as one
        written = str(value)
    wanted = json.loads(written)
    read = set_by_dvc("group: {rate: 0.5, text: 1e-6x}\n", f"group.rate={written}")
    assert read == {"group": {"rate": wanted, "text": "1e-6x"}}
    assert type(read["group"]["rate"]) is type(wanted)


@pytest.mark.parametrize("written", ["1e-6", "1e-5", "0.00001", "1E-6", "3e-4", "1"])
def test_rates_set_by_dvc_are_sound_params(written: str, tmp_path: Path) -> None:
    file = tmp_path / "params.yaml"
    file.write_text((ROOT / "params.yaml").read_text())
    apply_overrides(
        file,
        [
            f"recipes.resnet50.fine_tune.learning_rate={written}",
            f"recipes.cnn_ela.layers=[{{BatchNormalization: {{epsilon: {written}}}}}]",
        ],
    )
    recipes = load_params(file).recipes
    assert recipes["resnet50"].fine_tune.learning_rate == float(written)
    assert recipes["cnn_ela"].layers[0]["BatchNormalization"]["epsilon"] == float(written)


@pytest.mark.slow
def test_an_experiment_with_a_small_rate_passes_check(tmp_path: Path) -> None:
    project = git_project(tmp_path)
    for name, value in (("name", "somebody"), ("email", "somebody@example.org")):
        run(project, "git", "config", f"user.{name}", value)
    rate = "recipes.tiny.optimizer.learning_rate"
    done = run(project, "dvc", "exp", "run", "-S", f"{rate}=1e-6", "-s", "check")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "check: params.yaml is sound" in done.stdout
    assert load_params(project / "params.yaml").recipes["tiny"].optimizer.learning_rate == 1e-6


def test_groups_that_are_one_object_are_written_apart() -> None:
    shared = {"rate": 0.5}
    assert set_by_dvc(yaml12.dump({"a": shared, "b": shared}), "a.rate=1e-6") == {
        "a": {"rate": 1e-6},
        "b": shared,
    }


@given(PLAIN)
def test_dumped_content_loads_again(content: Any) -> None:
    assert yaml12.load(yaml12.dump(copy.deepcopy(content)), "x") == content


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: 1\nb: [1\nc: }", "in line 3: expected ',' or ']', but got ':'"),
        ("a: 1\nb: 2\na: 3", "in line 3: key 'a' is there twice, first in line 1"),
        (
            "x:\n  a: {}\n  b: {c: 1,\n  'c': 2}",
            "in line 4: key 'c' is there twice, first in line 3",
        ),
        ("1: 0\n\n0x1: 0", "in line 3: key '1' is there twice, first in line 1"),
        ("a:\n\t- 1", "in line 2: found character"),
        ("a: 1\n---\nb: 2", "in line 2: but found another document"),
        ("a: !!python/object:os.system x", "in line 1: could not determine a constructor"),
        ("a: \x01", "unacceptable character"),
        ("a: \x00", "unacceptable character"),
        ("a: " + "9" * 5000, "Exceeds the limit (4300 digits)"),
        ("a: 2024-13-45", "month must be in 1..12"),
        ("[" * 3000, "nested too deeply"),
    ],
)
def test_an_error_is_one_line_with_file_and_line(text: str, problem: str) -> None:
    with pytest.raises(RealartError) as caught:
        yaml12.load(text, "params.yaml")
    assert str(caught.value).startswith("params.yaml is no valid YAML")
    assert problem in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_a_caller_changes_is_not_read_again() -> None:
    for _ in range(2):
        content = yaml12.load("a: {b: 1}", "params.yaml")
        assert content == {"a": {"b": 1}}
        content["a"]["b"] = 2


LAUGHS = "\n".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 12))
"""As https://en.wikipedia.org/wiki/Billion_laughs_attack: 9 to the power of 12 values."""


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (f"a0: &a0 [{', '.join('x' * 9)}]\n{LAUGHS}", "params.yaml has more than 100000 values"),
        ("a: &a [*a]", "params.yaml is nested more than 100 deep, or in itself by an alias"),
        ("a: &a {b: {c: *a}}", "or in itself by an alias"),
        ("[" * 200 + "]" * 200, "nested more than 100 deep"),
    ],
)
def test_aliases_stand_for_no_more_than_can_be_held(text: str, problem: str) -> None:
    with pytest.raises(RealartError, match=problem):
        yaml12.load(text, "params.yaml")


@pytest.mark.parametrize(
    ("text", "values"),
    [("[1, 2, 3]", 4), ("a: {b: 1}\nc: 2", 4), ("a: &a [1, 2]\nb: [*a, *a]", 11)],
)
def test_an_alias_counts_as_all_that_it_stands_for(
    text: str, values: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(yaml12, "MAX_VALUES", values)
    yaml12.load(text, "params.yaml")
    monkeypatch.setattr(yaml12, "MAX_VALUES", values - 1)
    with pytest.raises(RealartError, match=f"params.yaml has more than {values - 1} values"):
        yaml12.load(text, "params.yaml")
