"""The table of recipes: what params.yaml has, and the parameters that publishers counted."""

from pathlib import Path

import pytest
from networks import PARAMS

from realart.models import recipe_table

COUNTS = {
    "cnn_ela": 29_520_034,
    "cnn150": 3_453_121,
    "cnn_bn": 25_786_050,
    "resnet101": 43_184_258,
    "mobilenetv2": 2_259_265,
    "forensic": "",
}


@pytest.mark.slow
@pytest.mark.parametrize(("name", "count"), COUNTS.items(), ids=COUNTS)
def test_the_parameters_of_a_recipe(
    name: str, count: int | str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")  # no weights are downloaded
    row = recipe_table.row(name, PARAMS.recipes[name], parameters=True)
    assert row["parameters"] == count


def test_no_parameters_are_counted_unasked() -> None:
    rows = [recipe_table.row(name, recipe) for name, recipe in PARAMS.recipes.items()]
    assert all("parameters" not in row for row in rows)
    assert {row["backbone"] for row in rows} >= {"", "ResNet101", "MobileNetV2"}
