"""Near-duplicates are found however they were saved, and other pictures are not."""

import tracemalloc
from collections import Counter
from itertools import combinations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from making import PARAMS, decoded, file, fingerprint, picture, plain
from PIL import Image, ImageDraw

from realart.data import near_duplicates
from realart.data.fingerprints import (
    Fingerprint,
    Fingerprints,
    Orientation,
    orient_hashes,
    orient_thumbnails,
)
from realart.data.near_duplicates import (
    AGREEING,
    FEW,
    ORIENTATIONS,
    PARTLY,
    SEARCHES,
    components,
    forest,
    pairs,
    score_pairs,
)
from realart.data.pictures import Pixels

pytestmark = pytest.mark.slow

SIMILAR = PARAMS.clean.similar
DUPLICATE = PARAMS.clean.duplicate
SEEDS = st.integers(0, 10**6)
RNG = np.random.default_rng(0)
SEARCHED = settings(max_examples=20)
"""A search among two pictures takes as long as one among a thousand: 50 ms."""


def found(images: list[Pixels], similar: float = SIMILAR) -> set[tuple[int, int]]:
    rows = forest(Fingerprints(map(fingerprint, images)), similar)
    return {(int(i), int(j)) for i, j, _ in rows}


def resized(pixels: Pixels, scale: float) -> Pixels:
    height, width = (round(side * scale) for side in pixels.shape[:2])
    return np.asarray(Image.fromarray(pixels).resize((width, height), Image.Resampling.LANCZOS))


def compared(prints: list[Fingerprint], similar: float) -> np.ndarray:
    """Return the pairs of the docstring of `forest`, each compared directly."""
    best, parts = {}, {}
    for i, j in combinations(range(len(prints)), 2):
        scores = [1.0] if prints[i].exact == prints[j].exact else []
        for search in SEARCHES:
            for a, b in ((prints[i], prints[j]), (prints[j], prints[i])):
                hashed = orient_hashes(a.hashes[[search.view]], search.orientation)[0]
                apart = int(hashed ^ b.hashes[0]).bit_count()
                sparse = a.sparse or b.sparse
                if apart <= search.radius and not (a.flat or b.flat or (sparse and search.view)):
                    both = np.array([a.thumbnail, b.thumbnail])
                    pair = np.array([0]), np.array([1])
                    (score,), (agreement,) = score_pairs(both, *pair, search, sparse, similar)
                    if agreement >= AGREEING:
                        scores.append(score)
                    elif score >= similar:
                        parts[i, j] = max(agreement, parts.get((i, j), -1))
        best[i, j] = max(scores, default=-1)
    rows = [(i, j, score) for (i, j), score in best.items() if score >= similar]
    groups = components(len(prints), np.array(rows, float).reshape(-1, 3))
    parts = {(i, j): level for (i, j), level in parts.items() if groups[i] != groups[j]}
    crowd = Counter(k for pair in parts for k in pair)
    rows += [
        (i, j, min(level, np.nextafter(similar, -1)))
        for (i, j), level in parts.items()
        if level >= PARTLY and max(crowd[i], crowd[j]) <= FEW
    ]
    return np.array(rows, float).reshape(-1, 3)


@SEARCHED
@given(SEEDS, st.integers(40, 95), st.sampled_from(["JPEG", "WEBP"]))
def test_a_picture_saved_again_is_a_duplicate(seed: int, quality: int, kind: str) -> None:
    pixels = picture(seed)
    assert found([pixels, decoded(file(pixels, kind, quality=quality))], DUPLICATE)


@SEARCHED
@given(SEEDS, st.floats(0.25, 2))
def test_a_resized_picture_is_a_duplicate(seed: int, scale: float) -> None:
    pixels = picture(seed, 200, 160)
    assert found([pixels, resized(pixels, scale)], DUPLICATE)


@SEARCHED
@given(SEEDS, st.booleans())
def test_a_mirrored_picture_is_a_duplicate(seed: int, first: bool) -> None:
    both = [picture(seed), picture(seed)[:, ::-1]]
    assert found(both if first else both[::-1], DUPLICATE)


@given(SEEDS, st.sampled_from([0.02, 0.05]), st.sampled_from("cltrb"), st.booleans())
def test_a_lightly_cropped_picture_is_related(
    seed: int, share: float, side: str, first: bool
) -> None:
    pixels = picture(seed, 200, 160)
    height, width = (round(side * share) for side in pixels.shape[:2])
    part = {
        "c": pixels[height // 2 : -height // 2, width // 2 : -width // 2],
        "l": pixels[:, width:],
        "t": pixels[height:],
        "r": pixels[:, :-width],
        "b": pixels[:-height],
    }[side]
    assert found([pixels, part] if first else [part, pixels])


@SEARCHED
@given(SEEDS, st.floats(0.75, 1.25))
def test_a_brighter_or_darker_picture_is_related(seed: int, factor: float) -> None:
    pixels = picture(seed)
    assert found([pixels, np.clip(pixels * factor, 0, 255).astype(np.uint8)])


@SEARCHED
@given(SEEDS)
def test_a_picture_with_a_caption_below_is_related(seed: int) -> None:
    pixels = picture(seed, 200, 160)
    assert found([pixels, np.concatenate([pixels, plain((255, 255, 255), 200, 10)])])


@SEARCHED
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


def text() -> Pixels:
    image = Image.new("RGB", (160, 128), "white")
    letters = "".join(RNG.choice(list("abcdefgh"), 8))
    ImageDraw.Draw(image).text((int(RNG.integers(60)), int(RNG.integers(100))), letters, "black")
    return np.asarray(image)


def disc() -> Pixels:
    image = Image.new("RGB", (160, 128), tuple(RNG.integers(200, 256, 3).tolist()))
    x, y, r = (int(RNG.integers(low, high)) for low, high in ((20, 140), (20, 108), (6, 20)))
    colour = tuple(RNG.integers(0, 200, 3).tolist())
    ImageDraw.Draw(image).ellipse((x - r, y - r, x + r, y + r), colour)
    return np.asarray(image)


def gradient() -> Pixels:
    x, y = np.meshgrid(np.linspace(-1, 1, 160), np.linspace(-1, 1, 128))
    angle = RNG.uniform(0, 2 * np.pi)
    share = ((x * np.cos(angle) + y * np.sin(angle)) / 2.9 + 0.5)[..., None]
    one, other = RNG.integers(0, 256, (2, 3))
    return (one * (1 - share) + other * share).clip(0, 255).astype(np.uint8)


def grain() -> Pixels:
    return (
        (RNG.integers(30, 220, 3) + RNG.normal(0, 8, (128, 160, 3))).clip(0, 255).astype(np.uint8)
    )


@pytest.mark.parametrize("draw", [text, disc, gradient, grain])
def test_pictures_of_little_detail_do_not_chain(draw: object) -> None:
    prints = [fingerprint(draw()) for _ in range(150)]  # type: ignore[operator]
    edges = forest(Fingerprints(prints), SIMILAR)
    assert np.bincount(components(len(prints), edges)).max() <= 5


@SEARCHED
@given(st.sampled_from([text, disc]), st.sampled_from([1, 0.5, 1.5]))
def test_copies_of_sparse_pictures_are_found(draw: object, scale: float) -> None:
    pixels = draw()  # type: ignore[operator]
    assert found([pixels, decoded(file(resized(pixels, scale), "JPEG", quality=80))])


PLACES = [(0.1, 0.1), (0.5, 0.5), (0.9, 0.9), (0.1, 0.9), (0.9, 0.1)]


def frames(seed: int) -> list[Pixels]:
    """Move a figure of a quarter of each side to all `PLACES` before the picture of a seed."""
    found = []
    for place in PLACES:
        pixels = picture(seed).copy()
        side = min(pixels.shape[:2]) // 4
        height, width = pixels.shape[:2]
        y, x = round(place[0] * (height - side)), round(place[1] * (width - side))
        figure = Image.fromarray(picture(1001)).resize((side, side))
        pixels[y : y + side, x : x + side] = np.asarray(figure)
        found.append(pixels)
    return found


def test_frames_of_a_scene_are_related_but_no_duplicates() -> None:
    prints = Fingerprints(map(fingerprint, frames(39)[: FEW + 1]))
    edges = forest(prints, SIMILAR)
    assert len(edges) == FEW
    assert (edges[:, 2] >= PARTLY).all()
    assert (edges[:, 2] < SIMILAR).all()
    assert (forest(prints, 0.2)[:, 2] < 0.2).all()


def test_parts_that_many_share_relate_none() -> None:
    assert len(frames(39)) == FEW + 2
    assert not found(frames(39))


CHOSEN = st.lists(st.tuples(st.sampled_from([0, 4, 39]), st.integers(0, 9)), max_size=9)


def version(seed: int, change: int) -> Pixels:
    pixels = picture(seed)
    return [
        pixels,
        pixels[:, ::-1].copy(),
        resized(pixels, 0.5),
        pixels // 2,
        pixels[4:-4],
        plain((seed, 0, 0)),
        decoded(file(pixels, "JPEG", quality=60)),
        *frames(seed)[:3],
    ][change]


@SEARCHED
@given(CHOSEN, st.sampled_from([0.0, 0.5, SIMILAR]))
@example([(4, 7), (4, 9)], SIMILAR)
def test_the_forest_has_the_components_of_all_pairs(
    chosen: list[tuple[int, int]], similar: float
) -> None:
    prints = [fingerprint(version(*choice)) for choice in chosen]
    edges, pairs = forest(Fingerprints(prints), similar), compared(prints, similar)
    assert len(edges) == len(prints) - len(np.unique(components(len(prints), edges)))
    scores = {(i, j): score for i, j, score in pairs.tolist()}
    for i, j, score in edges.tolist():
        assert i < j
        assert score == pytest.approx(scores[i, j])
    for level in (similar, 0.6, SIMILAR, DUPLICATE, 1.0):
        of_forest, of_pairs = (
            components(len(prints), rows[rows[:, 2] >= level - 1e-9]) for rows in (edges, pairs)
        )
        assert partition(of_forest) == partition(of_pairs)


@SEARCHED
@given(CHOSEN, st.randoms(use_true_random=False))
def test_the_order_of_pictures_changes_nothing(
    chosen: list[tuple[int, int]], random: object
) -> None:
    prints = [fingerprint(version(*choice)) for choice in chosen]
    order = list(range(len(prints)))
    random.shuffle(order)  # type: ignore[attr-defined]
    plain_ = forest(Fingerprints(prints), SIMILAR)
    shuffled = forest(Fingerprints(prints[k] for k in order), SIMILAR)
    for level in (SIMILAR, DUPLICATE):
        one = components(len(prints), plain_[plain_[:, 2] >= level])
        other = np.empty_like(one)
        other[order] = components(len(prints), shuffled[shuffled[:, 2] >= level])
        assert partition(one) == partition(other)


def partition(numbers: np.ndarray) -> set[frozenset[int]]:
    return {frozenset(np.flatnonzero(numbers == number).tolist()) for number in set(numbers)}


def test_thinning_out_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    versions = [version(seed, change) for seed in range(4) for change in range(10)]
    prints = Fingerprints(map(fingerprint, versions))
    at_once = forest(prints, 0.0)
    monkeypatch.setattr(near_duplicates, "PENDING", 3)
    monkeypatch.setattr(near_duplicates, "COMPARED_AT_ONCE", 2)
    np.testing.assert_allclose(forest(prints, 0.0), at_once)


def test_thousands_of_equal_or_flat_pictures_take_no_pairs() -> None:
    same, flat = fingerprint(picture(0)), [fingerprint(plain((0, 0, k))) for k in range(200)]
    prints = [same] * 5000 + flat * 25
    assert not sum(len(block) for block in pairs(Fingerprints(prints[4990:5010]), -1))
    prints = Fingerprints(prints)
    tracemalloc.start()
    edges = forest(prints, SIMILAR)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(edges) == 4999 + 200 * 24
    assert peak < 32 * 2**20


def test_no_pictures_are_no_pairs() -> None:
    assert forest(Fingerprints(), SIMILAR).shape == (0, 3)
    assert forest(Fingerprints([fingerprint(plain((0, 0, 0)))]), SIMILAR).shape == (0, 3)


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


@SEARCHED
@given(SEEDS, st.sampled_from(ORIENTATIONS), st.integers(60, 95))
def test_a_turned_copy_is_a_duplicate(seed: int, orientation: Orientation, quality: int) -> None:
    pixels = picture(seed, 200, 160)
    copy = np.ascontiguousarray(orient_thumbnails(pixels[None], orientation)[0])
    assert found([pixels, decoded(file(copy, "JPEG", quality=quality))], DUPLICATE)


def matted(pixels: Pixels, level: int) -> Pixels:
    mat = plain((level, level, level), 400, 320)
    mat[80:240, 100:300] = pixels
    return mat


@SEARCHED
@given(SEEDS, st.sampled_from([0, 255]))
def test_a_picture_on_a_mat_is_the_same(seed: int, level: int) -> None:
    pixels = picture(seed, 200, 160) // 2 + 64
    assert found([pixels, matted(pixels, level)], DUPLICATE)


@pytest.mark.parametrize("kind", ["white mat", "black mat", "sky", "card", "window"])
def test_common_layouts_and_borders_make_no_pair(kind: str) -> None:
    share = np.linspace(0, 1, 160)[:, None, None]
    images = []
    for seed in range(40):
        if kind == "sky":
            pixels = ((1 - share) * (40, 80, 180) + share * (250, 200, 160)).repeat(200, 1)
            rng = np.random.default_rng(seed)
            y, x = rng.integers(10, 140), rng.integers(10, 180)
            pixels[y : y + 12, x : x + 12] = 250
            images.append(pixels.astype(np.uint8))
        elif kind.endswith("mat"):
            inside = picture(seed, 200, 160) // 2 + 64
            images.append(matted(inside, 255 if kind.startswith("white") else 0))
        else:
            frame = picture(10**6, 200, 160)
            wide = 100 if kind == "card" else 140
            frame[30:130, 20 : 20 + wide] = picture(seed, wide, 100)
            images.append(frame)
    assert not found(images)
