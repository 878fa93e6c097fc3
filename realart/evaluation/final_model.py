"""Choose and calibrate the final model on out-of-fold scores, and score the test part.

Nothing is chosen on the test part: calibration, thresholds and the best fold come from out-of-fold
scores.
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
from realart.models import novelty, trained_model
from realart.models.manifest import Origin
from realart.models.novelty import NoveltyDetector
from realart.models.trained_model import TrainedModel
from realart.params import Params, Promise
from realart.training import recipe_kinds
from realart.training.folds import FoldResult


def calibrate_out_of_fold(
    results: Sequence[FoldResult], groups: "pd.Series[str]", promise: Promise, data: str
) -> tuple[pd.DataFrame, DecisionRule]:
    """Calibrate the held-out scores of all folds, and choose the final model's decision rule.

    The scores of a fold are calibrated on those of the other folds, the final model's on all.

    Parameters
    ----------
    results
        Of all folds.
    groups
        The group of near-duplicates of each picture, by its id.
    promise
        Error rates that the thresholds are to keep on further pictures.
    data
        The name of the data set.

    Returns
    -------
    oof, rule
        Calibrated probabilities, with the columns `tables.SCORES`; calibration and thresholds of
        the final model.
    """
    held_out = [result.scores for result in results]
    oof = pd.concat(held_out, ignore_index=True)
    labels, scores = labels_and_scores(oof)
    fold = np.repeat(np.arange(len(held_out)), [len(table) for table in held_out])
    probabilities = calibration.cross_calibrate(labels, scores, fold)
    rule = thresholds.choose_rule(
        labels,
        probabilities,
        groups.loc[oof["row"]],
        promise,
        calibration.fit(labels, scores),
        data,
    )
    return oof.assign(score=probabilities), rule


def score_held_out_sets(
    held_out: Mapping[str, FoldResult], results: Sequence[FoldResult], sets: "pd.Series[str]"
) -> pd.DataFrame:
    """Return calibrated probabilities of each set by the model that was trained on the others.

    As for any picture from elsewhere, the calibration is fitted on out-of-fold scores of the other
    sets alone.

    Parameters
    ----------
    held_out
        For each set by name, the result of the fold that holds it out.
    results
        Of the other folds.
    sets
        The set of each picture, by its id.

    Returns
    -------
    DataFrame
        Columns `tables.SCORES`.
    """
    oof = pd.concat([result.scores for result in results])
    calibrated = []
    for name, result in held_out.items():
        others = oof[sets.loc[oof["row"]].to_numpy() != name]
        of_others = calibration.fit(*labels_and_scores(others))
        probabilities = of_others(result.scores["score"].to_numpy())
        calibrated.append(result.scores.assign(score=probabilities))
    return pd.concat(calibrated, ignore_index=True)


def fit_novelty(oof: pd.DataFrame, results: Sequence[FoldResult]) -> NoveltyDetector:
    """Fit the detector of pictures unlike the training pictures, by their stored files.

    Parameters
    ----------
    oof
        Columns id and file, of each training picture.
    results
        Of all folds: a picture is compared with those of other folds.
    """
    fold = {row: number for number, result in enumerate(results) for row in result.scores["row"]}
    references = oof.sort_values("id").head(novelty.MAX_REFERENCES)  # ids are digests: a sample
    vectors = novelty.measure_files([paths.DATA / file for file in references["file"]])
    return novelty.fit(vectors, references["id"].map(fold).to_numpy())


def origin(params: Params) -> Origin:
    """Return the names of the recipe and the sets of a run."""
    sets = {name: data.source for name, data in params.sets.items()}
    return Origin(model=params.model, sets=sets)


def save_final(
    params: Params,
    results: Sequence[FoldResult],
    rule: DecisionRule,
    detector: NoveltyDetector,
    caution: str,
) -> TrainedModel:
    """Save the model that `evaluate.final` names to models/final, and load it from there.

    Parameters
    ----------
    results
        Of all folds; the best fold is chosen by their held-out metrics.
    rule
        Calibration and thresholds, saved with the model.
    detector
        Of pictures unlike the training pictures, saved with the model.
    caution
        What `verdict.caution` returns, saved with the model.
    """
    folders = [paths.FOLDS / f"{fold}" for fold in range(len(results))]
    if params.evaluate.final == "best_fold":
        folders = [folders[classification.best_fold([result.figures for result in results])]]
    spec = extraction.read_spec(paths.FEATURES)
    members = recipe_kinds.load_members(params, paths.FEATURES, folders)
    with fresh_directory(paths.FINAL) as beside:
        vectors.copy_networks(spec.parts, paths.FEATURES, beside)
        detector.save(beside)
        trained_model.save(beside, params.recipe, spec, members, rule, origin(params), caution)
    return TrainedModel(paths.FINAL)


def score_test(
    model: TrainedModel, pictures: pd.DataFrame, archives: Mapping[str, Path]
) -> pd.DataFrame:
    """Score the published files of the test part by a saved model, as `realart predict` does.

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
    prepare = partial(preprocessing.from_member, model.input)
    return test.assign(score=model.score_items(prepare, published, "evaluate")[:, 0])


def labels_and_scores(table: pd.DataFrame) -> tuple[Labels, Scores]:
    """Return labels (1 for ai) and scores, shape (n,), of a table with columns `tables.SCORES`."""
    return tables.is_ai(table["label"]), table["score"].to_numpy()
