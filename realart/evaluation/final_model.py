"""The final model of a run: chosen and calibrated out of fold, then scored on the test part.

The test part decides nothing: thresholds, calibration and the choice of a fold are those of scores
out of fold.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from realart.core import paths, tables
from realart.core.outputs import fresh_directory
from realart.data import raw
from realart.features import extraction, preprocessing, vectors
from realart.metrics import calibration, classification, thresholds
from realart.metrics.classification import Labels, Scores
from realart.metrics.thresholds import DecisionRule
from realart.models import trained_model
from realart.models.trained_model import TrainedModel
from realart.params import Params
from realart.training import recipe_kinds
from realart.training.folds import FoldResult


def out_of_fold(
    results: Sequence[FoldResult], accuracy: float
) -> tuple[pd.DataFrame, DecisionRule]:
    """Calibrate the held-out scores of all folds, and choose how a model's scores are read.

    The scores of a fold are calibrated by those of the other folds; the final model's by all.

    Parameters
    ----------
    accuracy
        Of the decisions that are to be given where a model may be unsure, 0.5 to 1.

    Returns
    -------
    oof, rule
        Columns `tables.SCORES`, calibrated probabilities; calibration and thresholds of the final
        model.
    """
    held_out = [result.scores for result in results]
    oof = pd.concat(held_out, ignore_index=True)
    labels, scores = labels_and_scores(oof)
    fold = np.repeat(np.arange(len(held_out)), [len(table) for table in held_out])
    probabilities = calibration.cross_calibrate(labels, scores, fold)
    rule = DecisionRule(
        calibration=calibration.fit(labels, scores),
        points=thresholds.choose_points(labels, probabilities),
        sure=thresholds.confidence_threshold(labels, probabilities, accuracy),
    )
    return oof.assign(score=probabilities), rule


def unseen_sets(
    held_out: Mapping[str, FoldResult], results: Sequence[FoldResult], sets: "pd.Series[str]"
) -> pd.DataFrame:
    """Return calibrated probabilities for each set by the model that was trained on the others.

    They are calibrated as those of a picture from elsewhere are: on scores out of fold of the other
    sets alone.

    Parameters
    ----------
    held_out
        The result of the fold that holds out each set, by its name.
    results
        Those of the other folds.
    sets
        The set of each picture, by its id.

    Returns
    -------
    DataFrame
        Columns `tables.SCORES`.
    """
    oof = pd.concat([result.scores for result in results])
    found = []
    for name, result in held_out.items():
        others = oof[sets.loc[oof["row"]].to_numpy() != name]
        calibrated = calibration.fit(*labels_and_scores(others))
        found.append(result.scores.assign(score=calibrated(result.scores["score"].to_numpy())))
    return pd.concat(found, ignore_index=True)


def save(params: Params, results: Sequence[FoldResult], rule: DecisionRule) -> TrainedModel:
    """Write the model that `evaluate.final` asks for to models/final, and load it from there.

    The best fold is chosen by the held-out figures of the folds, whose `results` are given.
    """
    folders = [paths.FOLDS / f"{fold}" for fold in range(len(results))]
    if params.evaluate.final == "best_fold":
        folders = [folders[classification.best_fold([result.figures for result in results])]]
    spec = extraction.read_spec(paths.FEATURES)
    members = recipe_kinds.load_members(params, paths.FEATURES, folders)
    with fresh_directory(paths.FINAL) as beside:
        vectors.copy_networks(spec.parts, paths.FEATURES, beside)
        trained_model.save(beside, params.recipe, spec, members, rule)
    return TrainedModel(paths.FINAL)


def score_test(
    model: TrainedModel, pictures: pd.DataFrame, archives: Mapping[str, Path]
) -> pd.DataFrame:
    """Score the test part as `realart predict` would: published files, the model as it is on disk.

    Parameters
    ----------
    pictures
        Columns `tables.PICTURES`, by their ids.
    archives
        The published zip archive of each set.

    Returns
    -------
    DataFrame
        Columns `tables.SCORES`.
    """
    rows = tables.read(paths.ROWS, tables.ROWS)
    test = rows.loc[rows["part"] == "test", ["row", "label"]]
    published = raw.members(pictures.loc[test["row"]], archives)
    prepare = partial(preprocessing.of_member, model.input)
    return test.assign(score=model.scores_of(prepare, published, "evaluate")[:, 0])


def labels_and_scores(table: pd.DataFrame) -> tuple[Labels, Scores]:
    """Return labels, 1 for ai, and scores of a table with the columns `tables.SCORES`."""
    return tables.is_ai(table["label"]), table["score"].to_numpy()
