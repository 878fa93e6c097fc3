"""A picture is excluded only for one that it duplicates itself."""

from functools import cache
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from making import PARAMS, decoded, file, fingerprint, picture

from realart.data import near_duplicates
from realart.data.deduplication import Exclusion, find_exclusions
from realart.data.fingerprints import Fingerprints
from realart.data.pictures import Pixels

DUPLICATE, SIMILAR = PARAMS.clean.duplicate, PARAMS.clean.similar
FRAMES = 12


@cache
def frame(step: int, scene: int = 0) -> Pixels:
    """Return a frame of a slow blend from one picture into another."""
    first, second = (picture(2 * scene + end).astype(float) for end in (0, 1))
    return (first + (second - first) * step / (FRAMES - 1)).astype(np.uint8)


def exclusions(images: list[Pixels], labels: list[str]) -> dict[int, Exclusion]:
    prints = Fingerprints(map(fingerprint, images))
    ranks = [(number,) for number in range(len(images))]
    return find_exclusions(
        prints, near_duplicates.forest(prints, SIMILAR), labels, ranks, DUPLICATE
    )


def same(first: Pixels, second: Pixels) -> bool:
    prints = Fingerprints([fingerprint(first), fingerprint(second)])
    return bool(near_duplicates.compare_with(prints, 0, np.array([1]), DUPLICATE)[0][0])


@cache
def same_frames(first: tuple[int, int], second: tuple[int, int]) -> bool:
    return same(frame(*first), frame(*second))


@settings(max_examples=25)
@given(
    st.lists(
        st.tuples(st.integers(0, FRAMES - 1), st.integers(0, 1), st.sampled_from(["ai", "human"])),
        min_size=1,
        max_size=10,
    )
)
def test_each_excluded_picture_duplicates_its_twin(
    chosen: list[tuple[int, int, str]],
) -> None:
    frames = [(step, scene) for step, scene, _ in chosen]
    labels = [label for _, _, label in chosen]
    found = exclusions([frame(*key) for key in frames], labels)
    for i, exclusion in found.items():
        assert same_frames(frames[i], frames[exclusion.twin])
        if exclusion.reason == "duplicate":
            assert exclusion.twin not in found
            assert labels[i] == labels[exclusion.twin]
        else:
            assert labels[i] != labels[exclusion.twin]
    kept = [i for i in range(len(frames)) if i not in found]
    for i in kept:
        assert not any(same_frames(frames[i], frames[j]) for j in kept if j != i)
        assert not any(
            same_frames(frames[i], frames[j]) for j in range(len(frames)) if labels[j] != labels[i]
        )


@pytest.mark.parametrize("count", range(FRAMES - 4, FRAMES + 1))
def test_both_ends_of_a_chain_stay(count: int) -> None:
    images = [frame(step) for step in range(count)]
    for first, second in pairwise(images):
        assert same(first, second)
    assert not same(images[0], images[-1])
    found = exclusions(images, ["ai"] * count)
    assert 0 not in found
    assert count - 1 not in found
    assert found


def test_a_chain_to_the_other_label_loses_its_near_end() -> None:
    images = [frame(step) for step in range(FRAMES)]
    found = exclusions(images, ["human", *["ai"] * (FRAMES - 1)])
    assert found[0].reason == found[1].reason == "contradictory labels"
    assert FRAMES - 1 not in found


@pytest.mark.parametrize("labels", [("ai", "ai"), ("ai", "human")])
def test_many_copies_leave_one_or_none(labels: tuple[str, str]) -> None:
    pixels = picture(5)
    images = [decoded(file(pixels, "JPEG", quality=40 + 3 * number)) for number in range(16)]
    found = exclusions(images, [labels[number % 2] for number in range(16)])
    assert len(found) == (15 if len(set(labels)) == 1 else 16)
