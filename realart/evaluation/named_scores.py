"""The scores of a detector by a name: a run of this project, or a folder of `realart evaluate`."""

import json
from pathlib import Path

import pandas as pd

from realart.core import paths, revisions, tables
from realart.evaluation import set_report
from realart.evaluation.compare import PARTS, SET
from realart.metrics.classification import THRESHOLD


def load(name: str) -> tuple[pd.DataFrame, float | None]:
    """Load the scores of a run, or of a detector on a set.

    Parameters
    ----------
    name
        An experiment, a commit, the workspace, or a folder that `realart evaluate` wrote.

    Returns
    -------
    scores, threshold
        Columns `tables.PREDICTIONS`, and the score from which a picture is classified as ai, None
        if there is none.

    Raises
    ------
    RealartError
        There is no such revision or folder, or it has no scores, or they are not in DVC's cache.
    """
    folder = Path(name)
    if (folder / set_report.SCORES).is_file() and (folder / set_report.FIGURES).is_file():
        scores = tables.read(folder / set_report.SCORES, tables.PREDICTIONS)
        report = json.loads((folder / set_report.FIGURES).read_text("utf-8"))
        part = scores["part"].where(scores["part"].isin(PARTS), SET)
        return scores.assign(part=part), report.get("threshold", THRESHOLD)
    with revisions.outputs_of(name, paths.SCORES) as folder:
        return tables.read(folder / paths.SCORES, tables.PREDICTIONS), THRESHOLD
