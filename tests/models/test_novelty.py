"""Pictures unlike all references are found, and hardly any of their own kind."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from making import picture
from PIL import Image

from realart.features import forensic
from realart.models import novelty
from realart.models.novelty import NoveltyDetector

WIDTH = sum(forensic.FAMILIES[name].size for name in novelty.FAMILIES)


def vectors(count: int, seed: int, shift: float = 0.0) -> np.ndarray:
    random = np.random.default_rng(seed)
    latent = random.normal(size=(count, 6)) + shift
    mixing = np.random.default_rng(0).normal(size=(6, WIDTH))
    return (latent @ mixing + random.normal(size=(count, WIDTH)) / 10).astype(np.float32)


@given(st.integers(2, 5), st.integers(0, 9))
def test_of_further_pictures_of_the_kind_few_are_novel(folds: int, seed: int) -> None:
    detector = novelty.fit(vectors(300, seed), np.arange(300) % folds)
    assert detector.novel(vectors(200, seed + 100)).mean() <= 0.08  # 0.03, and chance
    assert detector.novel(vectors(200, seed, shift=9.0)).all()


@given(st.integers(20, 60), st.integers(0, 9))
def test_pictures_like_those_of_an_extension_are_known(count: int, seed: int) -> None:
    detector = novelty.fit(vectors(300, seed), np.arange(300) % 4)
    added = vectors(count, seed + 50, shift=9.0)
    extended = detector.extended(added)
    assert detector.novel(added).all()
    further = vectors(200, seed + 100, shift=9.0)
    assert extended.novel(further).mean() < detector.novel(further).mean() / 4
    assert extended.novel(vectors(200, seed + 200, shift=40.0)).all()
    own = vectors(200, seed + 300)
    assert not (extended.novel(own) & ~detector.novel(own)).any()


def test_a_kind_that_is_one_fold_counts_as_known() -> None:
    kinds = np.concatenate([vectors(100, 1), vectors(100, 2, shift=9.0)])
    apart = novelty.fit(kinds, np.repeat([0, 1], 100))
    mixed = novelty.fit(kinds, np.arange(200) % 2)
    assert apart.limit > 5 * mixed.limit


def test_distances_are_those_to_the_nearest_references() -> None:
    references = np.array([[0.0], [1.0], [3.0]], np.float32)
    scaling = {name: np.array([value], np.float32) for name, value in
               {"mean": 0.0, "spread": 1.0, "share": 1.0}.items()}  # fmt: skip
    detector = NoveltyDetector(scaling, references, limit=1.0)
    np.testing.assert_allclose(detector.distances(np.array([[0.0], [2.0]])), [4 / 3, 4 / 3])
    many = NoveltyDetector(scaling, np.arange(100, dtype=np.float32)[:, None], limit=1.0)
    np.testing.assert_allclose(many.distances(np.array([[0.0]], np.float32)), [4.5])


def test_a_detector_is_stored_whole(tmp_path: Path) -> None:
    assert NoveltyDetector.load(tmp_path) is None
    detector = novelty.fit(vectors(50, 3), np.arange(50) % 3)
    detector.save(tmp_path)
    loaded = NoveltyDetector.load(tmp_path)
    assert loaded
    new = vectors(20, 4, shift=1.0)
    np.testing.assert_array_equal(loaded.distances(new), detector.distances(new))
    assert loaded.limit == detector.limit
    stored = (tmp_path / novelty.FILE).read_bytes()
    loaded.save(tmp_path)
    assert (tmp_path / novelty.FILE).read_bytes() == stored


@pytest.mark.parametrize("side", [8, 64, 200])
def test_a_stored_picture_is_measured_as_the_one_that_is_given(tmp_path: Path, side: int) -> None:
    image = Image.fromarray(picture(3, side, side))
    path = tmp_path / "picture.png"
    image.save(path)
    measured = novelty.measure_files([path])
    assert measured.shape == (1, WIDTH)
    np.testing.assert_array_equal(measured[0], novelty.measure(image))
