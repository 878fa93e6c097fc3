"""Defaults without a project are those of params.yaml, and published parts are found in paths."""

import re

import pytest
from making import PARAMS

from realart.data import defaults
from realart.data.labels import read_paths


def test_defaults_are_those_of_the_projects_params() -> None:
    assert PARAMS.datasets["local"].labels == defaults.LABELS
    assert PARAMS.clean == defaults.CLEAN


@pytest.mark.parametrize(
    ("path", "part"),
    [
        ("train/ai/1.png", "train"),
        ("set/Training/real/1.png", "train"),
        ("real/TEST/1.png", "test"),
        ("val_set/ai/1.png", "val"),
        ("cifake-validation/ai/1.png", "val"),
        ("valid/ai/1.png", "val"),
        ("trained/ai/1.png", ""),
        ("contest/ai/1.png", ""),
        ("ai/train_1.png", ""),
        ("ai/test.png", ""),
    ],
)
def test_folders_name_published_parts_and_files_do_not(path: str, part: str) -> None:
    assert read_paths([path], defaults.LABELS, defaults.FIELDS)[0].part == part


def test_the_pattern_of_parts_is_one_that_params_accept() -> None:
    assert set(re.compile(defaults.FIELDS).groupindex) == {"part"}
