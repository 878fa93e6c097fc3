"""How alike thumbnails are: by what they show in coarse detail, and in every part of them.

Candidates for near-duplicates are looked at twice. Their correlation over all of the area is high
for copies, and for pictures that have much in common: a frame, a layout, a backdrop. So each part
that shows anything must agree, too, once the two are aligned.
"""

import numpy as np
from numpy.typing import NDArray

from realart.data.fingerprints import FLAT, PLANE, SIDE, VIEWS, Values, basis, without_ground

Thumbnails = NDArray[np.uint8]

COARSE = 16
"""Lowest frequencies either way that are compared: what encoding and a shift by a pixel keep."""

DETAIL = 24
"""Lowest frequencies either way in which parts must agree, once they are aligned."""

BACKDROP = 3
"""Degree of the polynomial that is taken for a backdrop, as skies and vignettes have one."""

OVERLAID = 0.1
"""Share of a picture's area that may show something else: a watermark, a caption, a scribble."""

STEPS = 3
"""How often the area that agrees is chosen anew; more change nothing."""

CELLS = 8
"""Cells, either way, into which a thumbnail is divided to see whether each agrees."""

DISAGREEING = 0.15
"""Share of the cells that may disagree: `OVERLAID`, and the cells that its edge crosses."""

ALIKE = 0.8
"""Agreement from which two pictures need no alignment, as copies that are not cropped."""

NOISE = 3.0
"""Standard deviation, in grey levels, that encoding may cause in a cell that shows nothing."""

COLOUR = 2.0
"""Grey levels between the channels of a picture, in the mean, below which it is grey."""

FARTHEST = 2.0
"""Pixels of a thumbnail by which alignment may move an edge of it."""


def _orthonormal(side: int, count: int) -> Values:
    waves = basis(side, count) * np.sqrt(2 / side)
    waves[0] /= np.sqrt(2)
    return waves


_SEEN = {side: _orthonormal(side, 30) for side in (30, 32)}  # products are those of pixels
_FEW = _orthonormal(COARSE, COARSE)
_DETAIL = _SEEN[SIDE][:DETAIL]

_LUMINANCE = np.array([0.299, 0.587, 0.114])  # as Pillow converts (ITU-R BT.601)
_GRADIENTS = np.hypot(*np.mgrid[:30, :30])
_CENTRED = np.ones((COARSE, COARSE))
_CENTRED[0, 0] = 0  # each channel is centred on its own mean


def correlations(ones: Thumbnails, others: Thumbnails, view: int = 0) -> Values:
    """Return how much a view of some pictures looks like all of others.

    Parameters
    ----------
    ones, others
        Thumbnails, uint8, shape (n, 32, 32, 3).
    view
        Which of `VIEWS` is taken of `ones`.

    Returns
    -------
    NDArray
        Shape (n,), in [-1, 1]: the correlation of pixels from which high frequencies are
        removed, each channel centred on its own mean, over all of the area but the `OVERLAID` share
        that agrees least. 0 if one of the two is flat.
    """
    # As pixels again, no more than there are frequencies: an overlay has its place there.
    seen, whole = (
        _FEW.T @ (_spectra(planes) * _CENTRED) @ _FEW for planes in _planes(ones, others, view)
    )
    kept = np.ones((len(ones), 1, COARSE, COARSE))
    for _ in range(STEPS):
        kept = _agreeing(seen, whole, kept)
    return _correlation(_centred(seen, kept), _centred(whole, kept), kept)


def sparse_correlations(ones: Thumbnails, others: Thumbnails) -> Values:
    """Return how much sparse pictures look like others: the same by gradients, in all detail.

    What is compared are whole thumbnails less their grounds.
    """
    seen, whole = (
        _spectra(without_ground(planes, PLANE), len(_GRADIENTS)) * _GRADIENTS
        for planes in _planes(ones, others)
    )
    return _correlation(seen, whole, np.ones((len(ones), 1, *_GRADIENTS.shape)))


def agreement(ones: Thumbnails, others: Thumbnails, view: int = 0) -> Values:
    """Return how much a view of some pictures agrees with others wherever either shows anything.

    Parameters
    ----------
    ones, others, view
        As of `correlations`.

    Returns
    -------
    NDArray
        Shape (n,), in [-1, 1]: the mean of two correlations: that over all of `CELLS` x `CELLS`
        cells, each channel centred in each, and the lowest of any cell but the `DISAGREEING` share
        of them. Cells that show no more than `NOISE` in both do not count; 0 where none does.
        Where it is below `ALIKE`, `ones` are aligned, and the higher of both counts.
    """
    seen, whole = (
        without_ground(_DETAIL.T @ _spectra(planes, DETAIL) @ _DETAIL, BACKDROP)
        for planes in _planes(ones, others, view)
    )
    found = _agreement(seen, whole)
    if len(apart := np.flatnonzero(found < ALIKE)):
        aligned = _agreement(_aligned(seen[apart], whole[apart]), whole[apart])
        found[apart] = np.maximum(found[apart], aligned)
    return found


def _agreement(ones: Values, others: Values) -> Values:
    """Return how much planes, shape (n, 3, 32, 32), agree as they lie: shape (n,), in [-1, 1]."""
    seen, whole = _cells(ones), _cells(others)
    noise = NOISE**2 * seen.shape[2]
    energy, other_energy = ((side**2).sum(2) for side in (seen, whole))
    products = (seen * whole).sum(2)
    norms = np.sqrt((energy + noise) * (other_energy + noise))
    showing = np.maximum(energy, other_energy) > noise
    ordered = np.sort(np.where(showing, products / norms, np.inf), axis=1)
    skipped = (DISAGREEING * showing.sum(1)).astype(np.int64)
    lowest = ordered[np.arange(len(ordered)), skipped]
    overall = (products * showing).sum(1) / np.maximum((norms * showing).sum(1), 1e-9)
    return np.asarray(np.where(showing.any(1), (lowest + overall) / 2, 0).round(9), np.float64)


def _aligned(ones: Values, others: Values) -> Values:
    """Move, scale and shear some pictures, shape (n, 3, 32, 32), so that they fit others best.

    By what an affine map would have to be (Lucas and Kanade, "An Iterative Image Registration
    Technique with an Application to Stereo Vision", 1981), first for coarse detail, which shows
    larger movements, then for all.
    """
    low = _DETAIL[:COARSE].T @ _DETAIL[:COARSE]  # what is left of a line of pixels
    shifts, _ = _movement(*(low @ planes @ low for planes in (ones, others)))
    moved = _moved(ones, shifts)
    _, change = _movement(moved, others)
    return moved + change


def _movement(ones: Values, others: Values) -> tuple[Values, Values]:
    """Return how far each pixel moves across and down, and what that changes, to first order.

    The others are regressed on the ones and on what small movements would change of them.
    """
    down, across = map(np.asarray, np.gradient(ones, axis=(2, 3)))
    x = np.linspace(-1, 1, SIDE)
    fields = np.array([np.ones((SIDE, SIDE)), *np.broadcast_arrays(x, x[:, None])])
    moves = np.concatenate([across[..., None, :, :] * fields, down[..., None, :, :] * fields], 2)
    columns = np.concatenate([ones[:, :, None], moves], axis=2).swapaxes(1, 2)
    columns = columns.reshape(len(ones), 7, -1)
    squares = columns @ columns.transpose(0, 2, 1)
    squares += np.eye(7) * (1e-3 * squares + 1e-6)  # none is divided by 0
    fitted = np.linalg.solve(squares, columns @ others.reshape(len(ones), -1, 1))[..., 0]
    gain, amounts = fitted[:, :1], fitted[:, 1:]
    scaled = np.clip(amounts / np.maximum(gain, 1e-3), -FARTHEST, FARTHEST) * (gain > 0)
    change = (scaled[:, None] @ columns[:, 1:]).reshape(ones.shape)
    return np.einsum("nam,myx->nayx", scaled.reshape(-1, 2, 3), fields), change


def _moved(planes: Values, shifts: Values) -> Values:
    """Take each pixel of planes from where it is shifted to, between four pixels."""
    grid = np.indices((SIDE, SIDE))[::-1]
    x, y = np.clip(grid + shifts, 0, SIDE - 1 - 1e-9).swapaxes(0, 1)
    left, top = x.astype(np.int64), y.astype(np.int64)
    right, bottom = (x - left)[:, None], (y - top)[:, None]
    number = np.arange(len(planes))[:, None, None]

    def at(rows: NDArray[np.int64], columns: NDArray[np.int64]) -> Values:
        return np.moveaxis(planes[number, :, rows, columns], 3, 1)

    upper = at(top, left) * (1 - right) + at(top, left + 1) * right
    lower = at(top + 1, left) * (1 - right) + at(top + 1, left + 1) * right
    return np.asarray(upper * (1 - bottom) + lower * bottom)


def _cells(planes: Values) -> Values:
    """Divide planes, shape (n, 3, 32, 32), into cells: shape (n, 64, pixels), means removed."""
    side = SIDE // CELLS
    cells = planes.reshape(len(planes), 3, CELLS, side, CELLS, side).transpose(0, 2, 4, 1, 3, 5)
    cells = cells - cells.mean((4, 5), keepdims=True)
    return cells.reshape(len(planes), CELLS**2, -1)


def _agreeing(ones: Values, others: Values, kept: Values) -> Values:
    """Return 1 for the cells where two pictures differ least, by their brightness over `kept`.

    One concentration step of least trimmed squares (Rousseeuw and Van Driessen, "Computing LTS
    Regression for Large Data Sets", 2006).
    """
    ones, others = (_centred(side, kept) for side in (ones, others))
    spreads = (np.sqrt(_products(side, side, kept)) for side in (ones, others))
    scale, other_scale = (np.maximum(spread, 1e-9)[:, None, None, None] for spread in spreads)
    apart = ((ones / scale - others / other_scale) ** 2).sum(1, keepdims=True)
    worst = round((1 - OVERLAID) * COARSE**2) - 1
    limit = np.partition(apart.reshape(len(apart), -1), worst, axis=1)[:, worst]
    return (apart <= limit[:, None, None, None]).astype(np.float64)


def _correlation(ones: Values, others: Values, kept: Values) -> Values:
    norms = np.sqrt(_products(ones, ones, kept) * _products(others, others, kept))
    found = _products(ones, others, kept) / np.maximum(norms, 1e-9)
    return np.round(found, 9)  # BLAS adds in another order with another number of threads


def _centred(values: Values, kept: Values) -> Values:
    return values - (values * kept).sum((2, 3), keepdims=True) / kept.sum((2, 3), keepdims=True)


def _planes(ones: Thumbnails, others: Thumbnails, view: int = 0) -> tuple[Values, Values]:
    """Return the channels of both sides: float64, shape (n, 3, height, width), 0 where flat.

    Where one of a pair is grey the channels are those of grey copies of both.
    """
    ones = ones[:, *VIEWS[view]]
    grey = (_colourless(ones) | _colourless(others))[:, None, None, None]
    found = []
    for side in (ones, others):
        # In C order: sums over rows and columns are ten times faster where they lie together.
        planes = np.moveaxis(side, 3, 1).astype(np.float64, order="C")
        planes = np.where(grey, np.tensordot(planes, _LUMINANCE, (1, 0))[:, None], planes)
        planes[planes.var((2, 3)).mean(1) < FLAT**2] = 0
        found.append(planes)
    return found[0], found[1]


def _colourless(thumbnails: Thumbnails) -> NDArray[np.bool_]:
    red, green, blue = np.moveaxis(thumbnails, 3, 0)  # reducing an axis of three is slow
    highest, lowest = (of(of(red, green), blue) for of in (np.maximum, np.minimum))
    return np.asarray((highest - lowest).mean((1, 2)) < COLOUR)


def _spectra(planes: Values, count: int = COARSE) -> Values:
    """Return the `count` x `count` lowest frequencies of planes, as if they had 32 x 32 pixels."""
    height, width = planes.shape[2:]
    down, across = (_SEEN[side][:count] for side in (height, width))
    return np.asarray(down @ (planes @ across.T)) * (SIDE / np.sqrt(height * width))


def _products(ones: Values, others: Values, kept: Values) -> Values:
    return np.asarray(np.einsum("ncuv,ncuv->n", ones, others * kept))
