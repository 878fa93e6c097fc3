"""A trained model as files: what `predict` needs and nothing else, rebuilt without pickle."""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias, TypeVar
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from realart import inputs, parallel, vectors
from realart.errors import RealartError
from realart.heads import Fitted
from realart.inputs import Input, Seen
from realart.outputs import write_json
from realart.params import Classifier, Layers, Recipe, Strict, Vectors

Item = TypeVar("Item")

ARCHITECTURE = "architecture.json"
WEIGHTS = "{}.weights.h5"
HEAD = "{}.npz"
BATCH = 32

Member: TypeAlias = Any
"""A `Fitted` head or a Keras model; Keras is not imported here before a model needs it."""


class Card(Strict):
    """What is written beside the weights: the recipe, what it sees, how many members vote."""

    recipe: Recipe
    input: Input
    members: int


def save(folder: Path, recipe: Recipe, seen: Input, members: Iterable[Member]) -> None:
    """Write a model whose score is the mean of its members'.

    Those are fitted heads, or networks that differ in weights only. What describes pictures to them
    is written by `realart.describers`.
    """
    count = 0
    for count, member in enumerate(members, 1):
        if isinstance(member, Fitted):
            member.save(folder / HEAD.format(count - 1))
            continue
        from realart import recipes

        (folder / ARCHITECTURE).write_text(recipes.architecture(member), "utf-8")
        member.save_weights(folder / WEIGHTS.format(count - 1))
    card = Card(recipe=recipe, input=seen, members=count)
    write_json(card.model_dump(), folder / "model.json")


class Final:
    """A model loaded from the folder that `save` wrote. Keras is imported if a network needs it.

    Raises
    ------
    RealartError
        The folder holds no such model.
    """

    def __init__(self, folder: Path) -> None:
        card = _card(folder)
        self.recipe, self.input = card.recipe, card.input
        self.describers = _describers(folder, card.input)
        load = _head if isinstance(card.recipe, Classifier) else _network
        self.members = [load(folder, number) for number in range(card.members)]

    def scores(self, *batch: NDArray[Any]) -> NDArray[np.float64]:
        """Return the probability of ai: what is seen of n pictures in, float64 (n,) out."""
        if isinstance(self.recipe.sees, Vectors):
            batch = (vectors.describe(batch, self.input.parts, self.describers),)
        each = [_scores(member, *batch) for member in self.members]
        return np.asarray(np.mean(each, axis=0))

    def scores_of(
        self, look: Callable[[Item], Seen], items: Sequence[Item], title: str
    ) -> NDArray[np.float64]:
        """Return the same of what `look` sees of each item; only a batch is in memory at once."""
        batches = parallel.batches(look, items, BATCH, title)
        return np.concatenate([self.scores(*inputs.stack(batch)) for batch in batches])


def _scores(member: Member, seen: NDArray[Any]) -> NDArray[np.float64]:
    if isinstance(member, Fitted):
        return member.scores(seen)
    from realart import recipes

    return recipes.scores(member.predict(seen, batch_size=BATCH, verbose=0))


def _describers(folder: Path, seen: Input) -> vectors.Networks:
    if not any(isinstance(part, Layers) for part in seen.parts.values()):
        return {}
    from realart import describers

    with _loading(folder):
        return describers.kept(seen, folder)


def _head(folder: Path, number: int) -> Fitted:
    with _loading(folder / HEAD.format(number)):
        return Fitted.load(folder / HEAD.format(number))


def _network(folder: Path, number: int) -> Member:
    from realart import recipes

    with _loading(folder / WEIGHTS.format(number)):
        member = recipes.from_architecture((folder / ARCHITECTURE).read_text("utf-8"))
        member.load_weights(folder / WEIGHTS.format(number))
    return member


@contextmanager
def _loading(what: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, EOFError, ValueError, TypeError, KeyError, BadZipFile) as error:
        raise RealartError(f"{what} can't be loaded ({error}): run `dvc repro`") from error


def _card(folder: Path) -> Card:
    file = folder / "model.json"
    try:
        return Card.model_validate(json.loads(file.read_text("utf-8")))
    except FileNotFoundError as error:
        raise RealartError(f"no model in {folder}: train one with `dvc repro`") from error
    except (json.JSONDecodeError, ValidationError) as error:
        raise RealartError(f"{file} is not of this version: run `dvc repro`") from error
