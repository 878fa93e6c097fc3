"""DVC shows at most ten numbers, and those of evaluation.json."""

import json
from pathlib import Path
from typing import Any

import pytest

from realart.evaluation import headline

METRICS = {"accuracy": 0.9, "recall": 0.8, "auc": 0.95, "mcc": 0.7, "intervals": {"auc": {}}}
CONFUSION = {"confusion": {"tn": 1, "fp": 2, "fn": 3, "tp": 4}}
REPORT: dict[str, Any] = {
    "test": METRICS | CONFUSION,
    "oof": METRICS | CONFUSION | {"auc": 0.85},
    "floor": {"by": "shape", "oof": {"auc": 0.6, "auc_low": 0.5}, "test": {"auc": 0.7}},
    "cases": {},
}
ALL = REPORT | {
    "unseen": METRICS | {"sets": {"a": METRICS}},
    "cases": {"ai/one.png": {"score": 0.9, "right": 1.0}, "ai/two.png": {"score": 0, "right": 0.0}},
}


def test_numbers_out_of_fold_come_first() -> None:
    assert list(headline.headline(REPORT)) == ["oof", "test", "data", "baseline"]


def test_there_are_at_most_ten_numbers() -> None:
    numbers = headline.headline(ALL)
    assert numbers["unseen"] == {"auc": 0.95}
    assert numbers["cases"] == {"right": 1}
    assert numbers["baseline"] == {"auc": 0.6}
    assert numbers["data"] == {"pictures": 20}
    assert sum(map(len, numbers.values())) <= 10


@pytest.mark.slow
def test_a_run_has_the_numbers_of_its_evaluation(trained: Path) -> None:
    numbers = json.loads((trained / "metrics/metrics.json").read_text())
    report = json.loads((trained / "metrics/evaluation.json").read_text())
    assert numbers == headline.headline(report)
    assert numbers["oof"]["auc"] == report["oof"]["auc"]
    copy = trained / "metrics/tables/metrics.json"
    assert copy.read_bytes() == (trained / "metrics/metrics.json").read_bytes()
