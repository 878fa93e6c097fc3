"""A matrix has a cell for each run on each set, of one class, too."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from PIL import Image

from realart.evaluation import set_matrix


def report(run: str, data: str, **figures: float) -> dict[str, Any]:
    ends = {name: {"low": value - 0.1, "high": value + 0.1} for name, value in figures.items()}
    return {"run": run, "data": data, "pictures": 9, **figures, "intervals": ends}


BOTH = {"accuracy": 0.7, "auc": 0.8, "recall": 0.6, "false_positive_rate": 0.2}
ONE = [{"false_positive_rate": 0.2}, {"recall": 0.4}]


@pytest.mark.parametrize("figures", [[BOTH, *ONE], [BOTH], ONE, ONE[:1]])
def test_each_cell_has_what_its_set_defines(
    tmp_path: Path, figures: list[dict[str, float]]
) -> None:
    reports = [
        report(run, f"{number}", **of_set)
        for run in ("a", "b")
        for number, of_set in enumerate(figures)
    ]
    set_matrix.write(reports, tmp_path)
    table = pd.read_csv(tmp_path / "matrix.csv")
    assert list(table.columns) == list(set_matrix.COLUMNS)
    for row, of_set in zip(table.to_dict("records"), 2 * figures, strict=True):
        for name in BOTH:
            assert row[name] == of_set[name] if name in of_set else pd.isna(row[name])
        if "recall" in of_set:
            assert row["recall_low"] == pytest.approx(of_set["recall"] - 0.1)
    with Image.open(tmp_path / "matrix.png") as image:
        assert image.width > 300


def test_a_cell_shows_the_rate_of_its_class(tmp_path: Path) -> None:
    drawn = set()
    for value in (0.2, 0.3):
        set_matrix.write([report("a", "b", recall=value)], tmp_path)
        drawn.add((tmp_path / "matrix.png").read_bytes())
    assert len(drawn) == 2
