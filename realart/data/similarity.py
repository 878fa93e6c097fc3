"""Similarity of thumbnails: their correlation in coarse detail, and the agreement of every part.

Candidates for near-duplicates pass two tests. The correlation over all of the area is high for
copies, and for pictures that have much in common: a frame, a layout, a backdrop. So each part that
shows anything must agree, too, once the two are aligned.
"""

import numpy as np
from numpy.typing import NDArray

from realart.data.fingerprints import (
    FLAT,
    PLANE,
    SIDE,
    VIEWS,
    FloatArray,
    cosine_basis,
    subtract_ground,
)

Thumbnails = NDArray[np.uint8]

COARSE = 16
"""Lowest frequencies, down and across, that encoding and a shift by a pixel keep."""

DETAIL = 24
"""Lowest frequencies, down and across, in which parts must agree once they are aligned."""

BACKDROP = 3
"""Degree of the polynomial that models a backdrop, such as a sky or a vignette."""

OVERLAID = 0.1
"""Share of a picture's area that may show something else: a watermark, a caption, a scribble."""

STEPS = 3
"""Concentration steps that choose the area which agrees; more change nothing."""

CELLS = 8
"""Cells, down and across, into which a thumbnail is divided to compare each."""

DISAGREEING = 0.15
"""Share of the cells that may disagree: `OVERLAID`, and the cells that its edge crosses."""

ALIKE = 0.8
"""Agreement from which two pictures are not aligned: copies that are not cropped reach it."""

NOISE = 3.0
"""Standard deviation, in grey levels, that encoding may cause in a cell that shows nothing."""

COLOUR = 2.0
"""Grey levels between the channels of a picture, in the mean, below which it is grey."""

FARTHEST = 2.0
"""Most pixels by which alignment may move an edge of a thumbnail."""


def _orthonormal(side: int, count: int) -> FloatArray:
    waves = cosine_basis(side, count) * np.sqrt(2 / side)
    waves[0] /= np.sqrt(2)
    return waves


_COSINES = {side: _orthonormal(side, 30) for side in (30, 32)}  # products are those of pixels
_COARSE_COSINES = _orthonormal(COARSE, COARSE)
_DETAIL_COSINES = _COSINES[SIDE][:DETAIL]

_LUMINANCE = np.array([0.299, 0.587, 0.114])  # as Pillow converts (ITU-R BT.601)
_GRADIENTS = np.hypot(*np.mgrid[:30, :30])
_CENTRED = np.ones((COARSE, COARSE))
_CENTRED[0, 0] = 0  # each channel is centred on its own mean


def correlations(first: Thumbnails, second: Thumbnails, view: int = 0) -> FloatArray:
    """Compute the correlation of a view of each first picture with all of the second.

    Parameters
    ----------
    first, second
        Thumbnails, uint8, shape (n, 32, 32, 3).
    view
        The index of `VIEWS` that is taken of `first`.

    Returns
    -------
    NDArray
        float64, shape (n,), in [-1, 1]: the correlation of pixels from which high frequencies are
        removed, each channel centred on its own mean, over all of the area but the `OVERLAID` share
        that agrees least. 0 if one of the two is flat.
    """
    # Back to pixels, as many as there are frequencies, since an overlay is confined to an area.
    part, whole = (
        _COARSE_COSINES.T @ (_spectra(planes) * _CENTRED) @ _COARSE_COSINES
        for planes in _planes(first, second, view)
    )
    mask = np.ones((len(first), 1, COARSE, COARSE))
    for _ in range(STEPS):
        mask = _agreeing_mask(part, whole, mask)
    return _correlation(_centred(part, mask), _centred(whole, mask), mask)


def sparse_correlations(first: Thumbnails, second: Thumbnails) -> FloatArray:
    """Compute the correlation of gradients of sparse pictures, in all detail.

    Whole thumbnails are compared, after their grounds are subtracted. Parameters and return value
    are those of `correlations`.
    """
    part, whole = (
        _spectra(subtract_ground(planes, PLANE), len(_GRADIENTS)) * _GRADIENTS
        for planes in _planes(first, second)
    )
    return _correlation(part, whole, np.ones((len(first), 1, *_GRADIENTS.shape)))


def agreement(first: Thumbnails, second: Thumbnails, view: int = 0) -> FloatArray:
    """Compute the agreement of a view of each first picture with the second, in every cell.

    Parameters
    ----------
    first, second
        Thumbnails, uint8, shape (n, 32, 32, 3).
    view
        The index of `VIEWS` that is taken of `first`.

    Returns
    -------
    NDArray
        float64, shape (n,), in [-1, 1]: the mean of two correlations, that over all of `CELLS` x
        `CELLS` cells, each channel centred in each, and the lowest of any cell but the
        `DISAGREEING` share of them. Cells that show no more than `NOISE` in both do not count; 0
        where none does. Where it is below `ALIKE`, each is aligned with the other, and the mean of
        both values counts if it is higher: the order of two whole pictures changes nothing.
    """
    part, whole = (
        subtract_ground(_DETAIL_COSINES.T @ _spectra(planes, DETAIL) @ _DETAIL_COSINES, BACKDROP)
        for planes in _planes(first, second, view)
    )
    found = _agreement(part, whole)
    if len(apart := np.flatnonzero(found < ALIKE)):
        moving, fixed = part[apart], whole[apart]
        there = _agreement(_aligned(moving, fixed), fixed)
        back = _agreement(_aligned(fixed, moving), moving)
        found[apart] = np.maximum(found[apart], (there + back) / 2)
    return found


def _agreement(first: FloatArray, second: FloatArray) -> FloatArray:
    """Compute the agreement of planes, shape (n, 3, 32, 32), without alignment: shape (n,)."""
    part, whole = _cells(first), _cells(second)
    noise = NOISE**2 * part.shape[2]
    energy, second_energy = ((side**2).sum(2) for side in (part, whole))
    products = (part * whole).sum(2)
    norms = np.sqrt((energy + noise) * (second_energy + noise))
    showing = np.maximum(energy, second_energy) > noise
    ordered = np.sort(np.where(showing, products / norms, np.inf), axis=1)
    skipped = (DISAGREEING * showing.sum(1)).astype(np.int64)
    lowest = ordered[np.arange(len(ordered)), skipped]
    overall = (products * showing).sum(1) / np.maximum((norms * showing).sum(1), 1e-9)
    return np.asarray(np.where(showing.any(1), (lowest + overall) / 2, 0).round(9), np.float64)


def _aligned(first: FloatArray, second: FloatArray) -> FloatArray:
    """Align planes with others, shape (n, 3, 32, 32), by an affine map of each.

    Lucas and Kanade, "An Iterative Image Registration Technique with an Application to Stereo
    Vision", 1981: first for coarse detail, which allows larger movements, then for all.
    """
    low = _DETAIL_COSINES[:COARSE].T @ _DETAIL_COSINES[:COARSE]  # low-pass of a line of pixels
    shifts, _ = _movement(*(low @ planes @ low for planes in (first, second)))
    moved = _moved(first, shifts)
    _, change = _movement(moved, second)
    return moved + change


def _movement(first: FloatArray, second: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return how far each pixel moves across and down, and the change by that, to first order.

    `second` is regressed on `first` and on its derivatives by the parameters of an affine map.
    """
    down, across = map(np.asarray, np.gradient(first, axis=(2, 3)))
    x = np.linspace(-1, 1, SIDE)
    fields = np.array([np.ones((SIDE, SIDE)), *np.broadcast_arrays(x, x[:, None])])
    moves = np.concatenate([across[..., None, :, :] * fields, down[..., None, :, :] * fields], 2)
    columns = np.concatenate([first[:, :, None], moves], axis=2).swapaxes(1, 2)
    columns = columns.reshape(len(first), 7, -1)
    squares = columns @ columns.transpose(0, 2, 1)
    squares += np.eye(7) * (1e-3 * squares + 1e-6)  # a ridge: none is divided by 0
    fitted = np.linalg.solve(squares, columns @ second.reshape(len(first), -1, 1))[..., 0]
    gain, amounts = fitted[:, :1], fitted[:, 1:]
    scaled = np.clip(amounts / np.maximum(gain, 1e-3), -FARTHEST, FARTHEST) * (gain > 0)
    change = (scaled[:, None] @ columns[:, 1:]).reshape(first.shape)
    return np.einsum("nam,myx->nayx", scaled.reshape(-1, 2, 3), fields), change


def _moved(planes: FloatArray, shifts: FloatArray) -> FloatArray:
    """Resample planes at shifted pixels, shape (n, 2, 32, 32), by bilinear interpolation."""
    grid = np.indices((SIDE, SIDE))[::-1]
    x, y = np.clip(grid + shifts, 0, SIDE - 1 - 1e-9).swapaxes(0, 1)
    left, top = x.astype(np.int64), y.astype(np.int64)
    right, bottom = (x - left)[:, None], (y - top)[:, None]
    number = np.arange(len(planes))[:, None, None]

    def at(rows: NDArray[np.int64], columns: NDArray[np.int64]) -> FloatArray:
        return np.moveaxis(planes[number, :, rows, columns], 3, 1)

    upper = at(top, left) * (1 - right) + at(top, left + 1) * right
    lower = at(top + 1, left) * (1 - right) + at(top + 1, left + 1) * right
    return np.asarray(upper * (1 - bottom) + lower * bottom)


def _cells(planes: FloatArray) -> FloatArray:
    """Divide planes, shape (n, 3, 32, 32), into cells: shape (n, 64, pixels), means removed."""
    side = SIDE // CELLS
    cells = planes.reshape(len(planes), 3, CELLS, side, CELLS, side).transpose(0, 2, 4, 1, 3, 5)
    cells = cells - cells.mean((4, 5), keepdims=True)
    return cells.reshape(len(planes), CELLS**2, -1)


def _agreeing_mask(first: FloatArray, second: FloatArray, mask: FloatArray) -> FloatArray:
    """Return 1 where two pictures differ least, their brightness and contrast over `mask` equal.

    One concentration step of least trimmed squares (Rousseeuw and Van Driessen, "Computing LTS
    Regression for Large Data Sets", 2006).
    """
    first, second = (_centred(side, mask) for side in (first, second))
    spreads = (np.sqrt(_products(side, side, mask)) for side in (first, second))
    scale, second_scale = (np.maximum(spread, 1e-9)[:, None, None, None] for spread in spreads)
    differences = ((first / scale - second / second_scale) ** 2).sum(1, keepdims=True)
    worst = round((1 - OVERLAID) * COARSE**2) - 1
    limit = np.partition(differences.reshape(len(differences), -1), worst, axis=1)[:, worst]
    return (differences <= limit[:, None, None, None]).astype(np.float64)


def _correlation(first: FloatArray, second: FloatArray, mask: FloatArray) -> FloatArray:
    norms = np.sqrt(_products(first, first, mask) * _products(second, second, mask))
    quotients = _products(first, second, mask) / np.maximum(norms, 1e-9)
    return np.round(quotients, 9)  # BLAS adds in another order with another number of threads


def _centred(values: FloatArray, mask: FloatArray) -> FloatArray:
    """Subtract the mean of each channel over a mask."""
    return values - (values * mask).sum((2, 3), keepdims=True) / mask.sum((2, 3), keepdims=True)


def _planes(first: Thumbnails, second: Thumbnails, view: int = 0) -> tuple[FloatArray, FloatArray]:
    """Return the channels of a view of `first` and of `second`; 0 where flat.

    Both are float64, shape (n, 3, height, width). Where one of a pair is grey the channels are
    those of grey copies of both.
    """
    first = first[:, *VIEWS[view]]
    grey = (_colourless(first) | _colourless(second))[:, None, None, None]
    pair = []
    for side in (first, second):
        # In C order: sums over rows and columns are ten times faster where they lie together.
        planes = np.moveaxis(side, 3, 1).astype(np.float64, order="C")
        planes = np.where(grey, np.tensordot(planes, _LUMINANCE, (1, 0))[:, None], planes)
        planes[planes.var((2, 3)).mean(1) < FLAT**2] = 0
        pair.append(planes)
    return pair[0], pair[1]


def _colourless(thumbnails: Thumbnails) -> NDArray[np.bool_]:
    red, green, blue = np.moveaxis(thumbnails, 3, 0)  # reducing an axis of three is slow
    highest = np.maximum(np.maximum(red, green), blue)
    lowest = np.minimum(np.minimum(red, green), blue)
    return np.asarray((highest - lowest).mean((1, 2)) < COLOUR)


def _spectra(planes: FloatArray, count: int = COARSE) -> FloatArray:
    """Return the `count` x `count` lowest frequencies of planes, as if they had 32 x 32 pixels."""
    height, width = planes.shape[2:]
    down, across = (_COSINES[side][:count] for side in (height, width))
    return np.asarray(down @ (planes @ across.T)) * (SIDE / np.sqrt(height * width))


def _products(first: FloatArray, second: FloatArray, mask: FloatArray) -> FloatArray:
    """Return the inner product of each pair over a mask, shape (n,)."""
    return np.asarray(np.einsum("ncuv,ncuv->n", first, second * mask))
