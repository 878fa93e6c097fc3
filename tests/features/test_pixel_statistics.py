"""Statistics of pixels show what they are for: a grid, a quantisation, a squashed square."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from making import decoded, file, picture
from PIL import Image

from realart.data.pictures import Pixels
from realart.features import pixel_statistics


def textured(seed: int, width: int = 160, height: int = 120) -> Pixels:
    generator = np.random.default_rng(seed)
    grain = generator.normal(0, 18, (height, width, 1))
    return np.clip(picture(seed, width, height) + grain, 0, 255).astype(np.uint8)


def jpeg(pixels: Pixels, quality: int) -> Pixels:
    return decoded(file(pixels, "JPEG", quality=quality))


@pytest.mark.parametrize("size", [(45, 64), (3, 512), (512, 8)])
def test_statistics_have_the_same_length_for_every_picture(size: tuple[int, int]) -> None:
    small, large = (
        pixel_statistics.measure(image) | pixel_statistics.measure_squares(image)
        for image in (Image.fromarray(textured(1, *size)), Image.fromarray(textured(2, 400, 300)))
    )
    assert set(small) == {
        "mean_colour", "thumbnail", "texture", "square_squash", "square_crop", "square_pad",
    }  # fmt: skip
    for name, values in small.items():
        assert values.dtype == np.float32
        assert values.shape == large[name].shape
        assert np.isfinite(values).all()


def test_quantisation_takes_high_frequencies() -> None:
    coarse, fine = (
        pixel_statistics.block_energies(jpeg(textured(1), quality)) for quality in (30, 95)
    )
    assert (coarse.reshape(8, 8)[4:, 4:] < fine.reshape(8, 8)[4:, 4:]).all()


def test_the_constant_block_has_energy_in_no_frequency() -> None:
    energies = pixel_statistics.block_energies(np.full((64, 64, 3), 200, np.uint8))
    assert energies[0] == pytest.approx(np.log1p(8 * 200))
    assert np.abs(energies[1:]).max() < 1e-3


@pytest.mark.parametrize("cut", [0, 3, 6])
def test_the_grid_shows_where_jpeg_blocks_meet(cut: int) -> None:
    """Steps lie between samples 7 and 8 of the published picture, wherever it was cut."""
    published = jpeg(textured(1, 320, 240), 12)[cut:, cut:]
    rows, columns = np.split(pixel_statistics.grid(published), 2)
    assert rows.argmax() == columns.argmax() == (7 - cut) % 8


def test_squares_show_the_shape_before_squashing_or_padding() -> None:
    wide = np.tile(picture(1, 128, 128), (1, 2, 1))
    tall = wide.transpose(1, 0, 2).copy()
    across, down, plain = (
        pixel_statistics.square_statistics(Image.fromarray(pixels), "squash")[2]
        for pixels in (wide, tall, picture(1, 128, 128))
    )
    assert across - plain > 0.4
    assert down + plain < -0.4
    flat_columns, flat_rows = pixel_statistics.square_statistics(Image.fromarray(wide), "pad")[4:]
    assert (flat_columns, flat_rows) == (0, pixel_statistics.SQUARE // 2)


@given(st.integers(0, 1000))
def test_the_mean_colour_is_that_of_numpy_to_the_last_bit(seed: int) -> None:
    generator = np.random.default_rng(seed)
    pixels = generator.integers(0, 256, (*generator.integers(1, 300, 2), 3), np.uint8)
    expected = pixels.mean((0, 1)).astype(np.float32)
    np.testing.assert_array_equal(pixel_statistics.mean_colour(pixels), expected)
