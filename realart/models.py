"""A trained model as files: what `predict` needs and nothing else, rebuilt without pickle."""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cached_property, lru_cache, partial
from pathlib import Path
from typing import Any, TypeAlias, TypeVar
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from realart import evaluation, inference, inputs, parallel, vectors
from realart.errors import RealartError
from realart.evaluation import Scores
from realart.heads import Fitted
from realart.inference import UnsupportedError
from realart.inputs import Input, Seen
from realart.outputs import write_json
from realart.params import Classifier, Recipe, Strict, Vectors
from realart.verdicts import Verdicts

Item = TypeVar("Item")

CARD = "model.json"
ARCHITECTURE = "architecture.json"
WEIGHTS = "{}.weights.h5"
HEAD = "{}.npz"
BATCH = 32

Member: TypeAlias = Any
"""A `Fitted` head or a Keras model."""
Scorer = Callable[[NDArray[Any]], Scores]
"""What a member sees of n pictures in, the probability of ai out, shape (n,)."""


class Card(Strict):
    """What is written beside the weights.

    The recipe, what it sees, how many members vote, and how the mean of their scores is read.
    """

    recipe: Recipe
    input: Input
    members: int
    verdicts: Verdicts


def save(
    folder: Path, recipe: Recipe, seen: Input, members: Iterable[Member], verdicts: Verdicts
) -> None:
    """Write a model whose score is the mean of its members', made a probability by `verdicts`.

    Those are fitted heads, or networks that differ in weights only, written as Keras's own files
    and, where it can run them, for `realart.inference`. What describes pictures to them is written
    by `realart.describers`.
    """
    count = 0
    for count, member in enumerate(members, 1):
        if isinstance(member, Fitted):
            member.save(folder / HEAD.format(count - 1))
            continue
        from realart import recipes

        (folder / ARCHITECTURE).write_text(recipes.architecture(member), "utf-8")
        member.save_weights(folder / WEIGHTS.format(count - 1))
        with suppress(UnsupportedError):
            inference.export(member, folder, f"{count - 1}")
    card = Card(recipe=recipe, input=seen, members=count, verdicts=verdicts)
    write_json(card.model_dump(), folder / CARD)


class Final:
    """A model loaded from the folder that `save` wrote.

    Keras is imported only for a network that OpenVINO can't run.

    Raises
    ------
    RealartError
        The folder holds no such model.
    """

    def __init__(self, folder: Path) -> None:
        card = _card(folder)
        self.folder = folder
        self.recipe, self.input, self.verdicts = card.recipe, card.input, card.verdicts
        with _loading(folder):
            self.describers = vectors.networks(card.input.parts, folder)
        load = _head if isinstance(card.recipe, Classifier) else _network
        self.members = [load(folder, number) for number in range(card.members)]

    @cached_property
    def networks(self) -> list[Any]:
        """The members as Keras models, where more than scores is asked of networks."""
        with _loading(self.folder):
            return [_rebuilt(self.folder, number) for number in range(len(self.members))]

    def scores(self, *batch: NDArray[Any]) -> NDArray[np.float64]:
        """Return the probability of ai: what is seen of n pictures in, float64 (n,) out."""
        if isinstance(self.recipe.sees, Vectors):
            batch = (vectors.describe(batch, self.input.parts, self.describers),)
        each = [scores(*batch) for scores in self.members]
        return self.verdicts.calibration(np.mean(each, axis=0))

    def scores_of(
        self, look: Callable[[Item], Sequence[Seen]], items: Sequence[Item], title: str
    ) -> NDArray[np.float64]:
        """Return the same of the m looks that `look` takes at each of n items: float64 (n, m)."""
        return np.stack(list(parallel.each(partial(_scores, self, look), items, title)))

    def __reduce__(self) -> tuple[Callable[[Path], "Final"], tuple[Path]]:
        """Travel to another process as a folder, which is loaded there once."""
        return kept, (self.folder.resolve(),)


def _scores(
    model: Final, look: Callable[[Item], Sequence[Seen]], item: Item
) -> NDArray[np.float64]:
    return model.scores(*inputs.stack(look(item)))


def kept(folder: Path) -> Final:
    """Return the model in `folder`, loaded once in each process."""
    return _kept(folder, (folder / CARD).stat().st_mtime_ns)


@lru_cache(maxsize=1)
def _kept(folder: Path, _modified: int) -> Final:
    return Final(folder)


def _head(folder: Path, number: int) -> Scorer:
    with _loading(folder / HEAD.format(number)):
        return Fitted.load(folder / HEAD.format(number)).scores


def _network(folder: Path, number: int) -> Scorer:
    if (folder / inference.GRAPH.format(number)).is_file():
        with _loading(folder / inference.GRAPH.format(number)):
            run = inference.load(folder, f"{number}")
    else:
        with _loading(folder / WEIGHTS.format(number)):
            run = inference.by_keras(_rebuilt(folder, number))
    return lambda seen: evaluation.of_outputs(run(seen)[0])


def _rebuilt(folder: Path, number: int) -> Any:
    from realart import recipes  # Keras takes seconds to import

    member = recipes.from_architecture((folder / ARCHITECTURE).read_text("utf-8"))
    member.load_weights(folder / WEIGHTS.format(number))
    return member


@contextmanager
def _loading(what: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, EOFError, ValueError, RuntimeError, TypeError, KeyError, BadZipFile) as error:
        raise RealartError(f"{what} can't be loaded ({error}): run `dvc repro`") from error


def _card(folder: Path) -> Card:
    file = folder / CARD
    try:
        return Card.model_validate(json.loads(file.read_text("utf-8")))
    except FileNotFoundError as error:
        raise RealartError(f"no model in {folder}: train one with `dvc repro`") from error
    except (json.JSONDecodeError, ValidationError) as error:
        raise RealartError(f"{file} is not of this version: run `dvc repro`") from error
