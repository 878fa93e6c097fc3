"""The same plot has the same bytes, and shows its data."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from networks import some_scores
from PIL import Image

from realart.metrics import plots


def history(folds: int) -> pd.DataFrame:
    """Make records of folds that stopped after different numbers of epochs."""
    records = [
        {"fold": fold, "epoch": epoch, "phase": 0, "loss": 1 / (epoch + 1), "accuracy": 0.5,
         "val_loss": 1 / (epoch + fold + 1), "val_accuracy": 0.4 + epoch / 20}
        for fold in range(folds) for epoch in range(3 + fold % 3)
    ]  # fmt: skip
    return pd.DataFrame(records)


NAMED = {"test": some_scores(), "out of fold": some_scores(seed=1)}
RANKINGS = ("auc", "average_precision")
METRICS: dict[str, Any] = {
    **dict.fromkeys(RANKINGS, 0.7),
    "intervals": {name: {"low": 0.6, "high": 0.8} for name in RANKINGS},
}


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
