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

from realart.core import parallel
from realart.core.errors import RealartError
from realart.core.outputs import write_json
from realart.features import preprocessing, vectors
from realart.features.preprocessing import InputSpec, ModelInput
from realart.metrics import classification
from realart.metrics.classification import Scores
from realart.metrics.thresholds import DecisionRule
from realart.models.classifiers import FittedClassifier
from realart.networks import openvino_runtime
from realart.networks.openvino_runtime import UnsupportedError
from realart.params import ClassifierRecipe, Recipe, Strict, VectorInput

Item = TypeVar("Item")

MANIFEST = "model.json"
ARCHITECTURE = "architecture.json"
WEIGHTS = "{}.weights.h5"
HEAD = "{}.npz"
BATCH = 32

Member: TypeAlias = Any
"""A `FittedClassifier` or a Keras model."""
Scorer = Callable[[NDArray[Any]], Scores]
"""What a member sees of n pictures in, the probability of ai out, shape (n,)."""


class ModelManifest(Strict):
    """What is written beside the weights.

    The recipe, what it sees, how many members vote, and how the mean of their scores is read.
    """

    recipe: Recipe
    input: InputSpec
    members: int
    verdicts: DecisionRule


def save(
    folder: Path, recipe: Recipe, seen: InputSpec, members: Iterable[Member], verdicts: DecisionRule
) -> None:
    """Write a model whose score is the mean of its members', made a probability by `verdicts`.

    Those are fitted heads, or networks that differ in weights only, written as Keras's own files
    and, where it can run them, for `realart.networks.openvino_runtime`. What describes pictures to
    them is written by `realart.features.feature_extractors`.
    """
    count = 0
    for count, member in enumerate(members, 1):
        if isinstance(member, FittedClassifier):
            member.save(folder / HEAD.format(count - 1))
            continue
        from realart.networks import builder

        (folder / ARCHITECTURE).write_text(builder.architecture(member), "utf-8")
        member.save_weights(folder / WEIGHTS.format(count - 1))
        with suppress(UnsupportedError):
            openvino_runtime.export(member, folder, f"{count - 1}")
    card = ModelManifest(recipe=recipe, input=seen, members=count, verdicts=verdicts)
    write_json(card.model_dump(), folder / MANIFEST)


class TrainedModel:
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
            self.feature_extractors = vectors.load_networks(card.input.parts, folder)
        load = _head if isinstance(card.recipe, ClassifierRecipe) else _network
        self.members = [load(folder, number) for number in range(card.members)]

    @cached_property
    def networks(self) -> list[Any]:
        """The members as Keras models, where more than scores is asked of networks."""
        with _loading(self.folder):
            return [_rebuilt(self.folder, number) for number in range(len(self.members))]

    def scores(self, *batch: NDArray[Any]) -> NDArray[np.float64]:
        """Return the probability of ai: what is seen of n pictures in, float64 (n,) out."""
        if isinstance(self.recipe.sees, VectorInput):
            batch = (vectors.extract(batch, self.input.parts, self.feature_extractors),)
        each = [scores(*batch) for scores in self.members]
        return self.verdicts.calibration(np.mean(each, axis=0))

    def scores_of(
        self, look: Callable[[Item], Sequence[ModelInput]], items: Sequence[Item], title: str
    ) -> NDArray[np.float64]:
        """Return the same of the m looks that `look` takes at each of n items: float64 (n, m)."""
        return np.stack(list(parallel.map_parallel(partial(_scores, self, look), items, title)))

    def __reduce__(self) -> tuple[Callable[[Path], "TrainedModel"], tuple[Path]]:
        """Travel to another process as a folder, which is loaded there once."""
        return load_cached, (self.folder.resolve(),)


def _scores(
    model: TrainedModel, look: Callable[[Item], Sequence[ModelInput]], item: Item
) -> NDArray[np.float64]:
    return model.scores(*preprocessing.stack(look(item)))


def load_cached(folder: Path) -> TrainedModel:
    """Return the model in `folder`, loaded once in each process."""
    return _kept(folder, (folder / MANIFEST).stat().st_mtime_ns)


@lru_cache(maxsize=1)
def _kept(folder: Path, _modified: int) -> TrainedModel:
    return TrainedModel(folder)


def _head(folder: Path, number: int) -> Scorer:
    with _loading(folder / HEAD.format(number)):
        return FittedClassifier.load(folder / HEAD.format(number)).scores


def _network(folder: Path, number: int) -> Scorer:
    if (folder / openvino_runtime.GRAPH.format(number)).is_file():
        with _loading(folder / openvino_runtime.GRAPH.format(number)):
            run = openvino_runtime.load(folder, f"{number}")
    else:
        with _loading(folder / WEIGHTS.format(number)):
            run = openvino_runtime.keras_inference(_rebuilt(folder, number))
    return lambda seen: classification.of_outputs(run(seen)[0])


def _rebuilt(folder: Path, number: int) -> Any:
    from realart.networks import builder  # Keras takes seconds to import

    member = builder.from_architecture((folder / ARCHITECTURE).read_text("utf-8"))
    member.load_weights(folder / WEIGHTS.format(number))
    return member


@contextmanager
def _loading(what: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, EOFError, ValueError, RuntimeError, TypeError, KeyError, BadZipFile) as error:
        raise RealartError(f"{what} can't be loaded ({error}): run `dvc repro`") from error


def _card(folder: Path) -> ModelManifest:
    file = folder / MANIFEST
    try:
        return ModelManifest.model_validate(json.loads(file.read_text("utf-8")))
    except FileNotFoundError as error:
        raise RealartError(f"no model in {folder}: train one with `dvc repro`") from error
    except (json.JSONDecodeError, ValidationError) as error:
        raise RealartError(f"{file} is not of this version: run `dvc repro`") from error
