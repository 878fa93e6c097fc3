"""Views: the whole picture first, then parts of it, every second one mirrored."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from realart.data.pictures import square
from realart.features.views import views


def gradient(width: int, height: int) -> Image.Image:
    """Make a picture whose red rises from left to right, and whose green from top to bottom."""
    x, y = np.meshgrid(np.linspace(0, 255, width), np.linspace(0, 255, height))
    return Image.fromarray(np.dstack([x, y, np.zeros_like(x)]).astype(np.uint8))


@pytest.mark.parametrize("shape", ["squash", "crop", "pad"])
def test_the_whole_picture_and_its_mirror_image_come_first(shape: str) -> None:
    image = gradient(90, 60)
    squares = views(image, 32, shape, 2)
    np.testing.assert_array_equal(squares[0], square(image, 32, shape))
    np.testing.assert_array_equal(squares[1], squares[0][:, ::-1])


@given(st.integers(40, 200), st.integers(40, 200), st.sampled_from(["squash", "crop"]))
def test_boxes_cover_half_to_all_of_the_area(width: int, height: int, shape: str) -> None:
    squares = views(gradient(width, height), 32, shape, 12).astype(float)
    whole = min(width, height) ** 2 if shape == "crop" else width * height
    for number, view in enumerate(squares):
        right, down = np.ptp(view[..., 0]) / 255 * width, np.ptp(view[..., 1]) / 255 * height
        assert 0.4 * whole - 200 <= right * down <= whole * 1.1 + 200
        assert (view[16, -1, 0] > view[16, 0, 0]) == (number % 2 == 0)


def test_more_views_begin_with_the_same_ones() -> None:
    image = gradient(100, 70)
    np.testing.assert_array_equal(views(image, 32, "crop", 9)[:4], views(image, 32, "crop", 4))
    assert len({view.tobytes() for view in views(image, 32, "squash", 9)}) == 9


def test_cropped_views_keep_the_aspect() -> None:
    """Boxes are squares: what is as wide as high in a picture is so in each view."""
    for number, view in enumerate(views(gradient(200, 100), 64, "crop", 8).astype(float)):
        right, down = (np.ptp(view[..., channel]) for channel in (0, 1))
        assert right * 2 == pytest.approx(down, rel=0.06), number
