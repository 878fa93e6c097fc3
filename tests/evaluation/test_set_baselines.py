"""A shortcut that is planted into a set is found, and none where classes are saved alike."""

from pathlib import Path

import pytest
from making import LABELS, PARAMS, archive, file, picture, published

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


@pytest.mark.parametrize(("ai", "human"), [(29, 29), (30, 29), (30, 0)])
def test_few_pictures_of_a_class_have_no_baseline(ai: int, human: int) -> None:
    """Nothing is read of them."""
    rows = [
        {"id": f"{label}{number}", "label": label}
        for label, count in (("ai", ai), ("human", human))
        for number in range(count)
    ]
    stored = [Path("nowhere.jpg")] * len(rows)
    assert set_baselines.evaluate(published(rows), stored, 100) == {}
