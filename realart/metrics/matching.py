"""Pictures of both classes that are alike in what is not art: format, size and shape."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from realart.core import tables
from realart.metrics import classification


def matched(pictures: pd.DataFrame) -> NDArray[np.bool_]:
    """Mark as many pictures of each class in every stratum of format, size and aspect.

    Coarsened exact matching (Iacus, King, Porro, Political Analysis 20, 2012): a stratum is a
    format, half an octave of pixels and a quarter octave of width by height.

    Parameters
    ----------
    pictures
        Columns of `tables.PICTURES`; of a stratum's larger class those of the lowest ids are taken.
    """
    strata = ["format", "size", "shape"]
    table = pictures.reset_index(drop=True).assign(
        size=np.round(2 * np.log2((pictures["width"] * pictures["height"]).to_numpy())),
        shape=np.round(4 * np.log2((pictures["width"] / pictures["height"]).to_numpy())),
    )
    own = table.groupby([*strata, "label"])["id"].transform("size")
    other = table.groupby(strata)["id"].transform("size") - own
    place = table.sort_values("id").groupby([*strata, "label"]).cumcount().sort_index()
    return np.asarray(place < np.minimum(own, other))


def figures(scores: pd.DataFrame, pictures: pd.DataFrame) -> dict[str, float]:
    """Return how many pictures are matched, and accuracy and AUC on these alone.

    Parameters
    ----------
    scores, pictures
        Columns `tables.SCORES` and `tables.PICTURES`, the same pictures in the same order.
    """
    alike = scores[matched(pictures)]
    if alike.empty:
        return {"pictures": 0}
    found = classification.figures(tables.is_ai(alike["label"]), alike["score"].to_numpy())
    return {"pictures": len(alike), "accuracy": found["accuracy"], "auc": found["auc"]}
