"""Match pictures of both classes by format, size and aspect ratio."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from realart.core import tables
from realart.metrics import classification, intervals


def matched(pictures: pd.DataFrame) -> NDArray[np.bool_]:
    """Return a mask that keeps as many pictures of each class in every stratum, shape (n,).

    Coarsened exact matching (Iacus, King, Porro, "Causal Inference without Balance Checking:
    Coarsened Exact Matching", Political Analysis 20, 2012): a stratum is a format, half an octave
    of the number of pixels and a quarter octave of width divided by height.

    Parameters
    ----------
    pictures
        Columns of `tables.PICTURES`, n rows; of a stratum's larger class the lowest ids are kept.
    """
    strata = ["format", "size", "shape"]
    table = pictures.reset_index(drop=True).assign(
        size=np.round(2 * np.log2((pictures["width"] * pictures["height"]).to_numpy())),
        shape=np.round(4 * np.log2((pictures["width"] / pictures["height"]).to_numpy())),
    )
    own = table.groupby([*strata, "label"])["id"].transform("size")
    other = table.groupby(strata)["id"].transform("size") - own
    rank = table.sort_values("id").groupby([*strata, "label"]).cumcount().sort_index()
    return np.asarray(rank < np.minimum(own, other))


def figures(
    scores: pd.DataFrame,
    pictures: pd.DataFrame,
    threshold: float | None = classification.THRESHOLD,
) -> dict[str, float]:
    """Compute accuracy and AUC on matched pictures alone.

    Parameters
    ----------
    scores, pictures
        Columns `tables.SCORES` and `tables.PICTURES`, the same pictures in the same order.
    threshold
        Score from which a picture is classified as ai; None leaves out accuracy.

    Returns
    -------
    dict
        pictures (how many are matched), accuracy and auc; the last two only if there are some.
    """
    kept = scores[matched(pictures)]
    if kept.empty:
        return {"pictures": 0}
    labels, values = tables.is_ai(kept["label"]), kept["score"].to_numpy()
    accuracy = {}
    if threshold is not None:
        accuracy = {"accuracy": classification.at(labels, values, threshold)["accuracy"]}
    auc = classification.ranking_figures(labels, values)["auc"]
    return {"pictures": len(kept), **accuracy, "auc": auc}


def describe(report: Mapping[str, Any]) -> str:
    """Describe the accuracy on matched pictures, and what follows from it, as a sentence.

    Parameters
    ----------
    report
        What evaluation.json holds: `matched` has what `figures` returns for each part. Out
        of fold the accuracy counts as less than on all pictures if Wilson's 95 % interval is below.
    """
    test, oof = (report["matched"][part] for part in ("test", "oof"))
    start = "Pictures matched by format and size, which then tell nothing about the label: "
    if not oof["pictures"]:
        return f"{start}there are none, so nobody knows what the accuracy is worth without these."
    accuracy, pictures = oof["accuracy"], oof["pictures"]
    of_all = report["oof"]["accuracy"]
    less = intervals.wilson(round(accuracy * pictures), pictures).high < of_all
    of_test = (
        f"accuracy {test['accuracy']:.3f} ({test['pictures']})" if test["pictures"] else "none"
    )
    conclusion = (
        f"less than on all pictures ({of_all:.3f}): part of that is format and size"
        if less
        else f"no less, but for chance, than on all pictures ({of_all:.3f})"
    )
    return (
        f"{start}out of fold accuracy {accuracy:.3f} ({pictures}), of the test part {of_test}. Out "
        f"of fold that is {conclusion}."
    )
