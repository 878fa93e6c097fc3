"""Exclusion of duplicates: of copies of a picture one is kept, and none where their labels differ.

Being duplicates is not transitive: each frame of a slow pan is a duplicate of the next, and the
last shows another place than the first. So a file is excluded only for one that it duplicates
itself.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np

from realart.data import near_duplicates
from realart.data.fingerprints import Fingerprints
from realart.data.near_duplicates import Edges

ExclusionReason = Literal["duplicate", "contradictory labels"]

CompareFunction = Callable[[int, Sequence[int]], tuple[list[bool], list[float]]]
"""Compares a picture with others: returns which are its duplicates, and their correlations."""


class Exclusion(NamedTuple):
    """The reason why a picture is excluded, and the number of the picture that it duplicates."""

    reason: ExclusionReason
    twin: int


def find_exclusions(
    fingerprints: Fingerprints,
    edges: Edges,
    labels: Sequence[str],
    ranks: Sequence[tuple[Any, ...]],
    duplicate: float,
) -> dict[int, Exclusion]:
    """Return the pictures to exclude, by their numbers; all others are to be kept.

    A picture that duplicates one of another label is excluded, and so is that one. Of the others
    the one of the lowest rank is kept; then, while some duplicate none that is kept, the one that
    is farthest from these (Gonzalez, "Clustering to Minimize the Maximum Intercluster Distance",
    1985), so that both ends of a chain stay.

    Parameters
    ----------
    fingerprints
        Those of n pictures.
    edges
        Their near-duplicates, from `near_duplicates.forest`.
    labels, ranks
        The label and the rank of each picture.
    duplicate
        The correlation from which two pictures are duplicates.
    """
    strong = edges[edges[:, 2] >= duplicate]
    known = {(int(i), int(j)) for i, j, _ in strong} | {(int(j), int(i)) for i, j, _ in strong}

    def compare(picture: int, others: Sequence[int]) -> tuple[list[bool], list[float]]:
        same, similarity = np.full(len(others), True), np.ones(len(others))
        unknown = np.array([(picture, other) not in known for other in others], np.bool_)
        same[unknown], similarity[unknown] = near_duplicates.compare_with(
            fingerprints, picture, np.array(others)[unknown], duplicate
        )
        return same.tolist(), similarity.tolist()

    exclusions: dict[int, Exclusion] = {}
    for members in _components(len(fingerprints), strong):
        members.sort(key=lambda i: ranks[i])
        exclusions |= _contradictions(members, labels, compare)
        exclusions |= _duplicates([i for i in members if i not in exclusions], compare)
    return exclusions


def _contradictions(
    members: Sequence[int], labels: Sequence[str], compare: CompareFunction
) -> dict[int, Exclusion]:
    """Return the exclusions of `members` that duplicate one of another label."""
    exclusions = {}
    for i in members:
        others = [other for other in members if labels[other] != labels[i]]
        start, size = 0, 1
        while start < len(others) and i not in exclusions:  # of many copies the first is a match
            block = others[start : start + size]
            same, _ = compare(i, block)
            if True in same:
                exclusions[i] = Exclusion("contradictory labels", block[same.index(True)])
            start, size = start + size, 2 * size
    return exclusions


def _duplicates(members: Sequence[int], compare: CompareFunction) -> dict[int, Exclusion]:
    """Return the exclusions of `members` that duplicate one that is kept; the first is kept."""
    exclusions: dict[int, Exclusion] = {}
    nearest = dict.fromkeys(members, -1.0)
    while nearest:
        kept = min(nearest, key=lambda i: nearest[i])  # of equally far ones the first
        del nearest[kept]
        if rest := list(nearest):
            for i, same, score in zip(rest, *compare(kept, rest), strict=True):
                if same:
                    exclusions[i] = Exclusion("duplicate", kept)
                    del nearest[i]
                else:
                    nearest[i] = max(nearest[i], score)
    return exclusions


def _components(count: int, edges: Edges) -> Iterator[list[int]]:
    """Yield the pictures of each connected component that has more than one."""
    members: dict[int, list[int]] = defaultdict(list)
    for index, number in enumerate(near_duplicates.components(count, edges).tolist()):
        members[number].append(index)
    return (component for component in members.values() if len(component) > 1)
