"""Cross-validation of a classifier: fitted on the rows of the other folds, without Keras."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import numpy as np

from realart.core import damage, paths, tables
from realart.core.outputs import fresh_directory
from realart.features import vectors
from realart.models import classifiers
from realart.models.classifiers import FittedClassifier
from realart.params import ClassifierRecipe, Params
from realart.training import check_params, folds
from realart.training.folds import FoldCallback, FoldTrainer

CLASSIFIER = "head.npz"


@contextmanager
def fold_trainer(
    params: Params, recipe: ClassifierRecipe, rows: Path, features: Path
) -> Iterator[FoldTrainer]:
    """Yield the trainer of the folds of a recipe, which writes a `CLASSIFIER` for each.

    Parameters
    ----------
    rows
        A table with the columns `tables.ROWS`.
    features
        The folder of their feature vectors.

    Raises
    ------
    RealartError
        There is no such classifier, it lacks a hyperparameter of the grid, or a feature is not
        finite.
    """
    check_params.check_classifier(recipe.head, f"recipes.{params.model}.head")
    vectors.require_finite(features, rows)
    yield FoldTrainer(partial(_train, params, recipe, rows, features), __name__)


def load_members(
    params: Params, recipe: ClassifierRecipe, features: Path, trained: Sequence[Path]
) -> Iterator[FittedClassifier]:
    """Load and yield the classifiers that `fold_trainer` wrote into the folders `trained`."""
    for folder in trained:
        with damage.named(folder / CLASSIFIER, f"`dvc checkout --force {paths.FOLDS}`"):
            classifier = FittedClassifier.load(folder / CLASSIFIER)
        yield classifier


def _train(
    params: Params,
    recipe: ClassifierRecipe,
    rows: Path,
    features: Path,
    remaining: Sequence[int],
    folder: Path,
    on_fold: FoldCallback,
) -> Iterator[int]:
    blocks = vectors.read(features)
    inputs, widths = np.concatenate(blocks, axis=1), [block.shape[1] for block in blocks]
    table = tables.read(rows, tables.ROWS)
    labels, sets = tables.is_ai(table["label"]), table["set"].to_numpy()
    for fold in remaining:
        on_fold(fold)
        indices = folds.fold_indices(
            table, fold, params.split.slices, params.held_out_sets.get(fold)
        )
        fit = indices.fit_all
        training_rows = classifiers.TrainingRows(
            vectors=inputs[fit],
            labels=labels[fit],
            weights=folds.weights(labels, fit, params.balance, sets)[fit],
            groups=table["group"].to_numpy()[fit],
            published=(table["operation"] == "").to_numpy()[fit],
        )
        classifier, record = classifiers.fit(recipe.head, training_rows, widths, params.train.seed)
        with fresh_directory(folder / f"{fold}") as beside:
            classifier.save(beside / CLASSIFIER)
            scores = classifier.scores(inputs[indices.held_out])
            folds.write(table.loc[indices.held_out], scores, [record], beside)
        yield fold
