"""Digests change with code that decides a stage's bytes, and with nothing else."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realart.core import code

SPLITS = "realart/data/splits.py"
ERRORS = "realart/core/errors.py"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Copy the project's code, and compute digests of the copy."""
    for package in code.PACKAGES:
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(code.ROOT / package, tmp_path / package, ignore=ignored)
    monkeypatch.setattr(code, "ROOT", tmp_path)
    return tmp_path


def changed(project: Path, file: str, change: Callable[[str], str]) -> set[str]:
    """Return the stages whose code changes when a file does."""
    stages = {path.stem for path in (project / "stages").glob("[!_]*.py")}
    before = {stage: code.digests(f"stages.{stage}") for stage in stages}
    text = (project / file).read_text()
    assert change(text) != text
    (project / file).write_text(change(text))
    return {stage for stage in stages if code.digests(f"stages.{stage}") != before[stage]}


def test_a_module_changes_the_stages_that_import_it(project: Path) -> None:
    assert changed(project, SPLITS, lambda text: text.replace("LEAST = 10", "LEAST = 11")) == {
        "split"
    }
    resampled = changed(
        project,
        "realart/data/pictures.py",
        lambda text: text.replace("reducing_gap=3.0", "reducing_gap=2.0"),
    )
    assert {"clean", "balance", "ela", "features", "evaluate"} <= resampled
    assert not {"download", "split", "train"} & resampled


def test_what_is_imported_inside_a_function_counts(project: Path) -> None:
    assert "train" in changed(
        project,
        "realart/training/fold_training.py",
        lambda text: text.replace("state.phase < len(phases)", "state.phase <= len(phases)"),
    )


def test_what_the_library_offers_to_others_changes_no_stage(project: Path) -> None:
    """Else a new version would run all stages again, and each depend on all modules."""
    assert changed(project, "realart/__init__.py", lambda text: f"{text}\nX = 1\n") == set()


def test_a_script_changes_its_own_stage(project: Path) -> None:
    assert changed(project, "stages/ela.py", lambda text: f"{text}\nX = 1\n") == {"ela"}


def test_plumbing_changes_nothing(project: Path) -> None:
    for name in code.PLUMBING:
        file = f"{name.replace('.', '/')}.py"
        if (project / file).is_file():
            assert not changed(project, file, lambda text: f"{text}\nX = 1\n"), file


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("would have no {name} picture", "would lack {name} pictures"),
        ('"""Assign part, fold', '"""Give part, fold'),
        ("LEAST = 10\n", "LEAST = 10  # of each class\n\n\n"),
    ],
)
def test_messages_docstrings_and_comments_change_nothing(
    project: Path, before: str, after: str
) -> None:
    assert not changed(project, SPLITS, lambda text: text.replace(before, after))


def source(text: str) -> str:
    return code.normalised_source(text)


def test_text_that_is_written_down_counts() -> None:
    """Only the arguments of `MESSAGES` are for people: a table's or a file's text is not."""
    assert source('x = "a"') != source('x = "b"')
    assert source('raise KeyError("a")') != source('raise KeyError("b")')
    assert source('raise RealartError("a") from e') == source(
        "raise RealartError(\n    f'{b}'\n) from e"
    )


@given(st.text(st.sampled_from("äx 'é\"#"), max_size=20))
def test_comments_are_found_wherever_characters_take_several_bytes(text: str) -> None:
    line = f"x = {text!r}"
    assert source(f"{line}  # {text}") == line
    assert source(f"y = 'ä'; {line} # é\n# ü") == f"y = 'ä'; {line}"


def test_files_are_those_of_the_project() -> None:
    found = code.digests("stages.split")
    assert [*found] == [
        "realart/core/outputs.py",
        "realart/core/tables.py",
        SPLITS,
        "stages/split.py",
    ]
    assert ERRORS not in found
