"""The few numbers of a run that DVC shows: `dvc exp show`, `dvc metrics diff`."""

from collections.abc import Mapping
from typing import Any

Headline = dict[str, dict[str, float]]

METRICS = ("accuracy", "recall", "auc")
"""Of the pictures out of fold, and of the test part."""


def headline(report: Mapping[str, Any]) -> Headline:
    """Choose the numbers of metrics.json, of which there are at most ten.

    Parameters
    ----------
    report
        What evaluation.json holds.

    Returns
    -------
    dict
        `oof` and `test`: each of `METRICS`; `data`: the number of `pictures` of both, by which
        runs on different sets are recognised; `baseline`: the AUC out of fold of the shortcut
        baseline; `unseen`: the AUC on held-out sets, if there are any; `cases`: how many are
        `right`, if there are any.
    """
    numbers: Headline = {
        part: {name: report[part][name] for name in METRICS} for part in ("oof", "test")
    }
    numbers["data"] = {
        "pictures": sum(sum(report[part]["confusion"].values()) for part in ("oof", "test"))
    }
    numbers["baseline"] = {"auc": report["floor"]["oof"]["auc"]}
    if "unseen" in report:
        numbers["unseen"] = {"auc": report["unseen"]["auc"]}
    if report["cases"]:
        numbers["cases"] = {"right": sum(case["right"] for case in report["cases"].values())}
    return numbers
