"""Pictures whose label is in doubt: models that have not seen it contradict it."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from realart.core import tables
from realart.metrics.classification import Labels, Scores

COLUMNS = {"id": str, "set": str, "path": str, "label": str, "probability": float, "margin": float}


def label_issues(pictures: pd.DataFrame, probabilities: Scores) -> pd.DataFrame:
    """List pictures whose label is probably wrong, the least likely label first.

    Confident learning (Northcutt, Jiang, Chuang, "Confident Learning: Estimating Uncertainty in
    Dataset Labels", 2021): a picture belongs to the other class if that is the likelier one, and
    at least as likely as it is on average for pictures that carry its label.

    Parameters
    ----------
    pictures
        Columns of `tables.PICTURES`.
    probabilities
        Of ai, by models that have not seen the picture, in the same order.

    Returns
    -------
    pandas.DataFrame
        Columns `COLUMNS`; `probability` is that of ai, `margin` what the label's own is above that
        of the other class, from -1 to 0.
    """
    labels = tables.is_ai(pictures["label"])
    table = pictures[["id", "set", "path", "label"]].assign(
        probability=probabilities, margin=(2 * labels - 1) * (2 * probabilities - 1)
    )
    doubted = _belongs_elsewhere(labels, probabilities)
    return table[doubted].sort_values(["margin", "id"], ignore_index=True)


def _belongs_elsewhere(labels: Labels, probabilities: Scores) -> NDArray[np.bool_]:
    ai = labels == 1
    other = (1 - labels) * probabilities + labels * (1 - probabilities)
    usual = {1: probabilities[ai].mean(), 0: (1 - probabilities[~ai]).mean()}
    needed = np.where(ai, usual[0], usual[1])
    return (other >= needed) & (other > 0.5)
