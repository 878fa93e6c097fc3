"""Kinds of recipe behind one interface: a network of Keras, or a classifier of scikit-learn."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol

from realart.params import Params
from realart.training.folds import FoldTrainer


class RecipeKind(Protocol):
    """What a module of a kind of recipe offers: `cv_network` and `cv_classifier` do."""

    def fold_trainer(
        self, params: Params, recipe: Any, rows: Path, features: Path
    ) -> AbstractContextManager[FoldTrainer]:
        """Yield what trains the folds of a recipe on the rows whose input lies in `features`."""

    def load_members(
        self, params: Params, recipe: Any, features: Path, trained: Sequence[Path]
    ) -> Iterator[Any]:
        """Yield the model in each of the folders `trained`, as `trained_model.save` takes it."""


def kind_of(params: Params) -> RecipeKind:
    """Return the kind of the chosen recipe."""
    if params.recipe.uses_keras:
        from realart.training import cv_network  # Keras takes seconds to import

        return cv_network
    from realart.training import cv_classifier

    return cv_classifier


def fold_trainer(params: Params, rows: Path, features: Path) -> AbstractContextManager[FoldTrainer]:
    """Yield what trains the folds of the chosen recipe.

    Parameters
    ----------
    rows
        A table with the columns `tables.ROWS`.
    features
        The folder of what the recipe is trained on, as `features.extraction` writes it.

    Raises
    ------
    RealartError
        The recipe can't be built, or there are not the devices that it asks for.
    """
    return kind_of(params).fold_trainer(params, params.recipe, rows, features)


def load_members(params: Params, features: Path, trained: Sequence[Path]) -> Iterator[Any]:
    """Yield the whole model of each of the folders `trained`, one of a fold each."""
    return kind_of(params).load_members(params, params.recipe, features, trained)
