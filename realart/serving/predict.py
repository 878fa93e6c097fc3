"""Predictions for new pictures by a trained model, prepared exactly as in training."""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from itertools import chain, islice

import numpy as np
from PIL import Image

from realart.core import dask_cluster, parallel
from realart.data import decoding
from realart.data.decoding import UnusableFileError
from realart.features import preprocessing
from realart.features.preprocessing import ModelInput
from realart.models import novelty
from realart.models.trained_model import BATCH, NOT_FINITE, TrainedModel
from realart.params import Point
from realart.serving import deliveries, inputs, provenance
from realart.serving.inputs import STDIN, Picture


@dataclass(frozen=True)
class Prediction:
    """The prediction for one file, or the error that prevents it.

    Attributes
    ----------
    path
        Of the file; "-" is standard input, and "" stands for a picture in memory.
    verdict
        The decision: `ai`, `human` or `unsure`; "" if there is an error.
    probability_ai
        Calibrated probability of ai, 0 to 1; None if there is an error.
    reason
        Why the decision is not to be relied on, as a sentence: the picture is unlike those that the
        model was trained on, or a delivery would rather be decided the other way. "" if neither.
        Without an operating point the verdict is then `unsure`; at one it stands.
    deliveries
        Calibrated probability of ai after each delivery of `deliveries.PANEL`, by its name; empty
        if they were not scored.
    evidence
        Sentences on what the file itself records of its origin (`realart.serving.provenance`). They
        are found in files that can't be classified, too, and never change a decision.
    error
        Why the file can't be read or classified; "" if it can.
    """

    path: str
    verdict: str = ""
    probability_ai: float | None = None
    reason: str = ""
    deliveries: Mapping[str, float] = field(default_factory=dict)
    evidence: tuple[str, ...] = ()
    error: str = ""

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why the verdict is `unsure` or depends on the delivery, as sentences."""
        return (self.reason,) if self.reason else ()


def predict(
    pictures: Iterable[Picture], model: TrainedModel, at: Point | None = None, once: bool = False
) -> Iterator[Prediction]:
    """Yield the prediction for each picture, in their order.

    Batches start with one file and double up to `trained_model.BATCH`, so that the first
    predictions come early. Pictures are taken and read batch by batch: memory does not grow with
    their number.

    Parameters
    ----------
    pictures
        Paths of files, what `inputs.list_files` returns, or pictures in memory; the path `STDIN` is
        standard input. One that can't be read or decoded has a prediction with an error.
    model
        As loaded from models/final.
    at
        Operating point of the decisions. Without one, a decision may be `unsure`.
    once
        Skip the panel of deliveries, which takes most of the time.

    Examples
    --------
    ::

        model = TrainedModel(Path("models/final"))
        for prediction in predict(inputs.list_files([Path("folder")]), model):
            print(prediction.path, prediction.verdict, prediction.probability_ai)
    """
    if dask_cluster.address():
        pictures = list(pictures)
        if not any(inputs.path_of(picture) == str(STDIN) for picture in pictures):
            predict_one = partial(_predict_picture, model, at, once)
            yield from parallel.map_parallel(predict_one, pictures, "predict")
            return
    prepare = partial(_prepare, model=model, once=once)
    size, waiting = 1, iter(pictures)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        while batch := list(islice(waiting, size)):
            prepared = list(pool.map(prepare, batch))
            yield from _predict_batch(map(inputs.path_of, batch), prepared, model, at)
            size = min(2 * size, BATCH)


def predict_bytes(
    data: bytes, model: TrainedModel, at: Point | None = None, once: bool = False
) -> Prediction:
    """Return the prediction for the bytes of one picture file; its `path` is "".

    Parameters
    ----------
    data
        Of a file in any format that training reads. Where it can't be decoded, the prediction has
        an error; nothing is raised.
    model
        As loaded from models/final.
    at
        Operating point of the decision. Without one, it may be `unsure`.
    once
        Skip the panel of deliveries, which takes most of the time.

    Examples
    --------
    ::

        model = TrainedModel(Path("models/final"))
        prediction = predict_bytes(Path("picture.jpg").read_bytes(), model)
        print(prediction.verdict, prediction.probability_ai)
    """
    return next(_predict_batch([""], [_prepare_bytes(data, model, once)], model, at))


def predict_decoded(image: Image.Image, canonical: Image.Image, model: TrainedModel) -> Prediction:
    """Return the prediction for an RGB picture: as decoded, and the same in canonical form."""
    prepared = _prepare_decoded(image, canonical, model, once=False)
    return next(_predict_batch([""], [prepared], model, None))


@dataclass(frozen=True, slots=True)
class _PreparedFile:
    """The inputs of a model for one file, which are none if there is an error.

    The first input is of the picture as it is, any others are of the panel of deliveries.
    """

    inputs: tuple[ModelInput, ...] = ()
    is_novel: bool = False
    evidence: tuple[str, ...] = ()
    error: str = ""


def _predict_picture(
    model: TrainedModel, at: Point | None, once: bool, picture: Picture
) -> Prediction:
    prepared = _prepare(picture, model, once)
    return next(_predict_batch([inputs.path_of(picture)], [prepared], model, at))


def _predict_batch(
    paths: Iterable[str], files: Sequence[_PreparedFile], model: TrainedModel, at: Point | None
) -> Iterator[Prediction]:
    """Score the inputs of all files, `BATCH` at once, and yield the prediction for each file."""
    pending = [model_input for file in files for model_input in file.inputs]
    batches = [pending[i : i + BATCH] for i in range(0, len(pending), BATCH)]
    scores = chain.from_iterable([model.scores(*preprocessing.stack(batch)) for batch in batches])
    for path, file in zip(paths, files, strict=True):
        probabilities = list(map(float, islice(scores, len(file.inputs))))
        yield _prediction(path, file, probabilities, model, at)


def _prediction(
    path: str,
    file: _PreparedFile,
    probabilities: Sequence[float],
    model: TrainedModel,
    at: Point | None,
) -> Prediction:
    """Return the prediction for a file, given a probability for each of its inputs."""
    if file.error:
        return Prediction(path, evidence=file.evidence, error=file.error)
    if not np.isfinite(probabilities).all():
        return Prediction(path, evidence=file.evidence, error=NOT_FINITE)
    probability, *delivered = probabilities
    panel = dict(zip(deliveries.PANEL, delivered, strict=bool(delivered)))
    verdict = model.decision_rule.decide(probability, at)
    turned = deliveries.disagreement(verdict, panel, model.decision_rule, at)
    reason = novelty.REASON if file.is_novel else turned
    return Prediction(
        path,
        verdict if at or not reason else "unsure",
        probability,
        reason,
        panel,
        evidence=file.evidence,
    )


def _prepare(picture: Picture, model: TrainedModel, once: bool) -> _PreparedFile:
    clean = model.input.clean
    try:
        if isinstance(picture, Image.Image | np.ndarray):
            image = inputs.from_memory(picture, clean)
            canonical = preprocessing.canonical_pixels(image, clean)
            return _prepare_decoded(image, canonical, model, once)
        data = picture if isinstance(picture, bytes) else inputs.read(picture, clean)
    except UnusableFileError as error:
        return _PreparedFile(error=str(error))
    return _prepare_bytes(data, model, once)


def _prepare_bytes(data: bytes, model: TrainedModel, once: bool) -> _PreparedFile:
    clean, evidence = model.input.clean, tuple(provenance.evidence_within_limits(data))
    try:
        image, _ = decoding.decode_within_limits(data, clean.max_pixels, clean.min_side)
    except UnusableFileError as error:
        return _PreparedFile(evidence=evidence, error=str(error))
    canonical = preprocessing.canonical_of(data, image, clean)
    return _prepare_decoded(image, canonical, model, once, evidence)


def _prepare_decoded(
    image: Image.Image,
    canonical: Image.Image,
    model: TrainedModel,
    once: bool,
    evidence: tuple[str, ...] = (),
) -> _PreparedFile:
    """Compute the inputs for an RGB picture, as decoded and in canonical form, and its panel."""
    is_novel = model.novelty is not None and model.novelty.is_novel(canonical)
    model_inputs = [preprocessing.from_canonical(canonical, model.input)]
    if not once:
        delivered = deliveries.deliver(image)
        model_inputs += [preprocessing.from_pixels(changed, model.input) for changed in delivered]
    return _PreparedFile(tuple(model_inputs), is_novel, evidence)
