"""Metrics are those of changed pictures, as if these had been published as files."""

import io
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from making import file, picture
from networks import PARAMS, UNCALIBRATED_RULE, recipe
from PIL import Image
from sklearn import metrics

from realart.data.perturbations import Change
from realart.evaluation import robustness
from realart.features import preprocessing
from realart.metrics import classification
from realart.models import trained_model
from realart.networks import builder

pytestmark = pytest.mark.slow


def test_the_table_holds_the_figures_of_changed_pictures(tmp_path: Path) -> None:
    wanted = recipe(32)
    spec = preprocessing.input_spec(PARAMS).model_copy(update={"parts": {"pixels": wanted.sees}})
    trained_model.save(tmp_path, wanted, spec, [builder.build(wanted)], UNCALIBRATED_RULE)
    model = trained_model.TrainedModel(tmp_path)
    rows, scores = [], {"none": [], "jpeg 40": [], "crop 0.75": [], "letterbox 0.44": []}
    with zipfile.ZipFile(tmp_path / "archive.zip", "w") as target:
        for number in range(12):
            data = file(picture(number, 70, 90))
            target.writestr(f"{number}.png", data)
            rows.append((f"{number:02}", f"{number}.png", len(data), ("ai", "human")[number % 2]))
            for name, values in scores.items():
                image = Image.open(io.BytesIO(data)).convert("RGB")
                if name != "none":
                    change, strength = name.split()
                    image = Change(change, float(strength))(image)
                small = model.input.clean.model_copy(update={"min_side": 1})
                again = model.input.model_copy(update={"clean": small})
                model_input = preprocessing.from_published(file(np.asarray(image)), again)
                values.append(model.scores(*preprocessing.stack([model_input]))[0])
    published = pd.DataFrame(rows, columns=["id", "path", "bytes", "label"]).assign(set="")
    published = published.set_index("id", drop=False)
    published.index.name = None
    groups = published["id"]
    table = robustness.evaluate({"": tmp_path / "archive.zip"}, published, groups, model)
    assert len(table) == (1 + sum(map(len, robustness.STRENGTHS.values()))) * 3
    assert list(table.columns) == list(robustness.COLUMNS)
    labels = (published["label"] == "ai").to_numpy().astype(int)
    for name, values in scores.items():
        change, strength, *_ = (*name.split(), "0")
        of_change = table[(table["change"] == change) & (table["strength"] == float(strength))]
        assert len(of_change) == 3
        expected = metrics.roc_auc_score(labels, np.round(values, 6))
        assert of_change["auc"].tolist() == pytest.approx([expected] * 3)
        for row in of_change.itertuples():
            expected_at = classification.at(
                labels, np.array(values), UNCALIBRATED_RULE.points[row.point]
            )
            assert row.recall == pytest.approx(expected_at["recall"])
            assert row.false_positive_rate == pytest.approx(expected_at["false_positive_rate"])
    assert table.groupby("change")["auc"].first().nunique() > 1
