"""A trained model as files: what `predict` needs and nothing else, rebuilt without pickle."""

import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from realart import parallel, recipes
from realart.backend import keras
from realart.errors import RealartError
from realart.inputs import Input
from realart.outputs import write_json
from realart.params import Recipe, Strict
from realart.pictures import Pixels

Item = TypeVar("Item")

ARCHITECTURE = "architecture.json"
WEIGHTS = "{}.weights.h5"


class Card(Strict):
    """What is written beside the weights: the network, what it sees, how many members vote."""

    recipe: Recipe
    input: Input
    members: int


def save(folder: Path, recipe: Recipe, seen: Input, members: Iterable[keras.Model]) -> None:
    """Write a model whose score is the mean of its members', networks that differ in weights."""
    count = 0
    for count, member in enumerate(members, 1):
        (folder / ARCHITECTURE).write_text(recipes.architecture(member), "utf-8")
        member.save_weights(folder / WEIGHTS.format(count - 1))
    card = Card(recipe=recipe, input=seen, members=count)
    write_json(card.model_dump(), folder / "model.json")


class Final:
    """A model loaded from the folder that `save` wrote.

    Raises
    ------
    RealartError
        The folder holds no such model.
    """

    def __init__(self, folder: Path) -> None:
        card = _card(folder)
        self.recipe, self.input = card.recipe, card.input
        self.members = [_member(folder, number) for number in range(card.members)]

    def scores(self, pixels: Pixels) -> NDArray[np.float64]:
        """Return the probability of ai: uint8 (n, size, size, 3) in, float64 (n,) out."""
        batch = self.recipe.batch_size
        each = [
            recipes.scores(member.predict(pixels, batch_size=batch, verbose=0))
            for member in self.members
        ]
        return np.asarray(np.mean(each, axis=0))

    def scores_of(
        self, look: Callable[[Item], Pixels], items: Sequence[Item], title: str
    ) -> NDArray[np.float64]:
        """Return the same of what `look` sees of each item; only a batch is in memory at once."""
        batches = parallel.batches(look, items, self.recipe.batch_size, title)
        return np.concatenate([self.scores(np.stack(batch)) for batch in batches])


def _member(folder: Path, number: int) -> keras.Model:
    try:
        member = recipes.from_architecture((folder / ARCHITECTURE).read_text("utf-8"))
        member.load_weights(folder / WEIGHTS.format(number))
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise RealartError(
            f"{folder / WEIGHTS.format(number)} can't be loaded ({error}): run `dvc repro`"
        ) from error
    return member


def _card(folder: Path) -> Card:
    file = folder / "model.json"
    try:
        return Card.model_validate(json.loads(file.read_text("utf-8")))
    except FileNotFoundError as error:
        raise RealartError(f"no model in {folder}: train one with `dvc repro`") from error
    except (json.JSONDecodeError, ValidationError) as error:
        raise RealartError(f"{file} is not of this version: run `dvc repro`") from error
