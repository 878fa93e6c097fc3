"""Compare two runs on the pictures that both have scored, with tests of significance."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import binomtest

from realart.core import paths, revisions, tables
from realart.core.errors import RealartError
from realart.metrics import classification, intervals
from realart.metrics.intervals import Estimate

SIGNIFICANCE = 0.05
PARTS = {"test": "test part", "oof": "out of fold", "unseen": "sets held out"}
"""Parts that are compared, in words."""


@dataclass(frozen=True)
class Comparison:
    """Comparison of two runs, A and B, on the pictures of a part that both have scored.

    Attributes
    ----------
    part, pictures
        `test`, `oof` or `unseen`, and the number of pictures.
    accuracy, auc
        Of A and of B.
    only_a, only_b
        On how many pictures only A is correct, and only B.
    p
        Two-sided p-value of McNemar's exact test ("Note on the sampling error of the difference
        between correlated proportions", 1947): whether A and B are equally accurate.
    gain
        AUC of B less that of A; 95 % interval by a bootstrap over groups of near-duplicates.
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
    def better_accuracy(self) -> str:
        """Which run is significantly more accurate, in words."""
        return _conclusion(self.p < SIGNIFICANCE, self.only_b > self.only_a)

    @property
    def better_auc(self) -> str:
        """Which run has a significantly higher AUC, in words."""
        return _conclusion(self.gain.low > 0 or self.gain.high < 0, self.gain.low > 0)

    @property
    def difference(self) -> str:
        """The AUC of B less that of A with its interval, as text."""
        return f"{self.gain.value:+.3f} [{self.gain.low:+.3f}, {self.gain.high:+.3f}]"

    def __str__(self) -> str:
        return (
            f"{PARTS[self.part]}, {self.pictures} pictures\n"
            f"  accuracy {self.accuracy[0]:.3f} and {self.accuracy[1]:.3f}; only A correct on "
            f"{self.only_a}, only B on {self.only_b} (McNemar's p = {self.p:.2g}): "
            f"{self.better_accuracy}\n"
            f"  AUC {self.auc[0]:.3f} and {self.auc[1]:.3f}, difference {self.difference}: "
            f"{self.better_auc}"
        )


def _conclusion(significant: bool, b: bool) -> str:
    return f"{'B' if b else 'A'} is better" if significant else "no significant difference"


def load_scores(revision: str) -> pd.DataFrame:
    """Load the scores of an experiment, a commit or the workspace: columns `tables.PREDICTIONS`.

    Raises
    ------
    RealartError
        There is no such revision, or it has no scores, or they are not in DVC's cache.
    """
    with revisions.outputs_of(revision, paths.SCORES) as folder:
        return tables.read(folder / paths.SCORES, tables.PREDICTIONS)


def compare(a: pd.DataFrame, b: pd.DataFrame) -> Iterator[Comparison]:
    """Compare the scores of two runs on common pictures, part by part.

    Parts of which the common pictures have a single class are left out.

    Parameters
    ----------
    a, b
        Columns `tables.PREDICTIONS`.

    Raises
    ------
    RealartError
        There is no common picture.
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
            yield _compare_part(part, rows)


def markdown(a: str, b: str, comparisons: Iterable[Comparison]) -> str:
    """Format comparisons of the revisions `a` and `b` as a Markdown table, a row a part."""
    lines = [
        f"## A is `{a}`, B is `{b}`",
        "",
        "| part | pictures | accuracy, A and B | only A correct, only B | McNemar's p "
        "| AUC, A and B | difference | conclusion |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for comparison in comparisons:
        accuracy, auc = comparison.accuracy, comparison.auc
        differ = comparison.only_a or comparison.only_b
        conclusion = comparison.better_accuracy if differ else "identical decisions"
        lines.append(
            f"| {PARTS[comparison.part]} | {comparison.pictures} "
            f"| {accuracy[0]:.3f}, {accuracy[1]:.3f} | {comparison.only_a}, {comparison.only_b} "
            f"| {comparison.p:.2g} | {auc[0]:.3f}, {auc[1]:.3f} | {comparison.difference} "
            f"| accuracy: {conclusion}; AUC: {comparison.better_auc} |"
        )
    return "\n".join(lines)


def _compare_part(part: str, rows: pd.DataFrame) -> Comparison:
    labels = tables.is_ai(rows["label_a"])
    a, b = (rows[name].to_numpy() for name in ("score_a", "score_b"))
    correct_a, correct_b = ((scores >= classification.THRESHOLD) == labels for scores in (a, b))
    only_a, only_b = int((correct_a & ~correct_b).sum()), int((correct_b & ~correct_a).sum())
    weights = np.ones((1, len(rows)))
    auc_a, auc_b = (float(intervals.auc(labels, scores, weights)[0]) for scores in (a, b))
    return Comparison(
        part=part,
        pictures=len(rows),
        accuracy=(float(correct_a.mean()), float(correct_b.mean())),
        only_a=only_a,
        only_b=only_b,
        p=float(binomtest(only_a, only_a + only_b).pvalue) if only_a + only_b else 1.0,
        auc=(auc_a, auc_b),
        gain=intervals.of_gain(labels, a, b, rows["group_a"]),
    )
