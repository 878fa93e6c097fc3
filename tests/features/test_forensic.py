"""Families of measurements: their shapes, laws that hold for any picture, and known answers."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from making import file, picture
from threadpoolctl import threadpool_limits

from realart.data import decoding
from realart.data.pictures import Pixels
from realart.features import forensic
from realart.features.forensic import FAMILIES, contrast, residuals, spectrum

WIDTHS = {
    "cooccurrences": 464, "neighbours": 36, "blocks": 136, "patterns": 177, "contrast": 36,
    "spectrum": 48, "levels": 15, "colour": 78, "palette": 864, "wavelets": 266,
    "layout": 264,
}  # fmt: skip
SIDES = st.integers(1, 150)
ANY = st.builds(
    lambda height, width, values, seed: (
        np.random.default_rng(seed).choice(values, (height, width, 3)).astype(np.uint8)
    ),
    SIDES,
    SIDES,
    st.lists(st.integers(0, 255), min_size=1, max_size=4),
    st.integers(0, 9),
)


@settings(deadline=None, max_examples=30)
@given(ANY)
def test_any_picture_has_finite_numbers_of_one_width(pixels: Pixels) -> None:
    for name in FAMILIES:
        vector = forensic.measure(pixels, [name])
        assert (vector.shape, vector.dtype) == ((WIDTHS[name],), np.float32), name
        assert np.isfinite(vector).all(), name


def test_every_family_has_a_known_width() -> None:
    assert set(FAMILIES) == set(WIDTHS)
    assert sum(WIDTHS.values()) == 2384


def test_families_lie_one_behind_the_other() -> None:
    pixels = picture(1, 90, 70)
    both = forensic.measure(pixels, ["colour", "patterns"])
    np.testing.assert_array_equal(both[:78], FAMILIES["colour"].measure(pixels))
    np.testing.assert_array_equal(both[78:], FAMILIES["patterns"].measure(pixels))


@pytest.mark.parametrize("turned", [np.rot90, np.fliplr, lambda one: one.transpose(1, 0, 2)])
def test_co_occurrences_are_the_same_from_any_side(turned: object) -> None:
    pixels = picture(3, 80, 64)
    assert callable(turned)
    other = np.ascontiguousarray(turned(pixels))
    np.testing.assert_allclose(
        residuals.cooccurrences(pixels), residuals.cooccurrences(other), atol=1e-6
    )


def test_co_occurrences_are_shares_of_patterns() -> None:
    vector = residuals.cooccurrences(picture(2, 100, 100))
    for start, length in ((0, 169), (169, 63), (232, 169), (401, 63)):
        np.testing.assert_allclose(vector[start : start + length].sum(), 1, rtol=1e-5)


def test_third_differences_of_a_cubic_are_constant() -> None:
    """The residual takes away what a parabola says of a pixel; of a cubic its sixfold is left."""
    x = np.arange(8)
    for values, expected in ((2 * x**2 - x, 0), (x**3, -6)):
        found = residuals._third_order(values[None].astype(np.int16)) - residuals.LARGEST
        assert (found == expected).all()


def test_a_grid_of_doubled_pixels_is_seen_by_neighbours() -> None:
    """Nearest-neighbour upsampling makes the pixels of a cell equal."""
    doubled = picture(1, 40, 40).repeat(2, 0).repeat(2, 1)
    equal = residuals.neighbours(doubled).reshape(3, 4, 3)[:, 2]
    assert (equal == 1).all()
    shifted = residuals.neighbours(np.roll(doubled, 1, (0, 1))).reshape(3, 4, 3)[:, 2]
    assert (shifted[2] < 0.6).all()


def test_quantisation_is_seen_by_blocks() -> None:
    """A coarse save takes high frequencies away."""
    noise = np.random.default_rng(0).integers(0, 256, (96, 96, 3), np.uint8)
    saved = np.asarray(decoding.read(file(noise, "JPEG", quality=10)))
    fine, coarse = (FAMILIES["blocks"].measure(one)[:64].reshape(8, 8) for one in (noise, saved))
    assert coarse[4:, 4:].mean() < fine[4:, 4:].mean() - 1


def test_noise_is_gaussian_to_contrast() -> None:
    """The fit returns the exponent that the values were drawn with: 2 Gaussian, 1 Laplacian."""
    generator = np.random.default_rng(0)
    for values, exponent in (
        (generator.normal(size=(300, 300)), 2.0),
        (generator.laplace(size=(300, 300)), 1.0),
    ):
        shape, variance = contrast._gaussian(values.astype(np.float32))
        assert shape == pytest.approx(exponent, rel=0.05)
        assert variance == pytest.approx(values.var(), rel=0.01)


@pytest.mark.parametrize("family", FAMILIES)
def test_the_number_of_threads_changes_no_bit(family: str) -> None:
    """Stages measure in processes of one thread, `predict` in one of many."""
    for seed, (width, height) in enumerate([(512, 400), (130, 511), (96, 80)] * 4):
        pixels = picture(seed, width, height)
        found = []
        for threads in (1, 2):
            with threadpool_limits(threads):
                found.append(FAMILIES[family].measure(pixels))
        np.testing.assert_array_equal(*found)


@pytest.mark.parametrize("cycles", [8, 16, 40])
def test_a_wave_is_found_in_its_ring_and_direction(cycles: int) -> None:
    x = np.arange(spectrum.TILE)
    wave = 128 + 100 * np.sin(2 * np.pi * cycles * x / spectrum.TILE)
    pixels = np.tile(wave[None, :, None], (spectrum.TILE, 1, 3)).astype(np.uint8)
    for turned, direction in ((pixels, 4), (pixels.transpose(1, 0, 2), 0)):
        vector = FAMILIES["spectrum"].measure(np.ascontiguousarray(turned))
        assert vector[:32].argmax() == cycles * 2 * 32 // spectrum.TILE
        for number, (low, high) in enumerate(spectrum.BANDS):
            if low <= cycles / spectrum.TILE < high:
                found = vector[32 + 8 * number :][:8].argmax()
                assert found in (direction, (direction - 1) % 8)


def test_only_uniform_patterns_are_told_apart() -> None:
    """There are 58 codes with at most two changes; a flat picture has one of them."""
    flat = FAMILIES["patterns"].measure(np.full((64, 64, 3), 9, np.uint8)).reshape(3, 59)
    assert (flat.max(1) == 1).all()
    noise = np.random.default_rng(0).integers(0, 256, (128, 128, 3), np.uint8)
    assert FAMILIES["patterns"].measure(noise)[58] > 0.4


@settings(deadline=None, max_examples=20)
@given(arrays.arrays(np.uint8, (3,)))
def test_colour_of_one_colour(rgb: Pixels) -> None:
    vector = FAMILIES["colour"].measure(np.tile(rgb, (40, 40, 1)))
    np.testing.assert_allclose(vector[[0, 3, 6]], rgb, atol=1e-3)
    np.testing.assert_allclose(vector[[1, 4, 7]], 0, atol=2e-3)
    assert (vector[18:21] == 0).all()


def test_colours_that_go_together_are_correlated() -> None:
    grey = np.random.default_rng(0).integers(0, 256, (64, 64, 1), np.uint8).repeat(3, 2)
    np.testing.assert_allclose(FAMILIES["colour"].measure(grey)[18:21], 1, atol=1e-3)
    inverted = grey.copy()
    inverted[..., 2] = 255 - grey[..., 2]
    np.testing.assert_allclose(FAMILIES["colour"].measure(inverted)[18:21], [1, -1, -1], atol=1e-3)


def test_a_direction_has_no_sign() -> None:
    pixels = picture(5, 140, 130)
    dark, light = (
        FAMILIES["layout"].measure(pixels)[:168],
        FAMILIES["layout"].measure(255 - pixels)[:168],
    )
    np.testing.assert_allclose(dark, light, atol=2e-3)


def test_edges_are_counted_where_they_lie() -> None:
    pixels = np.zeros((128, 128, 3), np.uint8)
    pixels[:32, 16:17] = 255  # an upright line in the first cell of four by four
    cells = FAMILIES["layout"].measure(pixels)[40:168].reshape(16, 8)
    assert cells[0].sum() > 0.9
    assert cells[0].argmax() == 0
