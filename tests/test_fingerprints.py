"""Fingerprints: the same everywhere, blind to mirrors where they should be, of every view."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from making import fingerprint, picture, plain
from PIL import Image

from realart import fingerprints
from realart.fingerprints import MIRROR, VIEWS, correlations
from realart.pictures import Pixels

SEEDS = st.integers(0, 10**6)


def correlation(a: Pixels, b: Pixels, sparse: bool = False, mirrored: bool = False) -> float:
    return float(correlations(a[None], b[None], sparse, 0, mirrored)[0])


def test_hashes_are_the_same_numbers_on_every_machine() -> None:
    x, y = np.meshgrid(np.arange(64), np.arange(48))
    taken = fingerprint(np.dstack([x * 4, y * 5, (x * y) % 256]).astype(np.uint8))
    assert taken.hashes.tolist() == [
        3442842559739982,
        65004594657286,
        3443117437644878,
        47343957702958,
        56209039030486,
        3328662937526,
        3442842559739982,
        56208971921622,
        3443117437646926,
        47343957702958,
    ]
    assert int(MIRROR) == 11725233174763952680


@given(SEEDS)
def test_a_mirror_flips_known_bits(seed: int) -> None:
    pixels = picture(seed, 64, 64)
    one, other = fingerprint(pixels), fingerprint(pixels[:, ::-1])
    for view in (0, 1):
        apart = one.hashes[view] ^ MIRROR ^ other.hashes[view]
        assert int(apart).bit_count() <= 2  # a coefficient of 0 has no sign
    assert int(MIRROR).bit_count() > 24


@given(SEEDS)
def test_the_hash_of_a_view_is_near_that_of_the_part_it_shows(seed: int) -> None:
    pixels = picture(seed, 96, 96)
    whole = fingerprint(pixels)
    for (rows, columns), hashed in zip(VIEWS, whole.hashes, strict=True):
        part = pixels[rows.start * 3 : rows.stop * 3, columns.start * 3 : columns.stop * 3]
        assert int(hashed ^ fingerprint(part).hashes[0]).bit_count() <= 8


@given(SEEDS, SEEDS, st.booleans())
def test_correlation_is_symmetric_and_bounded(one: int, other: int, sparse: bool) -> None:
    a, b = (fingerprint(picture(seed)).thumbnail for seed in (one, other))
    assert correlation(a, a, sparse) == pytest.approx(1)
    assert correlation(a, a[:, ::-1], sparse, mirrored=True) == pytest.approx(1)
    assert correlation(a, b, sparse) == pytest.approx(correlation(b, a, sparse))
    assert abs(correlation(a, b, sparse)) <= 1 + 1e-12


@given(SEEDS, st.floats(0.5, 1), st.integers(0, 60))
def test_correlation_is_blind_to_brightness_and_contrast(
    seed: int, contrast: float, brightness: int
) -> None:
    thumbnail = fingerprint(picture(seed)).thumbnail
    changed = np.clip(thumbnail * contrast + brightness * (1 - contrast), 0, 255).astype(np.uint8)
    assert correlation(thumbnail, changed) > 0.999


def test_coarse_correlation_is_that_of_pixels_without_high_frequencies() -> None:
    x, y = np.meshgrid(np.arange(32), np.arange(32))
    grey = 128 + 50 * np.cos((2 * x + 1) * 3 * np.pi / 64) + 20 * np.cos((2 * y + 1) * np.pi / 64)
    fine = 30 * np.cos((2 * x + 1) * 20 * np.pi / 64)
    low, high = (np.dstack([v] * 3).round().astype(np.uint8) for v in (grey, grey + fine))
    assert correlation(low, high) > 0.999
    assert correlation(low, high, sparse=True) < 0.5
    other = np.dstack([128 + 20 * np.cos((2 * y + 1) * np.pi / 64)] * 3).round().astype(np.uint8)
    assert correlation(low, other) == pytest.approx(20 / np.hypot(50, 20), abs=0.2)


@given(SEEDS, st.integers(0, 24), st.integers(0, 24), st.integers(0, 2**24 - 1))
def test_what_is_laid_over_a_small_part_changes_little(
    seed: int, top: int, left: int, colour: int
) -> None:
    thumbnail = fingerprint(picture(seed)).thumbnail
    overlaid, half = thumbnail.copy(), thumbnail.copy()
    overlaid[top : top + 8, left : left + 8] = np.array([colour]).astype(">u4").view(np.uint8)[1:]
    half[top // 2 : top // 2 + 20, :] = fingerprint(picture(seed + 1)).thumbnail[:20]
    assert correlation(thumbnail, overlaid) > 0.97
    assert correlation(thumbnail, half) < 0.9


def test_flat_pictures_correlate_with_nothing() -> None:
    flat, full = fingerprint(plain((9, 90, 200))), fingerprint(picture(0))
    assert flat.flat
    assert not full.flat
    assert correlation(flat.thumbnail, flat.thumbnail) == 0
    assert correlation(flat.thumbnail, full.thumbnail) == 0


def test_a_few_things_on_plain_ground_are_sparse() -> None:
    pixels = plain((255, 255, 255))
    pixels[10:16, 20:50] = 0
    assert fingerprint(pixels).sparse
    assert not fingerprint(picture(0)).sparse


def test_exact_names_the_stored_file() -> None:
    image = Image.fromarray(picture(0))
    one, other = fingerprints.fingerprint(image, b"one"), fingerprints.fingerprint(image, b"other")
    assert one.exact != other.exact
    assert one.exact == fingerprints.fingerprint(Image.fromarray(picture(1)), b"one").exact
