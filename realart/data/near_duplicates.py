"""Which pictures are the same, or nearly: candidates by hash, a second look, groups.

Hashes propose pairs; the correlation of what the pictures show decides, if each part agrees. Turned
and mirrored copies count, and so do those that lack up to about a tenth at their sides, or are laid
on a mat. Where only some parts agree, as in frames of one scene, the two are related and not the
same, unless what they share is shared by many: a layout, a deck of cards.
"""

from collections.abc import Iterator, Sequence
from itertools import product
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components, minimum_spanning_tree

from realart.data import hamming
from realart.data.fingerprints import (
    MIRRORED,
    UPRIGHT,
    VIEWS,
    Fingerprints,
    Turn,
    turned,
    turned_hashes,
)
from realart.data.hamming import Indices
from realart.data.similarity import agreement, correlations, sparse_correlations

Edges = NDArray[np.float64]
"""Pairs of pictures: rows (i, j, correlation) with i < j, shape (n, 3)."""

Looks = NDArray[np.float64]
"""Pairs that were looked at: rows (i, j, correlation, agreement) with i < j, shape (n, 4)."""


class Search(NamedTuple):
    """Which view of a picture is sought in others, and how many of 64 bits may differ."""

    view: int
    turn: Turn
    radius: int


TURNS = tuple(Turn(*turn) for turn in product((False, True), repeat=3))

SEARCHES = (
    Search(0, UPRIGHT, 11),
    Search(0, MIRRORED, 11),
    *(Search(0, turn, 7) for turn in TURNS if turn not in (UPRIGHT, MIRRORED)),
    *(Search(view, UPRIGHT, 7) for view in range(1, len(VIEWS))),
    Search(1, MIRRORED, 7),
)

AGREEING = 0.67
"""Agreement from which every part of two pictures shows the same."""

PARTLY = 0.5
"""Agreement from which two pictures may show one scene, part of which moves."""

FEW = 3
"""Pictures that another may be like in part only: what it shares with more proves nothing."""

LOOK = 64
"""Candidates looked at again at a time: about 30 MB."""

PENDING = 1 << 20
"""Edges that may wait before they are thinned out to a forest."""


def forest(fingerprints: Fingerprints, similar: float) -> Edges:
    """Return edges that connect what all pairs connect, at every level.

    Two pictures are a pair if the hashes of one of `SEARCHES` are within its radius, the
    correlation of what they show is at least `similar`, and every part agrees; which says that a
    low `similar` finds more among those with like hashes, and nothing beyond them. Pictures of
    equal pixels have correlation 1. Flat ones pair with equal pixels only.

    Two pictures that are similar and agree `PARTLY` are a pair, too, of a level below `similar`:
    their agreement. They are none if either is similar to more than a `FEW` pictures that it does
    not agree with.

    Returns
    -------
    Edges
        A maximum spanning forest of the pairs, at most n - 1 rows: its edges of at least any level
        have the same connected components as the pairs of at least that level.
    """
    count = len(fingerprints)
    edges, partial = _equal(fingerprints.exact), _Partial(count)
    waiting: list[Edges] = []
    for found in looked_at(fingerprints, similar):
        agreeing = found[:, 3] >= AGREEING
        waiting.append(found[agreeing, :3])
        partial.add(found[~agreeing])
        if sum(map(len, waiting)) + partial.waiting > PENDING:
            edges, waiting = _spanning([edges, *waiting], count), []
            partial.thin(edges)
    edges = _spanning([edges, *waiting], count)
    return _spanning([edges, partial.edges(edges, similar)], count)


class _Partial:
    """Pairs that are similar and agree in part only, while they are found.

    Not those of one component: a copy may agree by one search and seem to differ by another.
    """

    def __init__(self, count: int) -> None:
        self._crowded = np.zeros(count, np.bool_)
        self._blocks: list[Looks] = []
        self.waiting = 0

    def add(self, found: Looks) -> None:
        self._blocks.append(found)
        self.waiting += len(found)

    def thin(self, edges: Edges) -> None:
        """Forget what can't count any more: both have far more than a `FEW` such pairs."""
        pairs, counts = self._distinct(edges)
        self._crowded |= counts > 16 * FEW
        i, j = pairs[:, :2].astype(np.int64).T
        self._blocks, self.waiting = [pairs[~(self._crowded[i] & self._crowded[j])]], 0

    def edges(self, edges: Edges, similar: float) -> Edges:
        """Return the pairs of those that have a `FEW`; `edges` are of those that agree."""
        pairs, counts = self._distinct(edges)
        many = self._crowded | (counts > FEW)
        i, j = pairs[:, :2].astype(np.int64).T
        kept = pairs[~(many[i] | many[j]) & (pairs[:, 3] >= PARTLY)]
        levels = np.minimum(kept[:, 3], np.nextafter(similar, -1))
        return np.column_stack([kept[:, :2], levels])

    def _distinct(self, edges: Edges) -> tuple[Looks, Indices]:
        """Return each pair at its highest agreement, and how many such pairs each picture has."""
        count = len(self._crowded)
        joined = np.concatenate([np.empty((0, 4)), *self._blocks])
        joined = joined[np.argsort(-joined[:, 3], kind="stable")]
        _, first = np.unique(joined[:, 0] * count + joined[:, 1], return_index=True)
        groups = components(count, edges)
        i, j = joined[first, :2].astype(np.int64).T
        apart = groups[i] != groups[j]
        ends = np.concatenate([i[apart], j[apart]])
        return joined[first[apart]], np.bincount(ends, minlength=count)


def pairs(fingerprints: Fingerprints, similar: float) -> Iterator[Edges]:
    """Yield, in blocks, the pairs that are at least `similar` and agree, none twice in a search."""
    for found in looked_at(fingerprints, similar):
        yield found[found[:, 3] >= AGREEING, :3]


def looked_at(fingerprints: Fingerprints, similar: float) -> Iterator[Looks]:
    """Yield, in blocks, pairs of different pixels that are at least `similar`, none of them flat.

    A pair comes once for every search that finds it. Of pictures of equal pixels only the first is
    compared with others.
    """
    firsts = {exact: i for i, exact in reversed(list(enumerate(fingerprints.exact)))}
    chosen = np.array(sorted(firsts.values()), np.int64)
    chosen = chosen[~fingerprints.flat[chosen]]
    if not len(chosen):
        return
    hashes, sparse = fingerprints.hashes[chosen], fingerprints.sparse[chosen]
    thumbnails = np.asarray(fingerprints.thumbnails)  # slices of a memory map are slow to make
    for search in SEARCHES:
        queries = turned_hashes(hashes[:, search.view], search.turn)
        # The whole of one is as near to the whole of another as the other way round, or, where one
        # is turned to the left, as that turned to the right, which is sought, too.
        whole = search.view == 0
        near = hamming.near(queries, hashes[:, 0], search.radius, once=whole)
        for i, j in hamming.gathered(near):
            either = sparse[i] | sparse[j]
            for kind in (False, True) if whole else (False,):
                these = (either == kind) & (i != j)
                one, other = chosen[i[these]], chosen[j[these]]
                scores, agreements = looks(thumbnails, one, other, search, kind, similar)
                found = [np.minimum(one, other), np.maximum(one, other), scores, agreements]
                yield np.stack(found, axis=1)[scores >= similar]


def compared(
    fingerprints: Fingerprints, one: int, others: Indices, duplicate: float
) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Return which of `others` show the same as one picture, and their correlations with it.

    That is, have equal pixels, or a correlation of at least `duplicate` under one of `SEARCHES`,
    either way, with every part agreeing; hashes are not asked. Both have shape (n,).
    """
    exact, thumbnails = fingerprints.exact, np.asarray(fingerprints.thumbnails)
    found = np.array([exact[one] == exact[other] for other in others.tolist()], np.bool_)
    best = np.where(found, 1.0, -1.0)
    sparse = fingerprints.sparse[others] | fingerprints.sparse[one]
    looked_at = ~(fingerprints.flat[others] | fingerprints.flat[one])
    for search in SEARCHES:
        for kind in (False, True) if search.view == 0 else (False,):
            rest = np.flatnonzero(~found & looked_at & (sparse == kind))
            pair = np.full(len(rest), one), others[rest]
            for i, j in (pair, pair[::-1]) if search.view else (pair,):
                scores, agreements = looks(thumbnails, i, j, search, kind, duplicate)
                found[rest] |= (scores >= duplicate) & (agreements >= AGREEING)
                best[rest] = np.maximum(best[rest], scores)
    return found, best


def components(count: int, edges: Edges) -> Indices:
    """Return for each of `count` pictures the number of its connected component, int64."""
    return np.asarray(connected_components(_graph(count, edges), directed=False)[1], np.int64)


def _equal(exact: Sequence[bytes]) -> Edges:
    first: dict[bytes, int] = {}
    found = [(first[one], i, 1.0) for i, one in enumerate(exact) if first.setdefault(one, i) != i]
    return np.array(found, np.float64).reshape(-1, 3)


def looks(
    thumbnails: NDArray[np.uint8],
    one: Indices,
    other: Indices,
    search: Search,
    sparse: bool,
    similar: float,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the correlation of each pair under a search, and its agreement; both of shape (n,).

    Agreement is 1 for sparse pictures, and where the correlation is below `similar`: their parts
    are not looked at.
    """
    scores, agreements = np.empty(len(one)), np.ones(len(one))
    for start in range(0, len(one), LOOK):
        block = slice(start, start + LOOK)
        ones, others = turned(thumbnails[one[block]], search.turn), thumbnails[other[block]]
        if sparse:
            scores[block] = sparse_correlations(ones, others)
            continue
        found = correlations(ones, others, search.view)
        if len(likely := np.flatnonzero(found >= similar)):
            parts = agreement(ones[likely], others[likely], search.view)
            agreements[start + likely] = parts
        scores[block] = found
    return scores, agreements


def _spanning(edges: Sequence[Edges], count: int) -> Edges:
    """Return a maximum spanning forest of `count` pictures, its strongest edges first."""
    joined = np.concatenate(edges)
    joined = joined[np.lexsort((joined[:, 1], joined[:, 0], -joined[:, 2]))]
    _, strongest = np.unique(joined[:, 0] * count + joined[:, 1], return_index=True)
    joined = joined[np.sort(strongest)]
    # By rank and not by 1 - correlation: zeros would be no edges, and no rank comes twice.
    ranks = np.arange(1.0, len(joined) + 1)
    tree = minimum_spanning_tree(_graph(count, np.column_stack([joined[:, :2], ranks])))
    return joined[np.sort(tree.data).astype(np.int64) - 1]


def _graph(count: int, edges: Edges) -> coo_array:
    i, j = edges[:, 0].astype(np.int64), edges[:, 1].astype(np.int64)
    return coo_array((edges[:, 2], (i, j)), shape=(count, count))
