"""Find pictures unlike those that a model was trained on, whatever its recipe is.

The score of a model means nothing for a picture unlike all that it has seen, and may still be near
0 or 1. So the distance of a picture to its nearest neighbours among the training pictures is
measured (Sun et al., "Out-of-Distribution Detection with Deep Nearest Neighbors", ICML 2022), here
in the space of some forensic measurements. It shows other kinds of pictures, not every picture on
which the model errs (`python -m benchmarks.novelty`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from realart.core import parallel
from realart.core.outputs import fresh_file
from realart.data import decoding
from realart.features import forensic
from realart.features.vectors import FeatureVectors
from realart.models import standardisation

FAMILIES = ("blocks", "colour", "levels", "neighbours")
"""Families of forensic measurements that together take 20 ms a picture."""
NEIGHBOURS = 10
MAX_REFERENCES = 2000
"""Most training pictures that distances are measured to."""
QUANTILE = 0.97
"""The share of training pictures that are within the limit, each compared with other folds."""
FILE = "novelty.npz"
REASON = "unlike the pictures that the model was trained on"


@dataclass(frozen=True)
class NoveltyDetector:
    """Tells pictures that are unlike its references.

    Attributes
    ----------
    scaling
        Of `standardisation.fit`.
    references
        Standardised vectors of training pictures, float32, shape (n, d).
    limit
        The mean distance to the `NEIGHBOURS` nearest references from which a picture is novel.
    """

    scaling: dict[str, NDArray[np.float32]]
    references: FeatureVectors
    limit: float

    def distances(self, vectors: FeatureVectors) -> NDArray[np.float64]:
        """Return the mean distance of vectors (m, d) to their nearest references: shape (m,)."""
        return _distances(self.references, standardisation.apply(vectors, self.scaling))

    def novel(self, vectors: FeatureVectors) -> NDArray[np.bool_]:
        """Return which of vectors (m, d) are unlike the references: shape (m,)."""
        return self.distances(vectors) > self.limit

    def is_novel(self, image: Image.Image) -> bool:
        """Return whether an RGB picture in canonical form is unlike the references."""
        return bool(self.novel(measure(image)[None])[0])

    def extended(self, vectors: FeatureVectors) -> "NoveltyDetector":
        """Return a detector with other pictures added to the references.

        The limit is raised, if necessary, until the share `QUANTILE` of the added pictures is
        within it, each compared with all other references.

        Parameters
        ----------
        vectors
            What `measure` returns for each, shape (m, d), m > 0; at most `MAX_REFERENCES` are used.
        """
        added = standardisation.apply(vectors[:MAX_REFERENCES], self.scaling)
        references = np.concatenate([self.references, added])
        distances = [
            _distances(np.delete(references, number, axis=0), references[[number]])
            for number in range(len(self.references), len(references))
        ]
        limit = max(self.limit, float(np.quantile(distances, QUANTILE)))
        return NoveltyDetector(self.scaling, references, limit)

    def save(self, folder: Path) -> None:
        """Write the detector to `FILE` in a folder; equal detectors give equal bytes."""
        arrays: dict[str, Any] = {**self.scaling, "references": self.references}
        with fresh_file(folder / FILE) as beside, beside.open("wb") as file:
            np.savez(file, limit=self.limit, **arrays)

    @staticmethod
    def load(folder: Path) -> "NoveltyDetector | None":
        """Load the detector that `save` wrote; None for models of older releases without one."""
        if not (folder / FILE).is_file():
            return None
        with np.load(folder / FILE) as stored:
            arrays = dict(stored)
        references, limit = arrays.pop("references"), float(arrays.pop("limit"))
        return NoveltyDetector(arrays, references, limit)


def fit(vectors: FeatureVectors, folds: NDArray[Any]) -> NoveltyDetector:
    """Take n training pictures as references, and choose the limit out of fold.

    Parameters
    ----------
    vectors
        What `measure` returns for each, shape (n, d).
    folds
        The fold of each, shape (n,). The limit is the `QUANTILE` of the distances of all pictures,
        each to the references of the other folds.
    """
    held_out = np.empty(len(vectors))
    for fold in np.unique(folds):
        own = folds == fold
        scaling, references = _references(vectors[~own])
        held_out[own] = _distances(references, standardisation.apply(vectors[own], scaling))
    return NoveltyDetector(*_references(vectors), limit=float(np.quantile(held_out, QUANTILE)))


def measure(image: Image.Image) -> NDArray[np.float32]:
    """Measure an RGB picture in canonical form: float32, shape (d,)."""
    return forensic.measure(np.asarray(image), FAMILIES)


def measure_files(files: Sequence[Path]) -> FeatureVectors:
    """Measure n > 0 stored pictures, which are in canonical form: float32, shape (n, d)."""
    return np.stack(list(parallel.map_parallel(_measure_file, files, "novelty")))


def _measure_file(file: Path) -> NDArray[np.float32]:
    return measure(decoding.read(file.read_bytes()))


def _references(vectors: FeatureVectors) -> tuple[dict[str, NDArray[np.float32]], FeatureVectors]:
    widths: Sequence[int] = [forensic.FAMILIES[name].size for name in FAMILIES]
    scaling = standardisation.fit(vectors, widths)
    return scaling, standardisation.apply(vectors, scaling)


def _distances(references: FeatureVectors, vectors: FeatureVectors) -> NDArray[np.float64]:
    """Return the mean distance of each vector, (m, d), to the nearest references, (n, d)."""
    count = min(NEIGHBOURS, len(references))
    nearest = [
        np.partition(np.linalg.norm(references - vector, axis=1), count - 1)[:count]
        for vector in vectors
    ]
    return np.array(nearest, np.float64).mean(axis=1)
