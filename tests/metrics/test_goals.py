"""Goals are met by what has learnt something, and by nothing that calls everything one class."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from making import PARAMS, archive, file, picture
from networks import AS_SAID, some_scores
from project_copy import COLOUR, STAGES, run_stages, set_params, tiny_project

from realart.metrics import classification, goals, thresholds
from realart.metrics.goals import AT_MOST
from realart.params import Goals

NO_FLOOR = {"auc": 0.2, "low": 0.1, "high": 0.3}
NONE = Goals()


def judged(labels: np.ndarray, scores: np.ndarray) -> dict[str, Any]:
    groups = pd.Series(np.arange(len(labels)).astype(str))
    return thresholds.evaluate_decisions(labels, scores, groups, AS_SAID)


def report(labels: np.ndarray, scores: np.ndarray, **more: Any) -> dict[str, Any]:
    """Judge the same scores as test part and out of fold, well above the floor."""
    of_part = judged(labels, scores)
    return {"test": of_part, "oof": of_part, "gain": NO_FLOOR} | more


def missed(found: dict[str, str]) -> set[str]:
    return {name for name, words in found.items() if words}


def table(labels: np.ndarray, scores: np.ndarray) -> pd.DataFrame:
    rows = np.arange(len(labels)).astype(str)
    named = np.array(["human", "ai"])[labels]
    return pd.DataFrame(
        {"row": rows, "part": "oof", "label": named, "group": rows, "score": scores}
    )


def test_every_figure_can_be_a_goal() -> None:
    assert set(Goals.model_fields) == set(classification.figures(*some_scores()))


@pytest.mark.parametrize("name", list(Goals.model_fields))
def test_a_goal_is_met_from_its_value_on(name: str) -> None:
    given_report = report(*some_scores(200))
    goal = 0.4
    better = -1 if name in AT_MOST else 1
    for value, met in ((goal, True), (goal + 0.01 * better, True), (goal - 0.01 * better, False)):
        changed = given_report | {"test": given_report["test"] | {name: value}}
        words = goals.misses(changed, Goals.model_validate({name: goal}))[name]
        assert (words == "") == met
        assert met or words == f"{name} {value:.3f} is {'above' if better < 0 else 'below'} 0.4"
    nothing = given_report | {"test": given_report["test"] | {name: math.nan}}
    assert goals.misses(nothing, Goals.model_validate({name: goal}))[name] == f"there is no {name}"


def test_a_goal_that_is_left_out_is_not_asked() -> None:
    assert list(goals.misses(report(*some_scores(200)), NONE)) == ["above_chance", "above_floor"]
    assert goals.sentence(report(*some_scores(200)), NONE) == "goals met"


@given(st.integers(1, 30), st.integers(1, 30), st.booleans(), st.integers(0, 99))
def test_whoever_calls_everything_one_class_misses_the_goals(
    ais: int, humans: int, ai: bool, seed: int
) -> None:
    labels = np.repeat([1, 0], [ais, humans])
    scores = np.random.default_rng(seed).uniform(0.5 * ai, 0.5 * ai + 0.49, ais + humans)
    found = goals.misses(report(labels, scores), PARAMS.goals)
    assert "balanced_accuracy" in missed(found)
    assert thresholds.one_class(judged(labels, scores))


def test_equal_scores_show_nothing() -> None:
    labels = np.repeat([1, 0], [60, 10])
    found = report(labels, np.full(70, 0.86))
    assert {"above_chance", "balanced_accuracy"} <= missed(goals.misses(found, PARAMS.goals))
    assert "AUC 0.500 [0.500, 0.500] out of fold is not above 0.5" in goals.sentence(found, NONE)


def test_an_order_by_chance_is_rarely_taken_for_more() -> None:
    generator = np.random.default_rng(0)
    labels = np.repeat([1, 0], [60, 20])
    above = [
        not goals.misses(report(labels, generator.random(80)), NONE)["above_chance"]
        for _ in range(60)
    ]
    assert sum(above) <= 5  # of 60, at 1 in 40


def test_an_order_against_the_labels_is_below_chance() -> None:
    labels, scores = some_scores(200)
    assert missed(goals.misses(report(labels, 1 - scores), NONE)) == {"above_chance"}


def test_what_is_no_better_than_the_floor_misses_the_goals() -> None:
    labels, scores = some_scores(200)
    for floor, better in ((scores, False), (np.random.default_rng(0).permutation(scores), True)):
        more = goals.gain(table(labels, scores), table(labels, floor))
        found = goals.misses(report(labels, scores, gain=more), NONE)
        assert (found["above_floor"] == "") == better
    none = goals.gain(table(labels, scores), table(labels, scores))
    assert goals.sentence(report(labels, scores, gain=none), NONE) == (
        "goals missed: AUC less that without looking at the art, +0.000 [+0.000, +0.000], is not "
        "above 0"
    )


def test_a_gain_is_that_of_pairs_on_the_pictures_of_the_floor() -> None:
    """What both find hard is so in each resample: two intervals apart would overlap."""
    labels, scores = some_scores(400)
    floor, scores = scores * 0.9, scores * 0.9 + 0.05 * labels
    more = goals.gain(table(labels, scores), table(labels, floor).iloc[:300])
    of_both = [judged(labels[:300], one[:300]) for one in (floor, scores)]
    assert more["pictures"] == 300
    assert more["auc"] == pytest.approx(of_both[1]["auc"] - of_both[0]["auc"])
    assert 0 < more["low"] < more["auc"] < more["high"]
    low, high = of_both[1]["intervals"]["auc"]["low"], of_both[0]["intervals"]["auc"]["high"]
    assert low < high


def test_an_older_report_is_asked_by_the_floor_that_it_has() -> None:
    """As a champion may have: its run was logged before floors had scores."""
    old = report(*some_scores(200))
    del old["gain"]
    low = old["oof"]["intervals"]["auc"]["low"]
    for floor, expected in ((low - 0.01, set()), (low + 0.01, {"above_floor"})):
        found = goals.misses(old | {"floor": {"oof": {"auc": floor}}}, NONE)
        assert missed(found) == expected


def test_pictures_without_a_signal_are_no_success(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Seven in eight are ai, so calling everything ai is accurate, and finds all that is."""
    project = tiny_project(tmp_path)
    names = [f"{'human' if number % 8 == 5 else 'ai'}/{number}.png" for number in range(96)]
    content = [(name, file(picture(number))) for number, name in enumerate(names)]
    archive(tmp_path / "pictures.zip", content)
    set_params(project, COLOUR | {"split.test_size": 0.15})
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    run_stages(monkeypatch, project, *STAGES, "report")
    lines = capsys.readouterr().out.splitlines()
    (judgement,) = (line for line in lines if line.startswith("goals "))
    assert "balanced_accuracy" in judgement
    assert " accuracy" not in judgement.replace("balanced_accuracy", "")
    assert "out of fold is not above 0.5" in judgement
    assert "on the test part everything is called ai (14 of 14 pictures, 13 are)" in judgement
    (logged,) = (line for line in lines if line.startswith("report: "))
    assert ", version 1, not champion: goals missed: balanced_accuracy" in logged
    for shown in ("metrics/report.html", "models/final/README.md"):
        assert "everything is called ai (14 of 14 pictures" in (project / shown).read_text()
