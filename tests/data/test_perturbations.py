"""Changes have the effect of their name, and grow with their strength."""

import io

import numpy as np
import pytest
from PIL import Image

from realart.data import perturbations
from realart.data.perturbations import Change
from realart.evaluation.robustness import STRENGTHS

EVERY = [Change(name, strength) for name, values in STRENGTHS.items() for strength in values]
KEEPING = [change for change in EVERY if change.name not in ("crop", "screenshot")]


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
    assert max(change(Image.new("RGB", (17_000, 64), (90, 120, 30))).size) <= perturbations.LARGEST


def test_a_crop_is_the_middle() -> None:
    image = art()
    np.testing.assert_array_equal(
        np.asarray(Change("crop", 0.75)(image)), np.asarray(image)[22:157, 30:210]
    )


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
