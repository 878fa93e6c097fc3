"""The metrics of an evaluation that a run in MLflow has: those by which runs are compared."""

import re
from collections.abc import Mapping
from typing import Any

from realart.tracking.run_description import flatten

_CHOSEN = re.compile(
    r"""
    (oof|test)/(accuracy|balanced_accuracy|precision|recall|f1|false_positive_rate|auc|brier|ece)
    |(oof|test)/intervals/auc/(low|high)
    |(oof|test)/sure/(share|accuracy)
    |unseen/(auc|intervals/auc/(low|high)|sets/[^/]+/auc)
    |cv/auc/(mean|std)
    |floor/oof/auc
    |gain/auc
    |novelty/test
    |robustness/lowest_auc
    |cases/(all|right)
    """,
    re.VERBOSE,
)
"""Paths in evaluation.json; a prefix such as `test/` groups its metrics on MLflow's pages."""


def choose(report: Mapping[str, Any]) -> dict[str, float]:
    """Return about 30 metrics of what evaluation.json holds, by paths such as `test/accuracy`.

    `cases/all` and `cases/right` count its cases, whose own names may be no names of metrics.

    >>> choose({"test": {"auc": 0.8, "confusion": {"tp": 3}}, "floor": {"by": "width"}})
    {'test/auc': 0.8}
    """
    cases = report.get("cases", {}).values()
    counts = {"all": len(cases), "right": sum(int(case["right"]) for case in cases)}
    leaves = flatten({**report, "cases": counts if cases else {}}, "/")
    return {name: float(value) for name, value in leaves.items() if _CHOSEN.fullmatch(name)}
