"""One interface for both kinds of recipe: networks of Keras, classifiers of scikit-learn."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol

from realart.params import Params
from realart.training.folds import FoldTrainer


class RecipeKind(Protocol):
    """The functions of a module for a kind of recipe: `cv_network` and `cv_classifier`."""

    def fold_trainer(
        self, params: Params, recipe: Any, rows: Path, features: Path
    ) -> AbstractContextManager[FoldTrainer]:
        """Yield the trainer of the folds of a recipe, for `rows` whose input is in `features`."""

    def load_members(
        self, params: Params, recipe: Any, features: Path, trained: Sequence[Path]
    ) -> Iterator[Any]:
        """Yield the model in each of the folders `trained`, for `trained_model.save`."""


def kind_of(params: Params) -> RecipeKind:
    """Return the module for the kind of the chosen recipe."""
    if params.recipe.uses_keras:
        from realart.training import cv_network  # Keras takes seconds to import

        return cv_network
    from realart.training import cv_classifier

    return cv_classifier


def fold_trainer(params: Params, rows: Path, features: Path) -> AbstractContextManager[FoldTrainer]:
    """Return a context that yields the trainer of the folds of the chosen recipe.

    Parameters
    ----------
    rows
        A table with the columns `tables.ROWS`.
    features
        The folder of the training input, as `features.extraction` writes it.

    Raises
    ------
    RealartError
        The recipe can't be built, or there are too few devices.
    """
    return kind_of(params).fold_trainer(params, params.recipe, rows, features)


def load_members(params: Params, features: Path, trained: Sequence[Path]) -> Iterator[Any]:
    """Yield the whole model of each of the folders `trained`, which are those of folds."""
    return kind_of(params).load_members(params, params.recipe, features, trained)
