"""Statistics of error level analysis: how much a second JPEG save changes a picture, and where."""

import cv2
import numpy as np

from realart.data.pictures import Pixels
from realart.features.ela import error_level
from realart.features.forensic import register
from realart.features.pixel_statistics import BLOCK, Vector

QUALITY = 75  # of the second save: a picture that is stored at the same quality has a blank map
SHARES = (10, 25, 50, 75, 90, 99)


@register("levels", size=15)
def vector(pixels: Pixels) -> Vector:
    """Compute statistics of the unscaled ELA map: shape (15,), logarithms of grey levels, shares.

    Mean, spread and share above 8 of each channel; percentiles of the means of 8x8 blocks (Krawetz,
    "A Picture's Worth", 2007: parts of one origin have one error level).
    """
    level = error_level(pixels, QUALITY, 1.0)
    rows, columns = (side // BLOCK for side in level.shape[:2])
    whole = level[: rows * BLOCK, : columns * BLOCK].astype(np.float32)
    blocks = cv2.resize(whole, (columns, rows), interpolation=cv2.INTER_AREA)
    percentiles = np.log1p(np.percentile(np.asarray(blocks).mean(2), SHARES))
    mean, spread = cv2.meanStdDev(level)
    moments = [np.log1p(mean.ravel()), np.log1p(spread.ravel()), (level > 8).mean((0, 1))]
    return np.concatenate([*moments, percentiles]).astype(np.float32)
