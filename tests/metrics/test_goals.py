"""Goals need scores better than chance and the baseline; one-class predictions miss them."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from making import PARAMS, archive, file, picture
from networks import UNCALIBRATED_RULE, some_scores
from project_copy import COLOUR, STAGES, run_stages, set_params, tiny_project

from realart.metrics import classification, goals, text, thresholds
from realart.metrics.goals import AT_MOST
from realart.params import Cases, Goals

GAIN = {"auc": 0.2, "low": 0.1, "high": 0.3}
NONE = Goals()
METRICS = [name for name in Goals.model_fields if name != "cases"]


def decisions(labels: np.ndarray, scores: np.ndarray) -> dict[str, Any]:
    groups = pd.Series(np.arange(len(labels)).astype(str))
    return thresholds.evaluate_decisions(labels, scores, groups, UNCALIBRATED_RULE)


def report(labels: np.ndarray, scores: np.ndarray, **more: Any) -> dict[str, Any]:
    """Report the same scores as test part and out of fold, well above the baseline."""
    of_part = decisions(labels, scores)
    return {"test": of_part, "oof": of_part, "gain": GAIN} | more


def missed(found: dict[str, str]) -> set[str]:
    return {name for name, words in found.items() if words}


def test_every_figure_can_be_a_goal() -> None:
    assert set(METRICS) == set(classification.figures(*some_scores()))


def test_a_misclassified_case_misses_the_goal() -> None:
    wanted = Goals(cases=Cases(folder="cases", unsure="right"))
    right, wrong = {"score": 0.2, "right": 1.0}, {"score": 0.913, "right": 0.0}
    given_report = report(*some_scores(200))
    assert "cases" not in goals.unmet(given_report, wanted)
    assert goals.unmet(given_report | {"cases": {"human/a.png": right}}, wanted)["cases"] == ""
    cases = {"human/a.png": right, "human/b.png": wrong}
    words = goals.unmet(given_report | {"cases": cases}, wanted)["cases"]
    assert words == "1 of 2 cases are misclassified: human/b.png (0.913)"
    assert "cases" not in goals.unmet(given_report | {"cases": cases}, NONE)


@pytest.mark.parametrize("name", METRICS)
def test_a_goal_is_met_from_its_value_on(name: str) -> None:
    given_report = report(*some_scores(200))
    goal = 0.4
    better = -1 if name in AT_MOST else 1
    for value, met in ((goal, True), (goal + 0.01 * better, True), (goal - 0.01 * better, False)):
        changed = given_report | {"test": given_report["test"] | {name: value}}
        words = goals.unmet(changed, Goals.model_validate({name: goal}))[name]
        assert (words == "") == met
        assert met or words == f"{name} {value:.3f} is {'above' if better < 0 else 'below'} 0.4"
    nothing = given_report | {"test": given_report["test"] | {name: math.nan}}
    assert goals.unmet(nothing, Goals.model_validate({name: goal}))[name] == f"there is no {name}"


@given(st.sampled_from(sorted(decisions(*some_scores(40))["intervals"])), st.floats(0.01, 0.99))
def test_a_miss_within_the_interval_may_be_chance(name: str, goal: float) -> None:
    given_report = report(*some_scores(40))
    interval = given_report["test"]["intervals"][name]
    words = goals.unmet(given_report, Goals.model_validate({name: goal}))[name]
    may_be_chance = interval["low"] <= goal <= interval["high"]
    assert ("may be chance" in words) == (bool(words) and may_be_chance)


def test_a_goal_that_is_left_out_is_not_checked() -> None:
    assert list(goals.unmet(report(*some_scores(200)), NONE)) == ["above_chance", "above_floor"]
    assert goals.summary(report(*some_scores(200)), NONE) == "goals met"


@given(st.integers(1, 30), st.integers(1, 30), st.booleans(), st.integers(0, 99))
def test_one_class_predictions_miss_the_goals(ais: int, humans: int, ai: bool, seed: int) -> None:
    labels = np.repeat([1, 0], [ais, humans])
    scores = np.random.default_rng(seed).uniform(0.5 * ai, 0.5 * ai + 0.49, ais + humans)
    found = goals.unmet(report(labels, scores), PARAMS.goals)
    assert "balanced_accuracy" in missed(found)
    assert text.one_class_warning(decisions(labels, scores))


def test_equal_scores_are_not_above_chance() -> None:
    labels = np.repeat([1, 0], [60, 10])
    found = report(labels, np.full(70, 0.86))
    assert {"above_chance", "balanced_accuracy"} <= missed(goals.unmet(found, PARAMS.goals))
    assert "AUC 0.500 [0.500, 0.500] out of fold is not above 0.5" in goals.summary(found, NONE)


def test_a_random_ranking_is_rarely_above_chance() -> None:
    generator = np.random.default_rng(0)
    labels = np.repeat([1, 0], [60, 20])
    above = [
        not goals.unmet(report(labels, generator.random(80)), NONE)["above_chance"]
        for _ in range(60)
    ]
    assert sum(above) <= 5  # of 60, at 1 in 40


def test_an_inverted_ranking_is_below_chance() -> None:
    labels, scores = some_scores(200)
    assert missed(goals.unmet(report(labels, 1 - scores), NONE)) == {"above_chance"}


def test_scores_no_better_than_the_baseline_miss_the_goals() -> None:
    of_run = report(*some_scores(200))
    assert goals.unmet(of_run, NONE)["above_floor"] == ""
    none = of_run | {"gain": {"auc": 0.0, "low": -0.1, "high": 0.1}}
    assert goals.summary(none, NONE) == (
        "goals missed: AUC gain over the shortcut baseline, +0.000 [-0.100, +0.100], is not above 0"
    )


def test_an_older_report_is_checked_against_the_auc_of_its_baseline() -> None:
    """As a champion may have: its run was logged before baselines had scores."""
    old = report(*some_scores(200))
    del old["gain"]
    low = old["oof"]["intervals"]["auc"]["low"]
    for floor, expected in ((low - 0.01, set()), (low + 0.01, {"above_floor"})):
        found = goals.unmet(old | {"floor": {"oof": {"auc": floor}}}, NONE)
        assert missed(found) == expected


@pytest.mark.slow
def test_pictures_without_a_signal_miss_the_goals(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Seven in eight are ai, so predicting ai always is accurate and has a recall of 1."""
    project = tiny_project(tmp_path)
    names = [f"{'human' if number % 8 == 5 else 'ai'}/{number}.png" for number in range(96)]
    content = [(name, file(picture(number))) for number, name in enumerate(names)]
    archive(tmp_path / "pictures.zip", content)
    set_params(project, COLOUR | {"split.test_size": 0.15})
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    run_stages(monkeypatch, project, *STAGES, "report")
    lines = capsys.readouterr().out.splitlines()
    (first,) = (line for line in lines if line.startswith("evaluate: "))
    assert "The model is better" not in first
    assert "too few to judge by" in first
    (summary,) = (line for line in lines if line.startswith("goals "))
    assert "balanced_accuracy" in summary
    assert " accuracy" not in summary.replace("balanced_accuracy", "")
    assert "out of fold is not above 0.5" in summary
    assert "on the test part all pictures are classified as ai (14 of 14; 13 are ai)" in summary
    (logged,) = (line for line in lines if line.startswith("report: "))
    assert ", version 1, not champion (the version to serve" in logged
    assert "goals missed: balanced_accuracy" in logged
    for shown in ("metrics/report.html", "models/final/README.md"):
        assert "all pictures are classified as ai (14 of 14;" in (project / shown).read_text()
    assert (
        "Label issues are not listed: with an AUC" in (project / "metrics/report.html").read_text()
    )
    assert not (project / "metrics/images/evaluation/label_issues.jpg").exists()
