"""A trained model as files: all that `realart predict` needs, and no pickle."""

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
from realart.models.novelty import NoveltyDetector
from realart.networks import openvino_runtime
from realart.networks.openvino_runtime import UnsupportedError
from realart.params import ClassifierRecipe, Recipe, Strict, VectorInput

Item = TypeVar("Item")

MANIFEST = "model.json"
ARCHITECTURE = "architecture.json"
WEIGHTS = "{}.weights.h5"
CLASSIFIER = "{}.npz"
SAMPLE_ONLY = (
    "this model is for trying the software only: it was trained on the embedded sample, which the "
    "project paints itself, and knows nothing of other pictures"
)
"""Of models that were trained on nothing else."""
BATCH = 32
"""Most files of which `realart predict` scores the pictures at once."""

Member: TypeAlias = Any
"""A `FittedClassifier` or a Keras model."""
ScoreFunction = Callable[[NDArray[Any]], Scores]
"""Maps the inputs of n pictures, (n, ...), to scores from 0 to 1, the higher for ai; shape (n,)."""


class CalibrationSet(Strict):
    """The labelled pictures that a model was calibrated on after its training.

    Attributes
    ----------
    data
        The name of their folder or archive.
    digest
        Of their ids, which are digests of published bytes.
    human, ai
        How many there are.
    left_out
        How many more there were, which the model had been trained or tested on, or like them.
    """

    data: str
    digest: str
    human: int
    ai: int
    left_out: int


class Origin(Strict):
    """What a model was made from.

    Attributes
    ----------
    model
        The name of its recipe.
    sets
        The source of each set that it was trained on, by the set's name.
    """

    model: str
    sets: dict[str, str]

    def __str__(self) -> str:
        return f"{self.model} on {'+'.join(self.sets)}"

    @property
    def is_sample(self) -> bool:
        """Whether it was trained on the embedded sample alone."""
        return set(self.sets.values()) == {"sample"}


class ModelManifest(Strict):
    """The content of model.json, which is stored beside the weights.

    Attributes
    ----------
    recipe
        As in params.yaml when the model was trained.
    input
        How the input is computed from a picture file.
    members
        The number of classifiers or networks whose scores are averaged.
    verdicts
        How the mean score becomes a probability and a decision. The name is that of the key in
        files written before.
    origin
        What it was made from; None in files of older releases.
    calibrated_on
        The pictures of the last calibration after the training; None if there was none.
    """

    recipe: Recipe
    input: InputSpec
    members: int
    verdicts: DecisionRule
    origin: Origin | None = None
    calibrated_on: CalibrationSet | None = None


def save(
    folder: Path,
    recipe: Recipe,
    spec: InputSpec,
    members: Iterable[Member],
    rule: DecisionRule,
    origin: Origin | None = None,
) -> None:
    """Write a model whose score is the mean of the scores of its members.

    Parameters
    ----------
    folder
        An existing one. Networks of the recipe's descriptors are written there by
        `realart.features.vectors`.
    recipe
        Of all members.
    spec
        How their input is computed from a picture file.
    members
        Fitted classifiers (written as .npz), or Keras models that differ in their weights only,
        written as .weights.h5 and, if OpenVINO can run them, as OpenVINO IR.
    rule
        Maps the mean score to a probability and a decision.
    origin
        What the model was made from, if that is known.
    """
    count = 0
    for count, member in enumerate(members, 1):
        if isinstance(member, FittedClassifier):
            member.save(folder / CLASSIFIER.format(count - 1))
            continue
        from realart.networks import builder

        (folder / ARCHITECTURE).write_text(builder.architecture(member), "utf-8")
        member.save_weights(folder / WEIGHTS.format(count - 1))
        with suppress(UnsupportedError):
            openvino_runtime.export(member, folder, f"{count - 1}")
    manifest = ModelManifest(recipe=recipe, input=spec, members=count, verdicts=rule, origin=origin)
    write_json(manifest.model_dump(), folder / MANIFEST)


def replace_rule(folder: Path, rule: DecisionRule, calibrated_on: CalibrationSet) -> None:
    """Replace the decision rule of the model in `folder`, and record what it was calibrated on."""
    update = {"verdicts": rule, "calibrated_on": calibrated_on}
    manifest = _read_manifest(folder).model_copy(update=update)
    write_json(manifest.model_dump(), folder / MANIFEST)


class TrainedModel:
    """A trained model, loaded from a folder such as models/final.

    Keras is imported only for a network that OpenVINO can't run.

    Parameters
    ----------
    folder
        That `save` wrote.

    Attributes
    ----------
    recipe
        As in params.yaml when the model was trained.
    input
        How the input is computed from a picture file.
    decision_rule
        How a score becomes a probability and a decision.
    origin
        What it was made from; None in models of older releases.
    novelty
        Finds pictures unlike those that it was trained on; None in models of older releases.

    Raises
    ------
    RealartError
        The folder holds no model, or one that is damaged or of another version.
    """

    def __init__(self, folder: Path) -> None:
        manifest = _read_manifest(folder)
        self.folder = folder
        self.recipe, self.input = manifest.recipe, manifest.input
        self.decision_rule, self.origin = manifest.verdicts, manifest.origin
        with _naming_damaged(folder):
            self.feature_extractors = vectors.load_networks(self.input.parts, folder)
            self.novelty = NoveltyDetector.load(folder)
        load = _load_classifier if isinstance(self.recipe, ClassifierRecipe) else _load_network
        self.members = [load(folder, number) for number in range(manifest.members)]

    @property
    def caution(self) -> str:
        """What to know before any of its predictions, as a sentence; mostly empty."""
        return SAMPLE_ONLY if self.origin and self.origin.is_sample else ""

    @cached_property
    def networks(self) -> list[Any]:
        """The members as Keras models, for what needs more than scores, such as gradients.

        Raises
        ------
        RealartError
            Keras's files are missing or damaged.
        """
        with _naming_damaged(self.folder):
            return [_load_keras(self.folder, number) for number in range(len(self.members))]

    def scores(self, *batch: NDArray[Any]) -> NDArray[np.float64]:
        """Return the calibrated probability of ai for a batch of n pictures.

        Parameters
        ----------
        batch
            The arrays of `preprocessing.stack`: one for each part of the input, shape (n, ...).

        Returns
        -------
        ndarray
            float64, shape (n,), 0 to 1.
        """
        if isinstance(self.recipe.sees, VectorInput):
            batch = (vectors.extract(batch, self.input.parts, self.feature_extractors),)
        member_scores = [score(*batch) for score in self.members]
        return self.decision_rule.calibration(np.mean(member_scores, axis=0))

    def score_items(
        self, prepare: Callable[[Item], Sequence[ModelInput]], items: Sequence[Item], title: str
    ) -> NDArray[np.float64]:
        """Return the calibrated probabilities of ai for n items in parallel, with a progress bar.

        Parameters
        ----------
        prepare
            Computes m inputs from an item, the same number from each. It is called in other
            processes: it must be picklable.
        items
            n arguments of `prepare`.
        title
            Of the progress bar.

        Returns
        -------
        ndarray
            float64, shape (n, m), 0 to 1.
        """
        return np.stack(list(parallel.map_parallel(partial(_scores, self, prepare), items, title)))

    def __reduce__(self) -> tuple[Callable[[Path], "TrainedModel"], tuple[Path]]:
        """Pickle the path of the folder, from which another process loads the model once."""
        return load_cached, (self.folder.resolve(),)


def _scores(
    model: TrainedModel, prepare: Callable[[Item], Sequence[ModelInput]], item: Item
) -> NDArray[np.float64]:
    return model.scores(*preprocessing.stack(prepare(item)))


def load_cached(folder: Path) -> TrainedModel:
    """Load the model in `folder`, once in each process and again after model.json has changed."""
    return _load_cached(folder, (folder / MANIFEST).stat().st_mtime_ns)


@lru_cache(maxsize=1)
def _load_cached(folder: Path, _modified: int) -> TrainedModel:
    return TrainedModel(folder)


def _load_classifier(folder: Path, number: int) -> ScoreFunction:
    with _naming_damaged(folder / CLASSIFIER.format(number)):
        return FittedClassifier.load(folder / CLASSIFIER.format(number)).scores


def _load_network(folder: Path, number: int) -> ScoreFunction:
    if (folder / openvino_runtime.GRAPH.format(number)).is_file():
        with _naming_damaged(folder / openvino_runtime.GRAPH.format(number)):
            run = openvino_runtime.load(folder, f"{number}")
    else:
        with _naming_damaged(folder / WEIGHTS.format(number)):
            run = openvino_runtime.keras_inference(_load_keras(folder, number))
    return lambda batch: classification.of_outputs(run(batch)[0])


def _load_keras(folder: Path, number: int) -> Any:
    from realart.networks import builder  # Keras takes seconds to import

    member = builder.from_architecture((folder / ARCHITECTURE).read_text("utf-8"))
    member.load_weights(folder / WEIGHTS.format(number))
    return member


@contextmanager
def _naming_damaged(path: Path) -> Iterator[None]:
    """Raise `RealartError` with the path for any exception by which loading a file fails."""
    try:
        yield
    except (OSError, EOFError, ValueError, RuntimeError, TypeError, KeyError, BadZipFile) as error:
        raise RealartError(f"{path} can't be loaded ({error}): run `dvc repro`") from error


def _read_manifest(folder: Path) -> ModelManifest:
    file = folder / MANIFEST
    try:
        return ModelManifest.model_validate(json.loads(file.read_text("utf-8")))
    except (FileNotFoundError, NotADirectoryError) as error:
        raise RealartError(
            f"no model in {folder}: train one with `dvc repro`, or name another by --model"
        ) from error
    except (json.JSONDecodeError, ValidationError) as error:
        raise RealartError(f"{file} is not of this version: run `dvc repro`") from error
