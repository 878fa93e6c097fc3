"""Examples are published files of the test part, of both classes."""

import shutil
from pathlib import Path

import pytest

from realart.core import paths, tables
from realart.serving.examples import examples

pytestmark = pytest.mark.slow


def test_examples_are_of_the_test_part_by_turns(inside: Path) -> None:
    shown = examples(inside, paths.FINAL)
    assert len({example.label for example in shown[:2]}) == 2
    pictures = tables.read(paths.PICTURES, tables.PICTURES)
    rows = tables.read(paths.ROWS, tables.ROWS)
    test = set(rows.loc[rows["part"] == "test", "row"])
    assert len(shown) == min(3, len(test))
    for example in shown:
        own = pictures[pictures["path"].map(lambda path: Path(path).name) == example.name]
        assert set(own["id"]) & test
        assert example.label in set(own["label"])
        assert len(example.data) in set(own["bytes"])


def test_without_a_test_part_there_are_none(tmp_path: Path) -> None:
    assert examples(tmp_path, tmp_path / paths.FINAL) == []


def test_for_another_model_there_are_none(inside: Path, tmp_path: Path) -> None:
    """It may have been trained on them."""
    assert examples(inside, tmp_path / "final") == []


def test_without_the_archive_there_are_none(trained: Path, tmp_path: Path) -> None:
    for path in (paths.ROWS, paths.PICTURES):
        (tmp_path / path.parent).mkdir(parents=True)
        shutil.copy(trained / path, tmp_path / path)
    assert examples(tmp_path, tmp_path / paths.FINAL) == []
