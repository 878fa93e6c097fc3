"""Error levels as numbers: how much of a picture a second JPEG save changes, and where."""

import cv2
import numpy as np

from realart.data.pictures import Pixels
from realart.features.ela import error_level
from realart.features.pixel_statistics import BLOCK, Vector

QUALITY = 75  # of the second save: pictures that are stored at the same one have nothing to say
SHARES = (10, 25, 50, 75, 90, 99)


def vector(pixels: Pixels) -> Vector:
    """Return statistics of the unscaled ELA map: shape (15,), logarithms of grey levels, shares.

    Mean, spread and share above 8 of each channel; percentiles of the means of 8x8 blocks (Krawetz,
    "A Picture's Worth", 2007: parts of one origin have one error level).
    """
    level = error_level(pixels, QUALITY, 1.0)
    rows, columns = (side // BLOCK for side in level.shape[:2])
    whole = level[: rows * BLOCK, : columns * BLOCK].astype(np.float32)
    blocks = cv2.resize(whole, (columns, rows), interpolation=cv2.INTER_AREA)
    percentiles = np.log1p(np.percentile(np.asarray(blocks).mean(2), SHARES))
    mean, spread = (one.ravel() for one in cv2.meanStdDev(level))
    moments = [np.log1p(mean), np.log1p(spread), (level > 8).mean((0, 1))]
    return np.concatenate([*moments, percentiles]).astype(np.float32)
