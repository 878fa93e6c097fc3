"""Outcomes of single files in a suite of pictures, crashes included."""

import os
from pathlib import Path
from typing import Any

import making
import pytest

from benchmarks import suites
from benchmarks.suites import CRASH, KEPT, run
from realart.data import decoding

MAX_PIXELS = 1 << 20


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep/good.png").write_bytes(making.file(making.picture(1)))
    return tmp_path


def test_kept_and_rejected(folder: Path) -> None:
    (folder / "page.html").write_bytes(b"<html>")
    assert [(outcome.path.name, outcome.reason) for outcome in run(folder, MAX_PIXELS)] == [
        ("good.png", KEPT),
        ("page.html", "not a picture"),
    ]


@pytest.mark.parametrize(
    ("fault", "detail"),
    [
        (lambda *_: {}["key"], "KeyError: 'key' (test_suites.py:"),
        (lambda *_: os._exit(7), "the process ended with code 7"),
    ],
)
def test_what_is_no_unusable_error_is_a_crash(
    folder: Path, monkeypatch: pytest.MonkeyPatch, fault: Any, detail: str
) -> None:
    monkeypatch.setattr(decoding, "decode", fault)
    (outcome,) = run(folder, MAX_PIXELS)
    assert outcome.reason == CRASH
    assert outcome.detail.startswith(detail)


def test_a_file_that_takes_for_ever_is_a_crash(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(suites, "LIMIT", 0.2)
    monkeypatch.setattr(decoding, "decode", lambda *_: os.read(os.pipe()[0], 1))
    (outcome,) = run(folder, MAX_PIXELS)
    assert outcome == suites.Outcome(
        folder / "deep/good.png", CRASH, "no answer in 0.2 s", seconds=0.2
    )
