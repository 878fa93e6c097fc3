"""Compare two detectors on the pictures that both have scored, with tests of significance.

A detector is a run, or somebody else's whose scores `realart evaluate` has evaluated on a set.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import binomtest

from realart.core import tables
from realart.core.errors import RealartError
from realart.metrics import intervals, scored_set
from realart.metrics.classification import THRESHOLD, Labels
from realart.metrics.intervals import Estimate
from realart.metrics.scored_set import CLASS_RATES

SIGNIFICANCE = 0.05
SET = "set"
"""Part of all pictures of a folder that `realart evaluate` wrote: it is compared with any part."""
PARTS = {"test": "test part", "oof": "out of fold", "unseen": "sets held out", SET: "the set"}
"""Parts that are compared, in words."""


@dataclass(frozen=True)
class DecisionComparison:
    """Comparison of the decisions of A and B.

    Attributes
    ----------
    metric, values
        `accuracy`, or for pictures of one class that of `scored_set.CLASS_RATES`; of A and of B.
    only_a, only_b
        On how many pictures only A is correct, and only B.
    p
        Two-sided p-value of McNemar's exact test ("Note on the sampling error of the difference
        between correlated proportions", 1947): whether A and B are equally often correct.
    """

    metric: str
    values: tuple[float, float]
    only_a: int
    only_b: int
    p: float

    @property
    def better(self) -> str:
        """Which is significantly more often correct, in words."""
        return _conclusion(self.p < SIGNIFICANCE, self.only_b > self.only_a)

    def __str__(self) -> str:
        return (
            f"{self.metric} {self.values[0]:.3f} and {self.values[1]:.3f}; only A correct on "
            f"{self.only_a}, only B on {self.only_b} (McNemar's p = {self.p:.2g}): {self.better}"
        )


@dataclass(frozen=True)
class RankingComparison:
    """Comparison of the AUC of A and B.

    Attributes
    ----------
    auc
        Of A and of B.
    gain
        AUC of B less that of A; 95 % interval by a bootstrap over groups of near-duplicates.
    """

    auc: tuple[float, float]
    gain: Estimate

    @property
    def better(self) -> str:
        """Which has a significantly higher AUC, in words."""
        return _conclusion(self.gain.low > 0 or self.gain.high < 0, self.gain.low > 0)

    @property
    def difference(self) -> str:
        """The AUC of B less that of A with its interval, as text."""
        return f"{self.gain:+.3f}"

    def __str__(self) -> str:
        return (
            f"AUC {self.auc[0]:.3f} and {self.auc[1]:.3f}, difference {self.difference}: "
            f"{self.better}"
        )


@dataclass(frozen=True)
class Comparison:
    """Comparison of A and B on the pictures of a part that both have scored.

    Attributes
    ----------
    part, pictures
        A key of `PARTS`, and the number of pictures.
    decisions
        None if A or B has no threshold.
    ranking
        None if all pictures are of one class.
    """

    part: str
    pictures: int
    decisions: DecisionComparison | None
    ranking: RankingComparison | None

    def __str__(self) -> str:
        decisions = self.decisions or "decisions are not compared, as there is no threshold"
        ranking = self.ranking or "AUC is not compared, as all pictures are of one class"
        return f"{PARTS[self.part]}, {self.pictures} pictures\n  {decisions}\n  {ranking}"


def _conclusion(significant: bool, b: bool) -> str:
    return f"{'B' if b else 'A'} is better" if significant else "no significant difference"


def compare(
    a: pd.DataFrame,
    b: pd.DataFrame,
    thresholds: tuple[float | None, float | None] = (THRESHOLD, THRESHOLD),
) -> Iterator[Comparison]:
    """Compare the scores of two detectors on common pictures, part by part.

    Parameters
    ----------
    a, b
        Columns `tables.PREDICTIONS`; labels and groups are those of `a`.
    thresholds
        Of A and B: the score from which a picture is classified as ai.

    Raises
    ------
    RealartError
        There is no common picture.
    """
    both = a.merge(b, on="row", suffixes=("_a", "_b"))
    any_part = (both["part_a"] == SET) | (both["part_b"] == SET)
    both = both[any_part | (both["part_a"] == both["part_b"])]
    part = both["part_a"].where(both["part_a"] != SET, both["part_b"])
    if both.empty:
        raise RealartError(
            f"A and B have no picture in common ({len(a)} and {len(b)}): they are of other sets, "
            "or split by another split.seed; compare experiments on one set (`dvc exp list` names "
            "them), or what `realart evaluate --model A B --data SET` writes of both on one set"
        )
    for name in PARTS:
        rows = both[part == name]
        if len(rows):
            yield _compare_part(name, rows, thresholds)


def _compare_part(
    part: str, rows: pd.DataFrame, thresholds: tuple[float | None, float | None]
) -> Comparison:
    labels = tables.is_ai(rows["label_a"])
    a, b = (rows[name].to_numpy() for name in ("score_a", "score_b"))
    decisions = None
    if thresholds[0] is not None and thresholds[1] is not None:
        decisions = _compare_decisions(labels, a >= thresholds[0], b >= thresholds[1])
    ranking = None
    if not scored_set.only_class(labels):
        weights = np.ones((1, len(rows)))
        auc_a, auc_b = (float(intervals.auc(labels, scores, weights)[0]) for scores in (a, b))
        ranking = RankingComparison(
            (auc_a, auc_b), intervals.of_gain(labels, a, b, rows["group_a"])
        )
    return Comparison(part, len(rows), decisions, ranking)


def _compare_decisions(
    labels: Labels, a: NDArray[np.bool_], b: NDArray[np.bool_]
) -> DecisionComparison:
    """Compare decisions, true for ai; shape (n,)."""
    correct_a, correct_b = a == labels, b == labels
    only_a, only_b = int((correct_a & ~correct_b).sum()), int((correct_b & ~correct_a).sum())
    label = scored_set.only_class(labels)
    shares = (a, b) if label else (correct_a, correct_b)
    return DecisionComparison(
        metric=CLASS_RATES[label].replace("_", " ") if label else "accuracy",
        values=(float(shares[0].mean()), float(shares[1].mean())),
        only_a=only_a,
        only_b=only_b,
        p=float(binomtest(only_a, only_a + only_b).pvalue) if only_a + only_b else 1.0,
    )


def markdown(a: str, b: str, comparisons: Iterable[Comparison]) -> str:
    """Format comparisons of A and B, by their names, as a Markdown table, a row a part."""
    lines = [
        f"## A is `{a}`, B is `{b}`",
        "",
        "| part | pictures | accuracy, A and B | only A correct, only B | McNemar's p "
        "| AUC, A and B | difference | conclusion |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for comparison in comparisons:
        cells, conclusions = ["", "", ""], []
        if decisions := comparison.decisions:
            of_class = "" if decisions.metric == "accuracy" else f"{decisions.metric} "
            cells = [
                f"{of_class}{decisions.values[0]:.3f}, {decisions.values[1]:.3f}",
                f"{decisions.only_a}, {decisions.only_b}",
                f"{decisions.p:.2g}",
            ]
            differ = decisions.only_a or decisions.only_b
            better = decisions.better if differ else "identical decisions"
            conclusions = [f"{decisions.metric}: {better}"]
        if ranking := comparison.ranking:
            cells += [f"{ranking.auc[0]:.3f}, {ranking.auc[1]:.3f}", ranking.difference]
            conclusions += [f"AUC: {ranking.better}"]
        else:
            cells += ["", ""]
        start = f"| {PARTS[comparison.part]} | {comparison.pictures} "
        lines.append(f"{start}| {' | '.join(cells)} | {'; '.join(conclusions)} |")
    return "\n".join(lines)
