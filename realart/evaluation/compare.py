"""Two runs on the same pictures: is one better, or may chance have done it?"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import binomtest

from realart.core import paths, revisions, tables
from realart.core.errors import RealartError
from realart.metrics import classification, intervals
from realart.metrics.intervals import Estimate

DOUBT = 0.05
PARTS = {"test": "test part", "oof": "out of fold", "unseen": "sets held out"}
"""What is compared, in words."""


@dataclass(frozen=True)
class Comparison:
    """Verdicts and scores of two runs, A and B, on the pictures that both have judged.

    Attributes
    ----------
    part, pictures
        `test` or `oof`; how many.
    accuracy, auc
        Of A and of B.
    only_a, only_b
        How often one was right where the other was wrong.
    p
        Of McNemar's exact test ("Note on the sampling error of the difference between correlated
        proportions", 1947): how likely so unequal numbers are if neither is better.
    gain
        AUC of B above that of A; 95 % by a bootstrap over groups of near-duplicates.
    """

    part: str
    pictures: int
    accuracy: tuple[float, float]
    only_a: int
    only_b: int
    p: float
    auc: tuple[float, float]
    gain: Estimate

    @property
    def verdicts(self) -> str:
        """Whose verdicts are right more often."""
        return _better(self.p < DOUBT, self.only_b > self.only_a)

    @property
    def order(self) -> str:
        """Whose scores order pictures better."""
        return _better(self.gain.low > 0 or self.gain.high < 0, self.gain.low > 0)

    @property
    def difference(self) -> str:
        """What is gained, with its interval."""
        return f"{self.gain.value:+.3f} [{self.gain.low:+.3f}, {self.gain.high:+.3f}]"

    def __str__(self) -> str:
        return (
            f"{PARTS[self.part]}, {self.pictures} pictures\n"
            f"  verdicts: accuracy {self.accuracy[0]:.3f} and {self.accuracy[1]:.3f}; only A is "
            f"right {self.only_a} times, only B {self.only_b} (p = {self.p:.2g}): {self.verdicts}\n"
            f"  order: AUC {self.auc[0]:.3f} and {self.auc[1]:.3f}, difference {self.difference}: "
            f"{self.order}"
        )


def _better(shown: bool, b: bool) -> str:
    return f"{'B' if b else 'A'} is better" if shown else "no difference shown"


def scores_of(revision: str) -> pd.DataFrame:
    """Return the scores of an experiment, a commit or the workspace: columns `tables.JUDGED`.

    Raises
    ------
    RealartError
        There is no such revision, or it has no scores, or they are not in DVC's cache.
    """
    with revisions.outputs_of(revision, paths.SCORES) as place:
        return tables.read(place / paths.SCORES, tables.JUDGED)


def compare(a: pd.DataFrame, b: pd.DataFrame) -> Iterator[Comparison]:
    """Compare two tables (columns `tables.JUDGED`) on what they have in common, part by part.

    Raises
    ------
    RealartError
        They have nothing in common.
    """
    both = a.merge(b, on=["row", "part"], suffixes=("_a", "_b"))
    if both.empty:
        raise RealartError(
            f"these runs have no picture in common ({len(a)} and {len(b)}): compare runs on one "
            "dataset, with the same split.seed"
        )
    for part in PARTS:
        rows = both[both["part"] == part]
        if rows["label_a"].nunique() == 2:
            yield _compared(part, rows)


def markdown(a: str, b: str, comparisons: Iterable[Comparison]) -> str:
    """Return comparisons of the revisions `a` and `b` as a comment on a pull request shows them."""
    lines = [
        f"## A is `{a}`, B is `{b}`",
        "",
        "| part | pictures | accuracy, A and B | only A is right, only B | p "
        "| AUC, A and B | difference | in words |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for one in comparisons:
        verdicts = one.verdicts if one.only_a or one.only_b else "identical"
        lines.append(
            f"| {PARTS[one.part]} | {one.pictures} "
            f"| {one.accuracy[0]:.3f}, {one.accuracy[1]:.3f} | {one.only_a}, {one.only_b} "
            f"| {one.p:.2g} | {one.auc[0]:.3f}, {one.auc[1]:.3f} | {one.difference} "
            f"| verdicts: {verdicts}; order: {one.order} |"
        )
    return "\n".join(lines)


def _compared(part: str, rows: pd.DataFrame) -> Comparison:
    labels = tables.is_ai(rows["label_a"])
    scores = [rows[name].to_numpy() for name in ("score_a", "score_b")]
    right = [(one >= classification.THRESHOLD) == labels for one in scores]
    only_a, only_b = int((right[0] & ~right[1]).sum()), int((right[1] & ~right[0]).sum())
    areas = [intervals.auc(labels, one, np.ones((1, len(rows))))[0] for one in scores]
    return Comparison(
        part=part,
        pictures=len(rows),
        accuracy=(float(right[0].mean()), float(right[1].mean())),
        only_a=only_a,
        only_b=only_b,
        p=float(binomtest(only_a, only_a + only_b).pvalue) if only_a + only_b else 1.0,
        auc=(float(areas[0]), float(areas[1])),
        gain=intervals.of_gain(labels, scores[0], scores[1], rows["group_a"]),
    )
