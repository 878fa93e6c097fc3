"""A trained model as files: all that `realart predict` needs, and no pickle."""

import sys
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property, lru_cache, partial
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from realart.core import damage, parallel
from realart.core.errors import RealartError
from realart.data.archive import ArchiveMember
from realart.features import preprocessing, vectors
from realart.features.preprocessing import InputSpec, ModelInput
from realart.metrics import classification
from realart.metrics.classification import Scores
from realart.metrics.thresholds import DecisionRule
from realart.models import manifest, novelty
from realart.models.classifiers import FittedClassifier
from realart.models.manifest import RESTORE, CalibrationSet, ModelManifest, Origin
from realart.models.novelty import NoveltyDetector
from realart.networks import openvino_runtime, stored_weights
from realart.networks.openvino_runtime import UnsupportedError
from realart.params import ClassifierRecipe, Recipe, VectorInput

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
NOT_FINITE = "the model's score of it is not a number: its features are out of any range"
"""Why a picture has no probability: sound weights may compute infinities for it."""

Member: TypeAlias = Any
"""A `FittedClassifier` or a Keras model."""
ScoreFunction = Callable[[NDArray[Any]], Scores]
"""Maps the inputs of n pictures, (n, ...), to scores from 0 to 1, the higher for ai; shape (n,)."""


def save(
    folder: Path,
    recipe: Recipe,
    spec: InputSpec,
    members: Iterable[Member],
    rule: DecisionRule,
    origin: Origin | None = None,
    caution: str = "",
) -> None:
    """Write a model whose score is the mean of the scores of its members.

    Parameters
    ----------
    folder
        An existing one, in which all else that the model is made of lies already: networks of the
        recipe's descriptors (`realart.features.vectors`), the detector of novel pictures.
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
    caution
        What its evaluation says against relying on it, as a clause; "" if nothing.
    """
    count = 0
    for count, member in enumerate(members, 1):
        if isinstance(member, FittedClassifier):
            member.save(folder / CLASSIFIER.format(count - 1))
            continue
        from realart.networks import builder

        (folder / ARCHITECTURE).write_text(builder.architecture(member), "utf-8")
        stored_weights.save(member, folder / WEIGHTS.format(count - 1))
        try:
            openvino_runtime.export(member, folder, f"{count - 1}")
        except UnsupportedError as error:
            print(f"evaluate: {error}; Keras runs it", file=sys.stderr)
    content = ModelManifest(
        recipe=recipe, input=spec, members=count, verdicts=rule, origin=origin, caution=caution
    )
    manifest.write(folder, content)


def replace_rule(
    folder: Path,
    rule: DecisionRule,
    calibrated_on: CalibrationSet,
    detector: NoveltyDetector | None = None,
) -> None:
    """Replace the decision rule of the model in `folder`, and record what it was calibrated on.

    A `detector` replaces what finds pictures unlike the training pictures.
    """
    update = {"verdicts": rule, "calibrated_on": calibrated_on}
    content = manifest.read(folder).model_copy(update=update)
    if detector:
        detector.save(folder)
    manifest.write(folder, content)


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
        The folder holds no model, or one that is damaged, was changed, or is of another version.
    """

    def __init__(self, folder: Path) -> None:
        content = manifest.read(folder)
        self.folder = folder
        self.recipe, self.input = content.recipe, content.input
        self.decision_rule, self.origin = content.verdicts, content.origin
        self._caution = content.caution
        with damage.named(folder, RESTORE):
            self.feature_extractors = vectors.load_networks(self.input.parts, folder)
            self.novelty = NoveltyDetector.load(folder)
        load = _load_classifier if isinstance(self.recipe, ClassifierRecipe) else _load_network
        self.members = [load(folder, number) for number in range(content.members)]
        with damage.named(folder, RESTORE):
            self._try()

    @property
    def caution(self) -> str:
        """What to know before any of its predictions, as a sentence; mostly empty."""
        of_sample = SAMPLE_ONLY if self.origin and self.origin.is_sample else ""
        return "; ".join(filter(None, [of_sample, self._caution]))

    @cached_property
    def networks(self) -> list[Any]:
        """The members as Keras models, for what needs more than scores, such as gradients.

        Raises
        ------
        RealartError
            Keras's files are missing or damaged.
        """
        with damage.named(self.folder, RESTORE):
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
            float64, shape (n,), 0 to 1; NaN for a picture for which a number exceeds its dtype.
            Whoever decides by scores names that picture (`NOT_FINITE`).
        """
        if isinstance(self.recipe.sees, VectorInput):
            batch = (vectors.extract(batch, self.input.parts, self.feature_extractors),)
        member_scores = [score(*batch) for score in self.members]
        return self.decision_rule.calibration(np.mean(member_scores, axis=0))

    def score_items(
        self,
        prepare: Callable[[ArchiveMember], Sequence[ModelInput]],
        pictures: Sequence[ArchiveMember],
        title: str,
    ) -> NDArray[np.float64]:
        """Return the calibrated probabilities of ai for n files in parallel, with a progress bar.

        Parameters
        ----------
        prepare
            Computes m inputs from a file, the same number from each. It is called in other
            processes: it must be picklable.
        pictures
            n arguments of `prepare`.
        title
            Of the progress bar.

        Returns
        -------
        ndarray
            float64, shape (n, m), 0 to 1.

        Raises
        ------
        RealartError
            The score of a file is not a number.
        """
        score = partial(_scores, self, prepare)
        return np.stack(list(parallel.map_parallel(score, pictures, title)))

    def _try(self) -> None:
        """Score noise; raise `ValueError` if a shape or a number of the files does not fit."""
        noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
        image = Image.fromarray(noise)
        tried = self.scores(*preprocessing.stack([preprocessing.from_canonical(image, self.input)]))
        if tried.shape != (1,) or not np.isfinite(tried).all():
            raise ValueError(f"its score of noise is {tried}")
        if self.novelty:
            distances = self.novelty.distances(novelty.measure(image)[None])
            if not np.isfinite([*distances, self.novelty.limit]).all():
                raise ValueError(f"the distance of noise to its training pictures is {distances}")

    def __reduce__(self) -> tuple[Callable[[Path], "TrainedModel"], tuple[Path]]:
        """Pickle the path of the folder, from which another process loads the model once."""
        return load_cached, (self.folder.resolve(),)


def _scores(
    model: TrainedModel,
    prepare: Callable[[ArchiveMember], Sequence[ModelInput]],
    picture: ArchiveMember,
) -> NDArray[np.float64]:
    scores = model.scores(*preprocessing.stack(prepare(picture)))
    if not np.isfinite(scores).all():
        raise RealartError(f"{picture.name} in {picture.archive}: {NOT_FINITE}; remove it")
    return scores


def load_cached(folder: Path) -> TrainedModel:
    """Load the model in `folder`, once in each process and again after model.json has changed."""
    return _load_cached(folder, (folder / manifest.FILE).stat().st_mtime_ns)


@lru_cache(maxsize=1)
def _load_cached(folder: Path, _modified: int) -> TrainedModel:
    return TrainedModel(folder)


def _load_classifier(folder: Path, number: int) -> ScoreFunction:
    with damage.named(folder / CLASSIFIER.format(number), RESTORE):
        return FittedClassifier.load(folder / CLASSIFIER.format(number)).scores


def _load_network(folder: Path, number: int) -> ScoreFunction:
    if (folder / openvino_runtime.GRAPH.format(number)).is_file():
        with damage.named(folder / openvino_runtime.GRAPH.format(number), RESTORE):
            run = openvino_runtime.load(folder, f"{number}")
    else:
        with damage.named(folder / WEIGHTS.format(number), RESTORE):
            run = openvino_runtime.keras_inference(_load_keras(folder, number))
    return lambda batch: classification.of_outputs(run(batch)[0])


def _load_keras(folder: Path, number: int) -> Any:
    from realart.networks import builder  # Keras takes seconds to import

    member = builder.from_architecture((folder / ARCHITECTURE).read_text("utf-8"))
    stored_weights.load(member, folder / WEIGHTS.format(number))
    return member
