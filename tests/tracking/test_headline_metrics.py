"""Which metrics of an evaluation a run has."""

from realart.tracking import headline_metrics

FIGURES = {
    "accuracy": 0.8, "balanced_accuracy": 0.8, "precision": 0.8, "recall": 0.8, "f1": 0.8,
    "false_positive_rate": 0.2, "auc": 0.9, "brier": 0.1, "ece": 0.1, "mcc": 0.5,
    "confusion": {"tp": 3}, "intervals": {"auc": {"low": 0.8, "high": 0.95}},
    "sure": {"share": 0.5, "accuracy": 1.0}, "points": {"balanced": {"accuracy": 0.8}},
}  # fmt: skip
REPORT = {
    "test": FIGURES,
    "oof": FIGURES,
    "cv": {"auc": {"mean": 0.9, "std": 0.1}, "f1": {"mean": 0.9, "std": 0.1}},
    "floor": {"by": "width", "oof": {"auc": 0.6, "auc_low": 0.5}},
    "promises": {"error_rate": {"data": "sample", "unproved": [0.05]}},
    "robustness": {"lowest_auc": 0.7},
    "cases": {"a/b?.jpg": {"right": True}, "c.jpg": {"right": False}},
    "unseen": {"auc": 0.7, "sets": {"local": {"auc": 0.7, "recall": 0.5}}},
    "goals": {"accuracy": True},
}


def test_about_thirty_metrics_are_chosen() -> None:
    chosen = headline_metrics.choose(REPORT)
    assert 25 <= len(chosen) <= 36
    assert chosen["oof/auc"] == 0.9
    assert chosen["floor/oof/auc"] == 0.6
    assert chosen["unseen/sets/local/auc"] == 0.7
    assert (chosen["cases/all"], chosen["cases/right"]) == (2.0, 1.0)
    groups = {name.partition("/")[0] for name in chosen}
    assert groups == {"test", "oof", "cv", "floor", "robustness", "cases", "unseen"}


def test_other_values_of_a_report_are_no_metrics() -> None:
    """Such as texts and lists, whatever a later release adds."""
    assert headline_metrics.choose({"promises": {"unproved": [0.05]}, "cases": {}}) == {}
