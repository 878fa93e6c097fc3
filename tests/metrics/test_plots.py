"""Curves begin and end where they must, and the same plot has the same bytes."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from networks import some_scores
from PIL import Image

from realart.metrics import classification, plots

CASES = st.lists(st.tuples(st.integers(0, 1), st.floats(0, 1)), min_size=2, max_size=40).filter(
    lambda pairs: {label for label, _ in pairs} == {0, 1}
)


def arrays(pairs: list[tuple[int, float]]) -> tuple[classification.Labels, classification.Scores]:
    labels, scores = zip(*pairs, strict=True)
    return np.array(labels), np.array(scores)


@given(CASES)
def test_roc_climbs_from_nothing_to_all_and_encloses_the_auc(
    pairs: list[tuple[int, float]],
) -> None:
    curve = plots.roc(*arrays(pairs))
    assert list(curve.columns) == ["fpr", "tpr", "threshold"]
    assert curve[["fpr", "tpr"]].iloc[0].tolist() == [0, 0]
    assert curve[["fpr", "tpr"]].iloc[-1].tolist() == [1, 1]
    assert curve["fpr"].is_monotonic_increasing
    assert curve["tpr"].is_monotonic_increasing
    assert curve["threshold"].between(0, 1).all()
    area = np.trapezoid(curve["tpr"], curve["fpr"])
    assert area == pytest.approx(classification.figures(*arrays(pairs))["auc"])


@given(CASES, st.floats(-9, 9))
def test_roc_of_scores_of_any_scale_is_that_of_their_ranks(
    pairs: list[tuple[int, float]], offset: float
) -> None:
    labels, scores = arrays(pairs)
    scores = 7 * scores.round(3) + offset
    curve = plots.roc(labels, scores)
    assert np.isfinite(curve).all(axis=None)
    assert curve["threshold"].is_monotonic_decreasing
    assert (curve["threshold"].iloc[0] >= scores).all()


@given(CASES)
def test_precision_recall_goes_from_the_share_of_ai_to_no_recall(
    pairs: list[tuple[int, float]],
) -> None:
    labels, scores = arrays(pairs)
    curve = plots.precision_recall(labels, scores)
    assert list(curve.columns) == ["recall", "precision"]
    assert curve.iloc[0].tolist() == pytest.approx([1, labels.mean()])
    assert curve.iloc[-1].tolist() == [0, 1]
    assert curve["recall"].is_monotonic_decreasing
    steps = -np.diff(curve["recall"]) * curve["precision"][:-1]
    area = classification.figures(labels, scores)["average_precision"]
    assert steps.sum() == pytest.approx(area)


@given(CASES)
def test_predictions_count_as_the_confusion(pairs: list[tuple[int, float]]) -> None:
    table = plots.predictions(*arrays(pairs))
    assert list(table.columns) == ["actual", "predicted"]
    assert len(table) == len(pairs)
    count = classification.confusion(*arrays(pairs))
    counts = table.value_counts().to_dict()
    cells = {
        ("human", "human"): "tn",
        ("human", "ai"): "fp",
        ("ai", "human"): "fn",
        ("ai", "ai"): "tp",
    }
    assert {cell: count[name] for cell, name in cells.items() if count[name]} == counts


def history(folds: int) -> pd.DataFrame:
    """Make records of folds that stopped after different numbers of epochs."""
    records = [
        {"fold": fold, "epoch": epoch, "phase": 0, "loss": 1 / (epoch + 1), "accuracy": 0.5,
         "val_loss": 1 / (epoch + fold + 1), "val_accuracy": 0.4 + epoch / 20}
        for fold in range(folds) for epoch in range(3 + fold % 3)
    ]  # fmt: skip
    return pd.DataFrame(records)


NAMED = {"test": some_scores(), "out of fold": some_scores(seed=1)}
METRICS = {"intervals": {name: {"low": 0.6, "high": 0.8} for name in ("auc", "average_precision")}}


def draw_history(path: Path) -> None:
    plots.draw_history(history(4), path)


def draw_curves(path: Path) -> None:
    plots.draw_curves(NAMED, {"test": METRICS, "out of fold": METRICS}, path)


def draw_calibration(path: Path) -> None:
    plots.draw_calibration(NAMED, 0.95, path)


def draw_confusion(path: Path) -> None:
    plots.draw_confusion(*some_scores(), "test", path)


@pytest.mark.parametrize("draw", [draw_history, draw_curves, draw_calibration, draw_confusion])
def test_pictures_are_the_same_bytes_each_time(
    tmp_path: Path, draw: Callable[[Path], None]
) -> None:
    for name in ("one.png", "two.png"):
        draw(tmp_path / name)
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()
    image = Image.open(tmp_path / "one.png")
    assert image.format == "PNG"
    assert min(image.size) > 300
    assert len(image.convert("RGB").getcolors(1 << 20) or []) > 50
    assert "Software" not in image.info
    assert sorted(file.name for file in tmp_path.iterdir()) == ["one.png", "two.png"]


@pytest.mark.parametrize("folds", range(2, 9))
def test_every_fold_has_its_colour(tmp_path: Path, folds: int) -> None:
    plots.draw_history(history(folds), tmp_path / "history.png")
    image = Image.open(tmp_path / "history.png").convert("RGB")
    colours = {colour for _, colour in image.getcolors(1 << 20) or []}
    wanted = [tuple(bytes.fromhex(colour[1:])) for colour in plots.FOLDS]
    assert [colour in colours for colour in wanted] == [number < folds for number in range(8)]


def test_pictures_show_the_data(tmp_path: Path) -> None:
    labels, scores = some_scores()
    for name, shown in (("good", scores), ("bad", 1 - scores)):
        plots.draw_confusion(labels, shown, name, tmp_path / f"{name}-matrix.png")
        named = {"test": (labels, shown)}
        plots.draw_curves(named, {"test": METRICS}, tmp_path / f"{name}-curves.png")
        plots.draw_calibration(named, 0.95, tmp_path / f"{name}-calibration.png")
    for kind in ("matrix", "curves", "calibration"):
        good, bad = (tmp_path / f"{name}-{kind}.png" for name in ("good", "bad"))
        assert good.read_bytes() != bad.read_bytes()
