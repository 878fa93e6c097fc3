"""Similarity: invariant to saving and brightness, sensitive to parts that differ."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from making import fingerprint, picture, plain

from realart.data.pictures import Pixels
from realart.data.similarity import agreement, correlations, sparse_correlations

SEEDS = st.integers(0, 10**6)


def correlation(a: Pixels, b: Pixels, sparse: bool = False) -> float:
    return float((sparse_correlations if sparse else correlations)(a[None], b[None])[0])


@given(SEEDS, SEEDS, st.booleans())
def test_correlation_is_symmetric_and_bounded(one: int, other: int, sparse: bool) -> None:
    a, b = (fingerprint(picture(seed)).thumbnail for seed in (one, other))
    assert correlation(a, a, sparse) == pytest.approx(1)
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
def test_a_small_overlay_changes_correlation_little(
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


@given(SEEDS, st.integers(8, 10))
def test_parts_agree_once_a_movement_is_taken_out(seed: int, rows: int) -> None:
    whole = picture(seed, 200, 160)
    one, other = (fingerprint(part).thumbnail for part in (whole[:-rows], whole[rows:]))
    assert agreement(one[None], other[None])[0] > 0.8


@given(SEEDS, st.floats(0.4, 0.6))
def test_a_differing_part_lowers_agreement(seed: int, share: float) -> None:
    one = fingerprint(picture(seed)).thumbnail
    other = one.copy()
    rows = round(32 * share)
    other[:rows] = fingerprint(picture(seed + 1)).thumbnail[:rows]
    assert agreement(one[None], one[None])[0] > 0.9
    assert agreement(one[None], other[None])[0] < 0.67


@given(SEEDS)
def test_a_grey_copy_is_similar(seed: int) -> None:
    thumbnail = fingerprint(picture(seed)).thumbnail
    grey = thumbnail @ np.array([0.299, 0.587, 0.114])
    grey = np.repeat(grey[..., None], 3, 2).round().astype(np.uint8)
    assert correlation(thumbnail, grey) > 0.99
    assert agreement(thumbnail[None], grey[None])[0] > 0.6


def test_backdrops_are_no_evidence() -> None:
    ramp = np.linspace(0, 255, 32)[:, None, None].repeat(32, 1).repeat(3, 2).astype(np.uint8)
    assert correlation(ramp, ramp) == pytest.approx(1)
    assert agreement(ramp[None], ramp[None])[0] == 0
