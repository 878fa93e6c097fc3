"""Find pictures that are probably labelled wrongly, from out-of-fold probabilities."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from realart.core import tables
from realart.metrics import text
from realart.metrics.classification import Labels, Scores

COLUMNS = {"id": str, "set": str, "path": str, "label": str, "probability": float, "margin": float}
LEAST_AUC = 0.8
"""AUC that a model must be known to have, by its 95 % interval, for its doubts to be of use.

With 5 % of labels wrong and normally distributed scores, one in five pictures that are listed at
this AUC is labelled wrongly; at an AUC of 0.6 one in fourteen, hardly more than of all pictures.
"""


def unreliable(figures: Mapping[str, Any]) -> str:
    """Return why a model's label issues say nothing, as a clause; an empty string if they do.

    Parameters
    ----------
    figures
        Of its out-of-fold scores: `auc`, and `intervals` with `low` and `high` of it.
    """
    if text.estimate("auc", figures).low >= LEAST_AUC:
        return ""
    auc = text.format_figure("auc", figures)
    return (
        f"label issues are not listed: with an AUC out of fold of {auc}, not known to reach "
        f"{LEAST_AUC:g}, most would be mistakes of the model"
    )


def label_issues(pictures: pd.DataFrame, probabilities: Scores) -> pd.DataFrame:
    """List pictures whose label is probably wrong, the least likely label first.

    Confident learning (Northcutt, Jiang, Chuang, "Confident Learning: Estimating Uncertainty in
    Dataset Labels", 2021): a picture probably belongs to the other class if that class is the
    likelier one, and at least as likely as it is on average for pictures that carry its label.

    Parameters
    ----------
    pictures
        Columns of `tables.PICTURES`; n rows.
    probabilities
        Out-of-fold probabilities of ai, in the same order; shape (n,).

    Returns
    -------
    DataFrame
        Columns `COLUMNS`. `probability` is that of ai; `margin` is the probability of the label
        less that of the other class, from -1 to 0.
    """
    labels = tables.is_ai(pictures["label"])
    table = pictures[["id", "set", "path", "label"]].assign(
        probability=probabilities, margin=(2 * labels - 1) * (2 * probabilities - 1)
    )
    is_issue = _other_class_likelier(labels, probabilities)
    return table[is_issue].sort_values(["margin", "id"], ignore_index=True)


def _other_class_likelier(labels: Labels, probabilities: Scores) -> NDArray[np.bool_]:
    ai = labels == 1
    other = np.where(ai, 1 - probabilities, probabilities)
    mean_ai, mean_human = probabilities[ai].mean(), (1 - probabilities[~ai]).mean()
    threshold = np.where(ai, mean_human, mean_ai)
    return (other >= threshold) & (other > 0.5)
