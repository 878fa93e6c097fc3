"""Runs are compared on common pictures, and chance is rarely significant."""

import numpy as np
import pandas as pd
import pytest
from networks import scored, some_scores
from scipy.stats import binom
from sklearn import metrics

from realart.core.errors import RealartError
from realart.evaluation import compare
from realart.evaluation.compare import Comparison, DecisionComparison, RankingComparison


def of_both(comparison: Comparison) -> tuple[DecisionComparison, RankingComparison]:
    assert comparison.decisions
    assert comparison.ranking
    return comparison.decisions, comparison.ranking


def test_figures_are_those_of_each_and_of_their_difference() -> None:
    labels, first = some_scores(200)
    second = np.clip(first + np.random.default_rng(3).normal(0, 0.2, 200), 0, 1)
    (found,) = compare.compare(scored(first, labels), scored(second, labels))
    right = [(scores >= 0.5) == labels for scores in (first, second)]
    assert found.pictures == 200
    decisions, ranking = of_both(found)
    assert decisions.metric == "accuracy"
    assert decisions.values == pytest.approx((right[0].mean(), right[1].mean()))
    assert (decisions.only_a, decisions.only_b) == (
        (right[0] & ~right[1]).sum(), (right[1] & ~right[0]).sum(),
    )  # fmt: skip
    fewer, both = min(decisions.only_a, decisions.only_b), decisions.only_a + decisions.only_b
    assert decisions.p == pytest.approx(min(1, 2 * binom.cdf(fewer, both, 0.5)))
    areas = [metrics.roc_auc_score(labels, scores) for scores in (first, second)]
    assert ranking.auc == pytest.approx(areas)
    assert ranking.gain.value == pytest.approx(areas[1] - areas[0])
    assert ranking.gain.low < ranking.gain.value < ranking.gain.high


def test_the_better_run_is_named_whichever_it_is() -> None:
    labels, good = some_scores(300)
    bad = np.random.default_rng(0).permutation(good)
    (found,) = compare.compare(scored(bad, labels), scored(good, labels))
    assert str(found).count("B is better") == 2
    (found,) = compare.compare(scored(good, labels), scored(bad, labels))
    assert str(found).count("A is better") == 2


def test_runs_that_are_equally_good_are_rarely_called_different() -> None:
    generator = np.random.default_rng(0)
    labels = np.arange(100) % 2
    called = 0
    for _ in range(40):
        a, b = (scored(generator.normal(labels, 1.5), labels) for _ in range(2))
        (found,) = compare.compare(a, b)
        called += "is better" in str(found).splitlines()[1]
        called += "is better" in str(found).splitlines()[2]
    assert called <= 10  # of 80, at 1 in 20


def test_a_run_equals_itself() -> None:
    labels, scores = some_scores(50)
    (found,) = compare.compare(scored(scores, labels), scored(scores, labels))
    decisions, _ = of_both(found)
    assert (decisions.only_a, decisions.only_b, decisions.p) == (0, 0, 1.0)
    assert str(found).count("no significant difference") == 2


def test_parts_are_apart_and_only_common_pictures_count() -> None:
    labels, scores = some_scores(80)
    oof, test = scored(scores, labels), scored(scores, labels, "test").head(20)
    test["row"] = "t" + test["row"]
    a = pd.concat([oof.head(60), test])
    b = pd.concat([oof.tail(60), test]).sample(frac=1, random_state=0)
    found = {part.part: part.pictures for part in compare.compare(a, b)}
    assert found == {"test": 20, "oof": 40}


def test_runs_on_different_pictures_are_refused() -> None:
    labels, scores = some_scores(20)
    other = scored(scores, labels).assign(row=lambda table: "x" + table["row"])
    with pytest.raises(
        RealartError, match=r"no picture in common \(20 and 20\).* \(`dvc exp list`"
    ):
        list(compare.compare(scored(scores, labels), other))


def test_markdown_is_a_table_with_a_line_for_each_part() -> None:
    labels, good = some_scores(300)
    bad = np.random.default_rng(0).permutation(good)
    a = pd.concat([scored(bad, labels), scored(good, labels, "test").head(20)])
    b = pd.concat([scored(good, labels), scored(good, labels, "test").head(20)])
    found = {part.part: part for part in compare.compare(a, b)}
    heading, empty, *table = compare.markdown("main", "v1|v2", found.values()).splitlines()
    assert (heading, empty) == ("## A is `main`, B is `v1|v2`", "")
    header, line, test, oof = ([cell.strip() for cell in row.split("|")[1:-1]] for row in table)
    assert {len(header), len(line), len(test), len(oof)} == {8}
    assert set(line) == {"---"}
    assert test[:2] == ["test part", "20"]
    assert test[-1] == "accuracy: identical decisions; AUC: no significant difference"
    decisions, ranking = of_both(found["oof"])
    assert oof == [
        "out of fold",
        "300",
        f"{decisions.values[0]:.3f}, {decisions.values[1]:.3f}",
        f"{decisions.only_a}, {decisions.only_b}",
        f"{decisions.p:.2g}",
        f"{ranking.auc[0]:.3f}, {ranking.auc[1]:.3f}",
        f"{ranking.gain.value:+.3f} [{ranking.gain.low:+.3f}, {ranking.gain.high:+.3f}]",
        "accuracy: B is better; AUC: B is better",
    ]


def test_decisions_that_merely_balance_are_not_called_identical() -> None:
    labels, scores = some_scores(50)
    right = np.flatnonzero((scores >= 0.5) == labels)
    first, second = scores.copy(), scores.copy()
    first[right[0]], second[right[1]] = 1 - scores[right[0]], 1 - scores[right[1]]
    found = list(compare.compare(scored(first, labels), scored(second, labels)))
    assert "accuracy: no significant difference" in compare.markdown("a", "b", found)


def test_decisions_are_those_of_each_threshold() -> None:
    """Of the same ranking on another scale, they are the same."""
    labels, scores = some_scores(100)
    a, b = scored(scores, labels), scored(10 * scores - 3, labels)
    (found,) = compare.compare(a, b, (0.5, 2.0))
    decisions, ranking = of_both(found)
    assert (decisions.only_a, decisions.only_b) == (0, 0)
    assert ranking.gain.value == 0


def test_without_a_threshold_only_the_ranking_is_compared() -> None:
    labels, scores = some_scores(100)
    (found,) = compare.compare(scored(scores, labels), scored(scores, labels), (0.5, None))
    assert found.decisions is None
    assert "decisions are not compared, as there is no threshold\n  AUC 0." in str(found)
    row = compare.markdown("a", "b", [found]).splitlines()[-1]
    assert row.startswith("| out of fold | 100 |  |  |  | 0.")


@pytest.mark.parametrize(
    ("label", "metric"), [(0, "false positive rate"), (1, "recall")], ids=["human", "ai"]
)
def test_pictures_of_one_class_are_compared_by_their_rate(label: int, metric: str) -> None:
    """Whoever calls more of them ai is better if they are."""
    labels = np.full(60, label)
    few, many = np.repeat([0.9, 0.1], [10, 50]), np.repeat([0.9, 0.1], [40, 20])
    (found,) = compare.compare(scored(few, labels), scored(many, labels))
    assert found.ranking is None
    assert found.decisions
    assert found.decisions.metric == metric
    assert found.decisions.values == pytest.approx((10 / 60, 40 / 60))
    assert f"{metric} 0.167 and 0.667; " in str(found)
    assert found.decisions.better == ("B is better" if label else "A is better")
    row = compare.markdown("a", "b", [found]).splitlines()[-1]
    assert f"| {metric} 0.167, 0.667 | " in row
