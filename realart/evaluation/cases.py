"""Classify the cases: labelled pictures that no model may misclassify."""

from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from realart.core.errors import RealartError
from realart.data import defaults, raw
from realart.evaluation import labelled_set
from realart.features import preprocessing
from realart.models import novelty
from realart.models.trained_model import TrainedModel
from realart.params import Cases

NO_PICTURES = ("unlabelled", "not a picture")
"""Reasons for which a file is no case: a README, or a file of DVC."""


def evaluate(model: TrainedModel, cases: Cases | None) -> dict[str, dict[str, float]]:
    """Classify each case without an operating point, as `realart predict --once` does.

    Folders name classes as in any local set.

    Parameters
    ----------
    cases
        Their folder, and what `unsure` counts as. None has no cases.

    Returns
    -------
    dict
        By the path of each case in the folder: `score`, the calibrated probability of ai; `right`,
        1 or 0.

    Raises
    ------
    RealartError
        There is no such folder, or a case in it can't be used.
    """
    if cases is None:
        return {}
    folder = Path(cases.folder)
    if not folder.is_dir():
        raise RealartError(f"goals.cases.folder is {cases.folder}: there is no such folder")
    if not any(file.parent != folder for file in folder.rglob("*") if file.is_file()):
        return {}
    with TemporaryDirectory() as temporary:
        archive = labelled_set.zipped(folder, Path(temporary))
        pictures = labelled_set.clean(archive, defaults.LABELS, model.input.clean, Path(temporary))
        rejected = pictures.rejected[~pictures.rejected["reason"].isin(NO_PICTURES)]
        for path, reason in zip(rejected["path"], rejected["reason"], strict=True):
            raise RealartError(f"case {folder / path} can't be used ({reason}): remove it")
        prepare = partial(preprocessing.from_member, model.input)
        members = raw.members(pictures.kept.assign(set=""), {"": archive})
        scores = model.score_items(prepare, members, "cases")[:, 0]
        is_novel = np.zeros(len(scores), np.bool_)
        if model.novelty:
            is_novel = model.novelty.novel(novelty.measure_files(pictures.stored))
    results = {}
    kept = pictures.kept
    for path, label, score, unlike in zip(
        kept["path"], kept["label"], scores.tolist(), is_novel, strict=True
    ):
        decision = "unsure" if unlike else model.decision_rule.decide(score)
        is_right = cases.unsure == "right" if decision == "unsure" else decision == label
        results[path] = {"score": score, "right": float(is_right)}
    return results
