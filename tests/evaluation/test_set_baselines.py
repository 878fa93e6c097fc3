"""A shortcut that is planted into a set is found, and none where classes are saved alike."""

from pathlib import Path

import pytest
from making import LABELS, PARAMS, archive, file, picture

from realart.evaluation import labelled_set, set_baselines
from realart.evaluation.labelled_set import LabelledSet


def cleaned(folder: Path, count: int, ai_format: str) -> LabelledSet:
    files = [
        (f"{label}/{number}", file(picture(2 * number + place), kind))
        for number in range(count)
        for place, (label, kind) in enumerate((("ai", ai_format), ("human", "PNG")))
    ]
    path = archive(folder / "set.zip", files)
    return labelled_set.clean(path, LABELS, PARAMS.clean, folder)


@pytest.mark.parametrize("ai_format", ["JPEG", "PNG"])
def test_a_format_that_names_the_label_is_found_in_published_files(
    tmp_path: Path, ai_format: str
) -> None:
    pictures = cleaned(tmp_path, 30, ai_format)
    found = set_baselines.evaluate(pictures.kept, pictures.stored, 100)
    assert {*found} == {"published", "stored"}
    assert (found["published"]["auc"] == 1) == (ai_format == "JPEG")
    assert found["stored"]["auc"] < 0.8
    for baseline in found.values():
        assert baseline["auc_low"] <= baseline["auc"] <= baseline["auc_high"]


def test_few_pictures_have_no_baseline(tmp_path: Path) -> None:
    pictures = cleaned(tmp_path, 29, "JPEG")
    assert set_baselines.evaluate(pictures.kept, pictures.stored, 100) == {}
    kept = pictures.kept[pictures.kept["label"] == "ai"]
    assert set_baselines.evaluate(kept, pictures.stored[: len(kept)], 100) == {}
