"""Changes have the effect of their name, and grow with their strength."""

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from realart.data import perturbations
from realart.data.perturbations import Change
from realart.evaluation.robustness import STRENGTHS

EVERY = [Change(name, strength) for name, values in STRENGTHS.items() for strength in values]
RESHAPING = ("crop", "screenshot", "corner", "letterbox", "collage")
KEEPING = [change for change in EVERY if change.name not in RESHAPING]


def art(seed: int = 0) -> Image.Image:
    """Return a picture with both smooth areas and detail."""
    generator = np.random.default_rng(seed)
    smooth = Image.fromarray(generator.integers(0, 256, (9, 12, 3), np.uint8))
    large = np.asarray(smooth.resize((240, 180), Image.Resampling.BICUBIC), np.float32)
    return Image.fromarray(
        np.clip(large + generator.normal(0, 6, large.shape), 0, 255).astype("u1")
    )


def apart(first: Image.Image, second: Image.Image) -> float:
    difference = np.asarray(first, np.float32) - np.asarray(second, np.float32)
    return float(np.sqrt((difference**2).mean()))


@pytest.mark.parametrize("change", EVERY, ids=str)
def test_a_change_is_visible_and_reproducible(change: Change) -> None:
    image = art()
    before = np.array(image)
    changed = change(image)
    assert changed.mode == "RGB"
    np.testing.assert_array_equal(np.asarray(change(image)), np.asarray(changed))
    np.testing.assert_array_equal(np.asarray(image), before)
    if change in KEEPING:
        assert changed.size == image.size
        assert 0.5 < apart(changed, image) < 70


@pytest.mark.parametrize("name", ["jpeg", "webp", "resize", "blur", "noise"])
def test_the_mildest_comes_first(name: str) -> None:
    image = art()
    harm = [apart(change(image), image) for change in EVERY if change.name == name]
    assert harm == sorted(harm)
    assert harm[-1] > harm[0] * 1.05


def test_jpeg_equals_saving_a_file() -> None:
    buffer = io.BytesIO()
    art().save(buffer, "JPEG", quality=60, subsampling=2)
    expected = np.asarray(Image.open(buffer))
    np.testing.assert_array_equal(np.asarray(Change("jpeg", 60)(art())), expected)


@pytest.mark.parametrize("change", EVERY, ids=str)
def test_no_picture_is_too_wide(change: Change) -> None:
    """WebP itself holds at most 16,383 pixels a side."""
    most = perturbations.LARGEST / (change.strength if change.name == "collage" else 1)
    assert max(change(Image.new("RGB", (17_000, 64), (90, 120, 30))).size) <= round(most)


def test_a_crop_is_the_middle() -> None:
    image = art()
    np.testing.assert_array_equal(
        np.asarray(Change("crop", 0.75)(image)), np.asarray(image)[22:157, 30:210]
    )


SIZES = st.tuples(st.integers(1, 90), st.integers(1, 90))
SHARES = st.floats(0.05, 0.8)


def solid(size: tuple[int, int], seed: int) -> Image.Image:
    """Return a picture of noise without black, so that bars differ from it."""
    generator = np.random.default_rng(seed)
    return Image.fromarray(generator.integers(1, 256, (*size[::-1], 3), np.uint8))


@given(SIZES, SHARES)
def test_a_cut_corner_leaves_the_corner_that_is_opposite(
    size: tuple[int, int], share: float
) -> None:
    image = solid(size, 0)
    left = np.asarray(Change("corner", share)(image))
    assert left.shape[:2] == tuple(max(1, round(side * (1 - share))) for side in size[::-1])
    np.testing.assert_array_equal(left, np.asarray(image)[: left.shape[0], : left.shape[1]])


@given(SIZES, SHARES)
def test_a_letterbox_is_the_picture_between_bars(size: tuple[int, int], share: float) -> None:
    """Bars are equal, of the share that is given, and lie along the longer sides."""
    image = solid(size, 1)
    framed = np.asarray(Change("letterbox", share)(image))
    if size[0] < size[1]:
        framed = framed.transpose(1, 0, 2)
    rows = framed.any(axis=(1, 2))
    (inside,) = np.nonzero(rows)
    picture = framed[rows] if size[0] >= size[1] else framed[rows].transpose(1, 0, 2)
    np.testing.assert_array_equal(picture, np.asarray(image))
    assert 1 - rows.mean() == pytest.approx(share, abs=0.5 / len(rows) + 1e-9)
    assert 0 <= (len(rows) - 1 - inside[-1]) - inside[0] <= 1


@given(SIZES, st.sampled_from(STRENGTHS["collage"]))
def test_nothing_of_a_collage_but_the_picture_depends_on_the_picture(
    size: tuple[int, int], share: float
) -> None:
    pages = []
    for seed in (2, 3):
        image = solid(size, seed)
        page = np.array(Change("collage", share)(image))
        assert page.shape[:2] == (size[1], round(size[0] / share))
        np.testing.assert_array_equal(page[:, : size[0]], np.asarray(image))
        pages.append(page[:, size[0] :])
    np.testing.assert_array_equal(*pages)
    assert (pages[0] == pages[0][..., :1]).all()


def test_a_caption_has_words_on_paper() -> None:
    beside = np.asarray(Change("collage", 0.5)(art()))[:, art().width :, 0]
    caption = beside[len(beside) // 2 :]
    assert set(np.unique(caption)) == {perturbations.INK, perturbations.PAPER}
    assert 0.2 < (caption == perturbations.INK).mean() < 0.6


@given(SIZES, st.integers(1, 120))
def test_a_thumbnail_is_never_larger(size: tuple[int, int], long_side: int) -> None:
    image = solid(size, 4)
    small = Change("thumbnail", long_side)(image)
    assert max(small.size) == min(max(size), long_side)
    if max(size) <= long_side:
        np.testing.assert_array_equal(np.asarray(small), np.asarray(image))


def test_levels_colour_and_noise_follow_the_strength() -> None:
    flat = Image.new("RGB", (200, 200), (100, 50, 200))
    assert np.asarray(Change("brightness", 1.25)(flat))[0, 0].tolist() == [125, 62, 250]
    assert len(set(np.asarray(Change("grey", 1)(flat))[0, 0].tolist())) == 1
    noisy = np.asarray(Change("noise", 4)(Image.new("RGB", (200, 200), (128,) * 3)), np.float32)
    assert noisy.std() == pytest.approx(4, rel=0.02)


def test_shrunk_stays_small_and_resized_does_not() -> None:
    image = art()
    small = Change("shrink", 0.5)(image)
    assert small.size == (image.width // 2, image.height // 2)
    enlarged = small.resize(image.size, Image.Resampling.BICUBIC)
    np.testing.assert_array_equal(np.asarray(enlarged), np.asarray(Change("resize", 0.5)(image)))
