"""ELA maps: the difference that a second JPEG save makes, and how maps are stored."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from making import PARAMS, decoded, file, picture, plain
from PIL import Image

from realart.data import decoding, pictures
from realart.features.ela import encode, error_level, stored_map


def canonical(seed: int, width: int, height: int) -> Image.Image:
    painted = Image.fromarray(picture(seed, width, height))
    return decoding.read(pictures.canonical(painted, PARAMS.clean))


IMAGE = canonical(1, 200, 160)
CANONICAL = np.asarray(IMAGE)


def test_levels_are_lower_at_the_quality_of_the_first_save() -> None:
    # Chroma, halved in resolution, is filtered at every save: a few levels even at its own quality.
    own = error_level(CANONICAL, PARAMS.clean.quality, 1.0)
    other = error_level(CANONICAL, PARAMS.ela.quality, 1.0)
    assert own.mean() < 0.5 * other.mean()


def test_maps_by_params_yaml_are_not_nearly_constant() -> None:
    for seed in range(5):
        assert np.std(stored_map(canonical(seed, 300, 200), PARAMS.ela)) > 10


def test_a_pasted_region_has_higher_levels() -> None:
    base = decoded(file(picture(1, 160, 160), "JPEG", quality=PARAMS.ela.quality))
    pasted = base.copy()
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    pasted[48:112, 48:112] = noise // 4 + pasted[48:112, 48:112] // 4 * 3
    level = error_level(pasted, PARAMS.ela.quality, "max").astype(float)
    assert level[48:112, 48:112].mean() > 4 * level[:32].mean()


@given(st.integers(0, 10**6), st.integers(10, 85))
def test_max_stretches_the_largest_difference_to_white(seed: int, quality: int) -> None:
    assert error_level(picture(seed), quality, "max").max() == 255


@given(st.integers(0, 10**6), st.integers(1, 4))
def test_a_factor_multiplies_the_absolute_difference(seed: int, factor: int) -> None:
    unscaled = error_level(picture(seed), 75, 1.0).astype(int)
    assert np.array_equal(
        error_level(picture(seed), 75, float(factor)), np.minimum(255, unscaled * factor)
    )


def test_levels_agree_with_those_of_another_encoder() -> None:
    pixels = picture(3)
    saved = decoded(file(pixels, "JPEG", quality=75))
    expected = np.abs(pixels.astype(int) - saved)
    assert np.abs(error_level(pixels, 75, 1.0) - expected).mean() < 1.5


@pytest.mark.parametrize("scale", ["max", 10.0])
def test_the_map_of_black_is_black(scale: float) -> None:
    assert not error_level(plain((0, 0, 0)), 75, scale).any()


@given(st.integers(1, 70), st.integers(1, 70), st.integers(1, 100))
def test_a_map_has_the_shape_of_its_picture(width: int, height: int, quality: int) -> None:
    level = error_level(picture(0, width, height), quality, "max")
    assert level.shape == (height, width, 3)
    assert level.dtype == np.uint8


def test_channels_are_in_order_rgb() -> None:
    pixels = np.zeros((64, 64, 3), np.uint8)
    pixels[..., 0] = np.random.default_rng(0).integers(0, 256, (64, 64))
    level = error_level(pixels, 75, 1.0).mean((0, 1))
    assert level[0] > 2 * level[2]


@given(st.integers(0, 10**6), st.integers(1, 70), st.integers(1, 70))
def test_an_encoded_map_decodes_to_itself(seed: int, width: int, height: int) -> None:
    level = error_level(picture(seed, width, height), 75, "max")
    assert np.array_equal(decoded(encode(Image.fromarray(level))), level)


def test_a_stored_map_is_bounded_and_keeps_its_shape() -> None:
    small = PARAMS.ela.model_copy(update={"long_side": 50})
    stored = np.asarray(stored_map(IMAGE, small))
    assert stored.shape == (40, 50, 3)
    level = error_level(CANONICAL, small.quality, small.scale)
    reduced = Image.fromarray(level).resize((50, 40), Image.Resampling.BICUBIC)
    assert np.abs(stored.astype(int) - np.asarray(reduced)).mean() < 2
