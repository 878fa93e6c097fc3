"""What a model looks at is where it is warm; what it does not look at is cold."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from making import PARAMS, picture
from networks import AS_SAID
from PIL import Image

from realart.features.preprocessing import InputSpec
from realart.metrics.calibration import Calibration
from realart.models import trained_model
from realart.models.classifiers import FittedClassifier
from realart.models.trained_model import TrainedModel
from realart.params import ClassifierParams, ClassifierRecipe, ForensicFeatures, VectorInput
from realart.serving import occlusion

DESCRIPTION = 264
FIRST_SPREAD = 168 + 16 * 3
"""Where `forensic.layout` has the spread of lightness in its first cell, and its cells follow."""


def looking_at(folder: Path, cell: int | None, slope: float = 1.0, count: int = 1) -> TrainedModel:
    """Keep heads that look at the spread of lightness in one of 4x4 cells, or at nothing."""
    arrays = {
        "mean": np.zeros(DESCRIPTION, np.float32),
        "spread": np.full(DESCRIPTION, 10, np.float32),
        "share": np.ones(DESCRIPTION, np.float32),
        "weights": np.zeros(DESCRIPTION),
        "offset": np.zeros(1),
        "calibration": np.array([1.0, 0.0]),
    }
    if cell is not None:
        arrays["weights"][FIRST_SPREAD + 3 * cell] = slope
    recipe = ClassifierRecipe(
        sees=VectorInput(features=["where"]), head=ClassifierParams(name="logistic", grid={})
    )
    parts = {"where": ForensicFeatures(families=["layout"])}
    seen = InputSpec(parts=parts, clean=PARAMS.clean, ela=None)
    trained_model.save(
        folder, recipe, seen, [FittedClassifier("logistic", arrays)] * count, AS_SAID
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
def test_the_only_place_that_counts_is_warmest(tmp_path: Path, cell: int, slope: float) -> None:
    heat = occlusion.heat(textured(cell), looking_at(tmp_path, cell, slope))
    assert (heat.shape, heat.dtype) == ((160, 160), np.float32)
    cells = mean_of_cells(heat) * slope
    assert cells.argmax() == cell
    assert cells[cell] > 0.5
    far = [at for at in range(16) if max(np.abs(np.subtract(divmod(at, 4), divmod(cell, 4)))) > 1]
    assert np.abs(cells[far]).max() < 0.02 * cells[cell]


def test_what_is_not_looked_at_stays_cold(tmp_path: Path) -> None:
    heat = occlusion.heat(textured(0), looking_at(tmp_path, 15))
    far = mean_of_cells(heat)[[0, 1, 2, 4, 5, 8]]
    assert np.abs(far).max() < 1e-6


def test_a_model_that_says_always_the_same_is_cold(tmp_path: Path) -> None:
    image = Image.fromarray(picture(0, 130, 90))
    assert not occlusion.heat(image, looking_at(tmp_path, None)).any()


def test_a_picture_that_is_everywhere_alike_is_cold(tmp_path: Path) -> None:
    image = Image.new("RGB", (131, 90), (10, 200, 90))
    assert not occlusion.heat(image, looking_at(tmp_path, 0)).any()


def test_sure_models_are_warm_and_not_infinite(tmp_path: Path) -> None:
    model = looking_at(tmp_path, 0)
    steep = Calibration(slope=10.0, offset=0.0)
    model.verdicts = AS_SAID.model_copy(update={"calibration": steep})
    heat = occlusion.heat(textured(0), model)
    assert np.isfinite(heat).all()
    assert heat[0, 0] > 1


@pytest.mark.parametrize("size", [(64, 512), (512, 64), (97, 101), (64, 2000)])
def test_any_shape_is_covered(tmp_path: Path, size: tuple[int, int]) -> None:
    heat = occlusion.heat(Image.fromarray(picture(1, *size)), looking_at(tmp_path, 5))
    assert heat.shape == size[::-1]
    assert np.isfinite(heat).all()


@given(st.integers(1, 64), st.integers(64, 700))
def test_every_place_lies_in_a_part_and_no_part_is_preferred(count: int, length: int) -> None:
    windows = occlusion._windows(count, length)
    assert windows.shape == (count, length)
    assert (windows >= 0).all()
    assert (windows <= 1).all()
    assert windows.sum(0).min() > 0.9
    np.testing.assert_allclose(windows, windows[::-1, ::-1], atol=1e-9)
