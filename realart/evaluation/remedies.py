"""What to do about the shortcuts that an audit finds, in words: a remedy for each kind."""

from collections.abc import Sequence

import pandas as pd

from realart.evaluation.predictability import LEVELS
from realart.evaluation.shortcuts import ALL, AVAILABLE, COLOUR, PUBLISHED, SET

SHAPE = ("width", "height", "aspect", "width and height")
DETAIL = ("bytes", "bits per pixel")
"""Fields of a stored file's header that follow from its picture, as colour does."""
REMEDIES = {
    "files": "What now, about files: the pipeline saves both classes alike, so that its models see "
    "no header of a published file. Models of others may: publish all files saved alike.",
    "sets": "What now, about sets: take sets that have both classes each, and believe the figures "
    "of sets held out (`split.method=sets`).",
    "encoding": "What now, about stored files: `clean.encoding=jpeg` saves both classes alike.",
    "shape": "What now, about size and shape: train a recipe whose squares are made by `shape: "
    "crop`, on pictures of both classes of the same sizes and shapes. What its accuracy is worth "
    "without them, pictures matched by format and size show.",
    "content": "What now, about colour and detail: the classes show different things, or come from "
    "different places. Add pictures of either class from the sources of the other, of the same "
    "subjects and styles, and leave out what only one class has.",
    "accuracy": "What now, about accuracies: one near that of the shortcut baseline shows nothing "
    "about art. Judge a model by its gain over the baseline, and on pictures from elsewhere.",
}
"""What to do about each kind of shortcut: a sentence or two."""


def remedies(table: pd.DataFrame) -> Sequence[str]:
    """Return what to do about each kind of shortcut that is known to predict the label.

    Parameters
    ----------
    table
        What `shortcuts.evaluate_candidates` returns.

    Returns
    -------
    list of str
        Values of `REMEDIES`, in their order: of shortcuts from which the label is more than hardly
        predictable, by the lower bound of the AUC.
    """
    known = table[table["auc_low"] > LEVELS["hardly"]]
    kinds = set().union(*map(_kinds, known["scope"], known["name"]))
    return [words for kind, words in REMEDIES.items() if kind in kinds]


def _kinds(scope: str, name: str) -> set[str]:
    """Return the keys of `REMEDIES` for a candidate of `shortcuts`."""
    if scope == PUBLISHED:
        return {"sets" if name == SET else "files"}
    if scope not in AVAILABLE:  # texture may be the art's own
        return set()
    if scope == COLOUR or name in DETAIL:
        return {"accuracy", "content"}
    return {"accuracy"} | ({"shape"} if name in SHAPE else set() if name == ALL else {"encoding"})
