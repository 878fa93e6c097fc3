"""Views: the whole picture first, then parts of it, every second one mirrored."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from realart.data.pictures import square
from realart.features.views import views


def gradient(width: int, height: int) -> Image.Image:
    """Make a picture whose red says how far right a pixel is, and whose green how far down."""
    x, y = np.meshgrid(np.linspace(0, 255, width), np.linspace(0, 255, height))
    return Image.fromarray(np.dstack([x, y, np.zeros_like(x)]).astype(np.uint8))


@pytest.mark.parametrize("shape", ["squash", "crop", "pad"])
def test_all_of_it_comes_first_and_then_its_mirror_image(shape: str) -> None:
    image = gradient(90, 60)
    found = views(image, 32, shape, 2)
    np.testing.assert_array_equal(found[0], square(image, 32, shape))
    np.testing.assert_array_equal(found[1], found[0][:, ::-1])


@given(st.integers(40, 200), st.integers(40, 200), st.sampled_from(["squash", "crop"]))
def test_parts_show_half_to_all_of_the_area(width: int, height: int, shape: str) -> None:
    found = views(gradient(width, height), 32, shape, 12).astype(float)
    whole = min(width, height) ** 2 if shape == "crop" else width * height
    for number, one in enumerate(found):
        right, down = np.ptp(one[..., 0]) / 255 * width, np.ptp(one[..., 1]) / 255 * height
        assert 0.4 * whole - 200 <= right * down <= whole * 1.1 + 200
        assert (one[16, -1, 0] > one[16, 0, 0]) == (number % 2 == 0)


def test_more_views_begin_with_the_same() -> None:
    image = gradient(100, 70)
    np.testing.assert_array_equal(views(image, 32, "crop", 9)[:4], views(image, 32, "crop", 4))
    assert len({one.tobytes() for one in views(image, 32, "squash", 9)}) == 9


def test_a_part_of_a_square_says_nothing_of_the_shape_around_it() -> None:
    """Parts are square boxes: what is as wide as high in a picture is so in each view."""
    for number, one in enumerate(views(gradient(200, 100), 64, "crop", 8).astype(float)):
        right, down = (np.ptp(one[..., channel]) for channel in (0, 1))
        assert right * 2 == pytest.approx(down, rel=0.06), number
