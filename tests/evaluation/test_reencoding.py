"""Re-encoding: which class shifts, and how that changes the metrics."""

import io
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest
from making import PARAMS, archive, file, picture, published
from PIL import Image

from realart.evaluation import reencoding
from realart.features.preprocessing import InputSpec, from_published, stack
from realart.models.trained_model import TrainedModel
from realart.params import PixelInput

SPEC = InputSpec(
    parts={"pixels": PixelInput(input="rgb", size=32, shape="squash", backbone=None)},
    ela=None,
    clean=PARAMS.clean.model_copy(update={"encoding": "original"}),
)


class Coarse(TrainedModel):
    """A model that scores nothing but how coarsely a picture was saved."""

    def __init__(self, spec: InputSpec) -> None:
        self.input = spec

    def scores(self, pixels: np.ndarray) -> np.ndarray:
        steps = np.abs(np.diff(pixels.astype(float), axis=2)).mean((1, 2, 3))
        return 1 / (1 + np.exp(steps - 20))


def test_figures_under_each_condition() -> None:
    labels = np.array([0, 0, 1, 1])
    published_scores, reencoded = np.array([0.1, 0.2, 0.8, 0.9]), np.array([0.9, 0.8, 0.8, 0.9])
    found = reencoding.compare_scores(labels, published_scores, reencoded)
    assert np.isclose(found["shift"]["human"], 0.7)
    assert found["shift"]["ai"] == 0
    accuracies = {name: figures.get("accuracy") for name, figures in found.items()}
    assert accuracies == {
        "shift": None,
        "published": 1.0,
        "both_again": 0.5,
        "only_human_again": 0.5,
        "only_ai_again": 1.0,
    }


@pytest.mark.parametrize(("moved", "words"), [(0.04, "hardly moves"), (0.7, "do not believe")])
def test_what_follows_from_a_shift_is_said(moved: float, words: str) -> None:
    labels, scores = np.array([0, 0, 1, 1]), np.array([0.1, 0.2, 0.8, 0.9])
    for class_moved in (labels, 1 - labels):
        shifted = np.clip(scores - moved * (2 * labels - 1) * class_moved, 0, 1)
        found = reencoding.compare_scores(labels, scores, shifted)
        sentence = reencoding.describe(found, 70)
        assert words in sentence
        assert f"{found['only_ai_again']['auc']:.3f} with ai art alone" in sentence


def test_a_model_of_compression_shifts(tmp_path: Path) -> None:
    """Grain survives in one class only: the other was saved coarsely. Every name comes twice."""
    grain = np.random.default_rng(0).normal(0, 40, (32, 32, 1))
    content = []
    for i in range(20):
        pixels = np.clip(picture(i, 32, 32) + grain, 0, 255).astype(np.uint8)
        coarse = Image.open(io.BytesIO(file(pixels, "JPEG", quality=5)))
        content.append((f"{i // 2}.png", file(coarse if i % 2 else pixels)))
    path = archive(tmp_path / "a.zip", content)
    rows = [
        {"id": f"{i:02d}", "path": name, "bytes": len(data), "label": ("human", "ai")[i % 2]}
        for i, (name, data) in enumerate(content)
    ]
    clean = SPEC.clean.model_copy(update={"min_side": 16})
    model = Coarse(SPEC.model_copy(update={"clean": clean}))
    pixels = [from_published(data, model.input) for _, data in content]
    scores = pd.DataFrame(
        {"row": [row["id"] for row in rows], "score": model.scores(*stack(pixels))}
    )
    with joblib.parallel_config("sequential"):
        found = reencoding.evaluate({"": path}, published(rows), scores, model, 5)
    assert found["published"]["auc"] == 1
    assert found["shift"]["human"] > 0.3
    assert abs(found["shift"]["ai"]) < 0.1
    assert found["both_again"]["auc"] < 0.8
