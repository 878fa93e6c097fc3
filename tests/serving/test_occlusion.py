"""Heat maps by occlusion are warm where a model depends on the picture, and cold elsewhere."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from making import PARAMS, picture
from networks import UNCALIBRATED_RULE
from PIL import Image

from realart.features.preprocessing import InputSpec
from realart.metrics.calibration import Calibration
from realart.models import trained_model
from realart.models.classifiers import FittedClassifier
from realart.models.trained_model import TrainedModel
from realart.params import ClassifierParams, ClassifierRecipe, ForensicFeatures, VectorInput
from realart.serving import occlusion

pytestmark = pytest.mark.slow

FEATURES = 264
"""Length of the vectors of `forensic.layout`."""
FIRST_SPREAD = 168 + 16 * 3
"""Position of the spread of lightness in the first of the 4x4 cells; the other cells follow."""


def cell_model(folder: Path, cell: int | None, slope: float = 1.0, count: int = 1) -> TrainedModel:
    """Save a model of the spread of lightness in one of 4x4 cells, or a constant one; load it."""
    arrays = {
        "mean": np.zeros(FEATURES, np.float32),
        "spread": np.full(FEATURES, 10, np.float32),
        "share": np.ones(FEATURES, np.float32),
        "weights": np.zeros(FEATURES),
        "offset": np.zeros(1),
        "calibration": np.array([1.0, 0.0]),
    }
    if cell is not None:
        arrays["weights"][FIRST_SPREAD + 3 * cell] = slope
    recipe = ClassifierRecipe(
        sees=VectorInput(features=["where"]), head=ClassifierParams(name="logistic", grid={})
    )
    parts = {"where": ForensicFeatures(families=["layout"])}
    spec = InputSpec(parts=parts, clean=PARAMS.clean, ela=None)
    trained_model.save(
        folder, recipe, spec, [FittedClassifier("logistic", arrays)] * count, UNCALIBRATED_RULE
    )
    return TrainedModel(folder)


def textured(cell: int, width: int = 160, height: int = 160) -> Image.Image:
    """Paint noise in one of 4x4 cells of a grey picture."""
    pixels = np.full((height, width, 3), 128, np.uint8)
    row, column = divmod(cell, 4)
    noise = np.random.default_rng(0).integers(0, 256, (height // 4, width // 4, 1), np.uint8)
    top, left = row * height // 4, column * width // 4
    pixels[top : top + height // 4, left : left + width // 4] = noise
    return Image.fromarray(pixels)


def mean_of_cells(heat: np.ndarray) -> np.ndarray:
    return heat.reshape(4, heat.shape[0] // 4, 4, -1).mean((1, 3)).ravel()


@pytest.mark.parametrize("cell", [0, 3, 6, 12, 15])
@pytest.mark.parametrize("slope", [1.0, -1.0])
def test_the_only_cell_that_the_model_uses_is_warmest(
    tmp_path: Path, cell: int, slope: float
) -> None:
    heat = occlusion.heat(textured(cell), cell_model(tmp_path, cell, slope))
    assert (heat.shape, heat.dtype) == ((160, 160), np.float32)
    cells = mean_of_cells(heat) * slope
    assert cells.argmax() == cell
    assert cells[cell] > 0.5
    distances = [np.subtract(divmod(other, 4), divmod(cell, 4)) for other in range(16)]
    far = [np.abs(distance).max() > 1 for distance in distances]
    assert np.abs(cells[far]).max() < 0.02 * cells[cell]


def test_places_that_the_model_does_not_use_stay_cold(tmp_path: Path) -> None:
    heat = occlusion.heat(textured(0), cell_model(tmp_path, 15))
    far = mean_of_cells(heat)[[0, 1, 2, 4, 5, 8]]
    assert np.abs(far).max() < 1e-6


def test_a_constant_model_is_cold(tmp_path: Path) -> None:
    image = Image.fromarray(picture(0, 130, 90))
    assert not occlusion.heat(image, cell_model(tmp_path, None)).any()


def test_a_uniform_picture_is_cold(tmp_path: Path) -> None:
    image = Image.new("RGB", (131, 90), (10, 200, 90))
    assert not occlusion.heat(image, cell_model(tmp_path, 0)).any()


def test_heat_is_finite_where_scores_are_0_or_1(tmp_path: Path) -> None:
    model = cell_model(tmp_path, 0)
    steep = Calibration(slope=10.0, offset=0.0)
    model.decision_rule = UNCALIBRATED_RULE.model_copy(update={"calibration": steep})
    heat = occlusion.heat(textured(0), model)
    assert np.isfinite(heat).all()
    assert heat[0, 0] > 1


@pytest.mark.parametrize("size", [(64, 512), (512, 64), (97, 101), (64, 2000)])
def test_a_picture_of_any_shape_is_covered(tmp_path: Path, size: tuple[int, int]) -> None:
    heat = occlusion.heat(Image.fromarray(picture(1, *size)), cell_model(tmp_path, 5))
    assert heat.shape == size[::-1]
    assert np.isfinite(heat).all()


@given(st.integers(1, 64), st.integers(64, 700))
def test_windows_cover_every_place_and_are_symmetric(count: int, length: int) -> None:
    windows = occlusion._windows(count, length)
    assert windows.shape == (count, length)
    assert (windows >= 0).all()
    assert (windows <= 1).all()
    assert windows.sum(0).min() > 0.9
    np.testing.assert_allclose(windows, windows[::-1, ::-1], atol=1e-9)
