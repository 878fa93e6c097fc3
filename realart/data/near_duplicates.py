"""Near-duplicates: candidate pairs by perceptual hash, verified by thumbnails, joined to groups.

Hashes propose pairs; the correlation of the thumbnails decides, if each part of them agrees. Turned
and mirrored copies count, and so do those that lack up to about a tenth at their sides, or are laid
on a mat. Where only some parts agree, as in frames of one scene, the two are related and no
duplicates, unless many pictures share these parts: a layout, a deck of cards.
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
    Orientation,
    orient_hashes,
    orient_thumbnails,
)
from realart.data.hamming import Indices
from realart.data.similarity import agreement, correlations, sparse_correlations

Edges = NDArray[np.float64]
"""Pairs of pictures: rows (i, j, correlation) with i < j, float64, shape (n, 3)."""

ScoredPairs = NDArray[np.float64]
"""Verified candidates: rows (i, j, correlation, agreement) with i < j, float64, shape (n, 4)."""


class HashSearch(NamedTuple):
    """A view of pictures whose hashes are searched for in hashes of whole pictures.

    `view` is an index of `VIEWS`, `orientation` is applied to it, `radius` is the most of 64 bits
    that may differ.
    """

    view: int
    orientation: Orientation
    radius: int


ORIENTATIONS = tuple(Orientation(*turn) for turn in product((False, True), repeat=3))

SEARCHES = (
    HashSearch(0, UPRIGHT, 11),
    HashSearch(0, MIRRORED, 11),
    *(
        HashSearch(0, orientation, 7)
        for orientation in ORIENTATIONS
        if orientation not in (UPRIGHT, MIRRORED)
    ),
    *(HashSearch(view, UPRIGHT, 7) for view in range(1, len(VIEWS))),
    HashSearch(1, MIRRORED, 7),
)

AGREEING = 0.67
"""Agreement from which every part of two pictures shows the same."""

PARTLY = 0.5
"""Agreement from which two pictures may show one scene of which a part moves."""

FEW = 3
"""Most partial matches of a picture that count: parts shared by more pictures prove nothing."""

COMPARED_AT_ONCE = 64
"""Candidates verified at a time, in about 30 MB."""

PENDING = 1 << 20
"""Edges collected before they are reduced to a forest."""


def forest(fingerprints: Fingerprints, similar: float) -> Edges:
    """Return a maximum spanning forest of all near-duplicate pairs.

    Two pictures are a pair if their hashes in one of `SEARCHES` are within its radius, their
    correlation is at least `similar`, and every part agrees. So a low `similar` finds more pairs
    among those with close hashes, and none beyond them. Pictures of equal pixels have correlation
    1; flat ones pair only with those.

    Two pictures that are similar and agree `PARTLY` are a pair, too, whose level is their agreement
    and below `similar`, unless either is similar to more than a `FEW` pictures with which it does
    not agree.

    Parameters
    ----------
    fingerprints
        Those of n pictures.
    similar
        The lowest correlation of a pair, in [0, 1].

    Returns
    -------
    Edges
        At most n - 1 rows: for every level, the edges of at least that level have the same
        connected components as the pairs of at least that level.
    """
    count = len(fingerprints)
    edges, partial = _equal_pixels(fingerprints.exact), _PartialMatches(count)
    pending: list[Edges] = []
    for scored in score_candidates(fingerprints, similar):
        agreeing = scored[:, 3] >= AGREEING
        pending.append(scored[agreeing, :3])
        partial.add(scored[~agreeing])
        if sum(map(len, pending)) + partial.pending > PENDING:
            edges, pending = _spanning_forest([edges, *pending], count), []
            partial.thin(edges)
    edges = _spanning_forest([edges, *pending], count)
    return _spanning_forest([edges, partial.edges(edges, similar)], count)


class _PartialMatches:
    """Pairs that are similar and agree in part only, collected while they are found.

    Pairs within a component of those that agree are none: a copy may agree in one search and
    differ in another.
    """

    def __init__(self, count: int) -> None:
        self._crowded = np.zeros(count, np.bool_)
        self._blocks: list[ScoredPairs] = []
        self.pending = 0

    def add(self, pairs: ScoredPairs) -> None:
        self._blocks.append(pairs)
        self.pending += len(pairs)

    def thin(self, edges: Edges) -> None:
        """Drop pairs that can't count any more, since both pictures have far more than a `FEW`."""
        pairs, counts = self._distinct(edges)
        self._crowded |= counts > 16 * FEW
        i, j = pairs[:, :2].astype(np.int64).T
        self._blocks, self.pending = [pairs[~(self._crowded[i] & self._crowded[j])]], 0

    def edges(self, edges: Edges, similar: float) -> Edges:
        """Return the pairs of pictures with at most a `FEW`; `edges` are those that agree."""
        pairs, counts = self._distinct(edges)
        many = self._crowded | (counts > FEW)
        i, j = pairs[:, :2].astype(np.int64).T
        kept = pairs[~(many[i] | many[j]) & (pairs[:, 3] >= PARTLY)]
        levels = np.minimum(kept[:, 3], np.nextafter(similar, -1))
        return np.column_stack([kept[:, :2], levels])

    def _distinct(self, edges: Edges) -> tuple[ScoredPairs, Indices]:
        """Return each pair at its highest agreement, and the number of pairs of each picture."""
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
    """Yield blocks of pairs that correlate by at least `similar` and agree, once in each search."""
    for scored in score_candidates(fingerprints, similar):
        yield scored[scored[:, 3] >= AGREEING, :3]


def score_candidates(fingerprints: Fingerprints, similar: float) -> Iterator[ScoredPairs]:
    """Yield blocks of candidates that correlate by at least `similar`, with their agreement.

    A pair comes once for every search that finds it. Flat pictures are left out, and of pictures
    of equal pixels all but the first.
    """
    firsts = {exact: i for i, exact in reversed(list(enumerate(fingerprints.exact)))}
    chosen = np.array(sorted(firsts.values()), np.int64)
    chosen = chosen[~fingerprints.flat[chosen]]
    if not len(chosen):
        return
    hashes, sparse = fingerprints.hashes[chosen], fingerprints.sparse[chosen]
    thumbnails = np.asarray(fingerprints.thumbnails)  # slices of a memory map are slow to make
    for search in SEARCHES:
        queries = orient_hashes(hashes[:, search.view], search.orientation)
        # The distance between whole pictures is symmetric, or, where one is turned to the left, the
        # same as with that turned to the right, which is another search.
        whole = search.view == 0
        near = hamming.near_pairs(queries, hashes[:, 0], search.radius, once=whole)
        for i, j in hamming.gather_blocks(near):
            either = sparse[i] | sparse[j]
            for is_sparse in (False, True) if whole else (False,):
                selected = (either == is_sparse) & (i != j)
                first, second = chosen[i[selected]], chosen[j[selected]]
                scores, agreements = score_pairs(
                    thumbnails, first, second, search, is_sparse, similar
                )
                ends = np.minimum(first, second), np.maximum(first, second)
                yield np.stack([*ends, scores, agreements], axis=1)[scores >= similar]


def compare_with(
    fingerprints: Fingerprints, picture: int, others: Indices, duplicate: float
) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Compare a picture with others directly, without regard to hashes.

    Parameters
    ----------
    fingerprints
        Those of all pictures.
    picture, others
        The number of the picture, and of n others.
    duplicate
        The correlation from which two pictures are duplicates.

    Returns
    -------
    same
        bool, shape (n,): which of `others` are duplicates, that is, have equal pixels, or correlate
        by at least `duplicate` in one of `SEARCHES`, in either direction, with every part agreeing.
    correlations
        float64, shape (n,): the highest of any search.
    """
    exact, thumbnails = fingerprints.exact, np.asarray(fingerprints.thumbnails)
    same = np.array([exact[picture] == exact[other] for other in others.tolist()], np.bool_)
    best = np.where(same, 1.0, -1.0)
    sparse = fingerprints.sparse[others] | fingerprints.sparse[picture]
    comparable = ~(fingerprints.flat[others] | fingerprints.flat[picture])
    for search in SEARCHES:
        for is_sparse in (False, True) if search.view == 0 else (False,):
            rest = np.flatnonzero(~same & comparable & (sparse == is_sparse))
            pair = np.full(len(rest), picture), others[rest]
            for i, j in (pair, pair[::-1]) if search.view else (pair,):
                scores, agreements = score_pairs(thumbnails, i, j, search, is_sparse, duplicate)
                same[rest] |= (scores >= duplicate) & (agreements >= AGREEING)
                best[rest] = np.maximum(best[rest], scores)
    return same, best


def components(count: int, edges: Edges) -> Indices:
    """Return the number of the connected component of each picture, int64, shape (count,)."""
    return np.asarray(connected_components(_graph(count, edges), directed=False)[1], np.int64)


def _equal_pixels(exact: Sequence[bytes]) -> Edges:
    """Return an edge from each picture to the first of equal pixels, if that is another one."""
    first: dict[bytes, int] = {}
    edges = [
        (first[digest], i, 1.0)
        for i, digest in enumerate(exact)
        if first.setdefault(digest, i) != i
    ]
    return np.array(edges, np.float64).reshape(-1, 3)


def score_pairs(
    thumbnails: NDArray[np.uint8],
    first: Indices,
    second: Indices,
    search: HashSearch,
    sparse: bool,
    similar: float,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the correlation and the agreement of each pair in a search.

    Parameters
    ----------
    thumbnails
        Those of all pictures, uint8, shape (m, 32, 32, 3).
    first, second
        The pictures of n pairs; the search's view and orientation apply to the first of each.
    search
        The search.
    sparse
        Whether to compare them as sparse pictures.
    similar
        The correlation from which the agreement of parts is computed.

    Returns
    -------
    correlations, agreements
        float64, shape (n,). Agreement is 1 for sparse pictures, and below `similar`.
    """
    scores, agreements = np.empty(len(first)), np.ones(len(first))
    for start in range(0, len(first), COMPARED_AT_ONCE):
        block = slice(start, start + COMPARED_AT_ONCE)
        views = orient_thumbnails(thumbnails[first[block]], search.orientation)
        wholes = thumbnails[second[block]]
        if sparse:
            scores[block] = sparse_correlations(views, wholes)
            continue
        scores[block] = correlations(views, wholes, search.view)
        if len(likely := np.flatnonzero(scores[block] >= similar)):
            agreements[start + likely] = agreement(views[likely], wholes[likely], search.view)
    return scores, agreements


def _spanning_forest(edges: Sequence[Edges], count: int) -> Edges:
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
