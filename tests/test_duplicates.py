"""Near-duplicates are found however they were saved, and nothing else is."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from making import KNOBS, file, picture, plain
from PIL import Image

from realart import pictures
from realart.duplicates import HASH_RADIUS, components, correlation, fingerprint, pairs
from realart.pictures import Pixels

SIMILAR = KNOBS.clean.similar
DUPLICATE = KNOBS.clean.duplicate
SEEDS = st.integers(0, 10**6)


def found(images: list[Pixels], similar: float = SIMILAR) -> set[tuple[int, int]]:
    rows = pairs([fingerprint(image) for image in images], similar)
    return {(int(i), int(j)) for i, j, _ in rows}


def resized(pixels: Pixels, scale: float) -> Pixels:
    height, width = (round(side * scale) for side in pixels.shape[:2])
    return np.asarray(Image.fromarray(pixels).resize((width, height), Image.Resampling.LANCZOS))


@given(SEEDS, st.integers(40, 95), st.sampled_from(["JPEG", "WEBP"]))
def test_a_picture_saved_again_is_a_duplicate(seed: int, quality: int, kind: str) -> None:
    pixels = picture(seed)
    assert found([pixels, pictures.read(file(pixels, kind, quality=quality))], DUPLICATE)


@given(SEEDS, st.floats(0.25, 2))
def test_a_resized_picture_is_a_duplicate(seed: int, scale: float) -> None:
    pixels = picture(seed, 200, 160)
    assert found([pixels, resized(pixels, scale)], DUPLICATE)


@given(SEEDS, st.booleans())
def test_a_mirrored_picture_is_a_duplicate(seed: int, first: bool) -> None:
    both = [picture(seed), picture(seed)[:, ::-1]]
    assert found(both if first else both[::-1], DUPLICATE)


@given(st.lists(SEEDS, min_size=2, max_size=8, unique=True))
def test_different_pictures_are_no_pair(seeds: list[int]) -> None:
    assert not found([picture(seed) for seed in seeds])


def test_flat_pictures_pair_only_if_they_are_equal() -> None:
    colours = [(0, 0, 0), (255, 255, 255), (0, 0, 0), (0, 0, 1)]
    assert found([plain(colour) for colour in colours]) == {(0, 2)}
    assert not found([plain((0, 0, 0), 96, 80), plain((0, 0, 0), 80, 96)])


def test_nearly_flat_pictures_are_flat() -> None:
    faint = np.repeat(np.repeat(np.arange(4, dtype=np.uint8), 24)[None, :, None], 80, 0)
    one, other = plain((50, 50, 50)) + faint, plain((200, 200, 200)) + faint
    assert not found([one, other])
    assert found([one, one.copy()]) == {(0, 1)}


@settings(max_examples=30)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 4)), max_size=9))
def test_pairs_are_those_of_comparing_all_with_all(chosen: list[tuple[int, int]]) -> None:
    def version(seed: int, change: int) -> Pixels:
        pixels = picture(seed)
        return [
            pixels,
            pixels[:, ::-1].copy(),
            resized(pixels, 0.5),
            pixels // 2,
            pictures.read(file(pixels, "JPEG", quality=60)),
        ][change]

    prints = [fingerprint(version(*choice)) for choice in chosen]
    rows = pairs(prints, SIMILAR)
    expected = {
        (i, j): correlation(prints[i].thumbnail, prints[j].thumbnail)
        for i, j in combinations(range(len(prints)), 2)
    }
    expected = {pair: score for pair, score in expected.items() if score >= SIMILAR}
    assert len({(i, j) for i, j, _ in rows}) == len(rows)
    assert {(int(i), int(j)): score for i, j, score in rows} == pytest.approx(expected)


@given(SEEDS, SEEDS)
def test_correlation_is_symmetric_bounded_and_blind_to_mirrors(one: int, other: int) -> None:
    a, b = (fingerprint(picture(seed)).thumbnail for seed in (one, other))
    assert correlation(a, a) == pytest.approx(1)
    assert correlation(a, a[:, ::-1]) == pytest.approx(1)
    assert correlation(a, b) == pytest.approx(correlation(b, a))
    assert -1 <= correlation(a, b) <= 1 + 1e-12


@given(SEEDS)
def test_the_mirrored_hash_is_the_hash_of_the_mirrored_picture(seed: int) -> None:
    pixels = picture(seed)
    one, other = fingerprint(pixels), fingerprint(pixels[:, ::-1])
    assert (one.hash ^ other.mirrored).bit_count() <= 2  # the thumbnail rounds
    assert (one.hash ^ one.mirrored).bit_count() > HASH_RADIUS


def test_a_hash_is_the_same_number_on_every_machine() -> None:
    x, y = np.meshgrid(np.arange(64), np.arange(48))
    pixels = np.dstack([x * 4, y * 5, (x * y) % 256]).astype(np.uint8)
    taken = fingerprint(pixels)
    assert taken.hash == 9224250818276391281
    assert taken.mirrored == 15372556199005072676


@given(st.data(), st.integers(1, 15))
def test_components_are_those_of_joining_edge_by_edge(data: st.DataObject, count: int) -> None:
    node = st.integers(0, count - 1)
    edges = data.draw(st.lists(st.tuples(node, node), max_size=20))
    of = list(range(count))
    for i, j in edges:
        of = [of[j] if number == of[i] else number for number in of]
    rows = np.array([(i, j, 1.0) for i, j in edges], float).reshape(-1, 3)
    numbers = components(count, rows)
    for i, j in combinations(range(count), 2):
        assert (numbers[i] == numbers[j]) == (of[i] == of[j])
