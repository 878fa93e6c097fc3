"""Metrics are formatted one way, and one-class predictions are warned of."""

import pandas as pd
import pytest

from realart.metrics import text
from realart.metrics.intervals import Estimate


def test_an_estimate_is_formatted_one_way() -> None:
    of_table = {"auc": 0.9, "auc_low": 0.85, "auc_high": 0.94}
    of_report = {"auc": 0.9, "intervals": {"auc": {"low": 0.85, "high": 0.94}}}
    for figures in (of_table, of_report, pd.Series(of_table)):
        assert text.estimate("auc", figures) == Estimate(0.9, 0.85, 0.94)
        assert text.format_figure("auc", figures) == "0.900 [0.850, 0.940]"
    assert f"{Estimate(0.15, -0.058, 0.25):+.2f}" == "+0.15 [-0.06, +0.25]"


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ((0, 2, 0, 13), "all pictures are classified as ai (15 of 15; 13 are ai)"),
        ((13, 0, 2, 0), "all pictures are classified as human (15 of 15; 13 are human)"),
        ((3, 47, 2, 48), "nearly all pictures are classified as ai (95 of 100; 50 are ai)"),
        ((48, 2, 48, 2), "nearly all pictures are classified as human (96 of 100; 50 are human)"),
        ((2, 98, 0, 9900), "nearly all pictures are classified as ai (9998 of 10000; 9900 are ai)"),
        ((3, 47, 3, 47), ""),
        ((60, 40, 0, 9900), ""),
        ((0, 0, 0, 15), ""),
        ((15, 0, 0, 0), ""),
        ((0, 0, 15, 0), "all pictures are classified as human (15 of 15; 0 are human)"),
    ],
)
def test_one_class_predictions_are_warned_of(
    counts: tuple[int, int, int, int], expected: str
) -> None:
    """Whatever the share of the classes, unless all pictures are of that class."""
    figures = {"confusion": dict(zip(("tn", "fp", "fn", "tp"), counts, strict=True))}
    assert text.one_class_warning(figures) == expected


def test_warnings_name_the_part() -> None:
    all_ai, fair = ({"confusion": {"tn": n, "fp": 9 - n, "fn": 0, "tp": 9}} for n in (0, 8))
    assert text.one_class_warnings({"test": fair, "oof": fair}) == []
    (line,) = text.one_class_warnings({"test": fair, "oof": all_ai})
    assert line == "out of fold all pictures are classified as ai (18 of 18; 9 are ai)"
    assert len(text.one_class_warnings({"test": all_ai, "oof": all_ai})) == 2
