"""Of copies of the same picture one is kept, and none where their labels differ.

Sameness does not carry over: frames of a slow pan are each the same as the next, and the last shows
another place than the first. So a file is left out only for a file that it is itself the same as.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np

from realart.data import near_duplicates
from realart.data.fingerprints import Fingerprints
from realart.data.near_duplicates import Edges

Reason = Literal["duplicate", "contradictory labels"]


Compare = Callable[[int, Sequence[int]], tuple[list[bool], list[float]]]
"""Says which of others are the same as one picture, and how alike each is."""


class LeftOut(NamedTuple):
    """Why a picture is left out, and the number of the one that it is the same as."""

    reason: Reason
    twin: int


def resolve(
    fingerprints: Fingerprints,
    edges: Edges,
    labels: Sequence[str],
    ranks: Sequence[tuple[Any, ...]],
    duplicate: float,
) -> dict[int, LeftOut]:
    """Say which pictures are left out; all others are kept.

    A picture that is the same as one of another label is left out, and so is that one. Of the
    others the one of the lowest rank is kept; then, while some are not the same as any that is
    kept, the one that is farthest from these (Gonzalez, "Clustering to Minimize the Maximum
    Intercluster Distance", 1985), so that both ends of a chain stay.

    Parameters
    ----------
    fingerprints
        Of n pictures.
    edges
        What `near_duplicates.forest` says of them.
    labels, ranks
        Of each picture.
    duplicate
        Correlation from which two pictures are the same.
    """
    strong = edges[edges[:, 2] >= duplicate]
    known = {(int(i), int(j)) for i, j, _ in strong} | {(int(j), int(i)) for i, j, _ in strong}

    def compare(one: int, others: Sequence[int]) -> tuple[list[bool], list[float]]:
        same, similarity = np.full(len(others), True), np.ones(len(others))
        looked_at = np.array([(one, other) not in known for other in others], np.bool_)
        same[looked_at], similarity[looked_at] = near_duplicates.compared(
            fingerprints, one, np.array(others)[looked_at], duplicate
        )
        return same.tolist(), similarity.tolist()

    left_out: dict[int, LeftOut] = {}
    for members in _components(len(fingerprints), strong):
        members.sort(key=lambda i: ranks[i])
        left_out |= _contradictions(members, labels, compare)
        left_out |= _duplicates([i for i in members if i not in left_out], compare)
    return left_out


def _contradictions(
    members: Sequence[int], labels: Sequence[str], compare: Compare
) -> dict[int, LeftOut]:
    found = {}
    for i in members:
        others = [other for other in members if labels[other] != labels[i]]
        start, size = 0, 1
        while start < len(others) and i not in found:  # of many copies the first is the same
            block = others[start : start + size]
            same, _ = compare(i, block)
            if True in same:
                found[i] = LeftOut("contradictory labels", block[same.index(True)])
            start, size = start + size, 2 * size
    return found


def _duplicates(members: Sequence[int], compare: Compare) -> dict[int, LeftOut]:
    """Choose which of `members`, the one to keep first, are the same as one that is kept."""
    found: dict[int, LeftOut] = {}
    nearest = dict.fromkeys(members, -1.0)
    while nearest:
        kept = min(nearest, key=lambda i: nearest[i])  # of equally far ones the first
        del nearest[kept]
        if rest := list(nearest):
            for i, same, score in zip(rest, *compare(kept, rest), strict=True):
                if same:
                    found[i] = LeftOut("duplicate", kept)
                    del nearest[i]
                else:
                    nearest[i] = max(nearest[i], score)
    return found


def _components(count: int, edges: Edges) -> Iterator[list[int]]:
    """Yield the pictures of each connected component of more than one."""
    members: dict[int, list[int]] = defaultdict(list)
    for index, number in enumerate(near_duplicates.components(count, edges).tolist()):
        members[number].append(index)
    return (component for component in members.values() if len(component) > 1)
