"""Predictions for new pictures by a trained model, prepared exactly as in training."""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from itertools import chain, islice
from pathlib import Path

from realart.core import dask_cluster, parallel
from realart.core.errors import RealartError
from realart.data import decoding, pictures
from realart.data.decoding import UnusableFileError
from realart.features import preprocessing
from realart.features.preprocessing import ModelInput
from realart.models import novelty
from realart.models.trained_model import BATCH, TrainedModel
from realart.params import Point
from realart.serving import deliveries, provenance

STDIN = Path("-")
"""The path that stands for standard input."""


@dataclass(frozen=True)
class Prediction:
    """The prediction for one file, or the error that prevents it.

    Attributes
    ----------
    path
        Of the file; "-" is standard input, and "" stands for bytes without a path.
    verdict
        The decision: `ai`, `human` or `unsure`; "" if there is an error.
    probability
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
    probability: float | None = None
    reason: str = ""
    deliveries: Mapping[str, float] = field(default_factory=dict)
    evidence: tuple[str, ...] = ()
    error: str = ""


def list_files(paths: Sequence[Path]) -> list[Path]:
    """List files as they are given, and in the place of a folder all files below it, sorted.

    A path that does not exist is listed, too: `predict` yields its error.

    Raises
    ------
    RealartError
        There is no file: all paths are empty folders.
    """
    listed: list[Path] = []
    for path in paths:
        if path == STDIN or not path.is_dir():
            listed.append(path)
        else:
            listed += sorted(file for file in path.rglob("*") if file.is_file())
    if not listed:
        names = ", ".join(str(path) for path in paths)
        raise RealartError(f"no file in {names}: give pictures, or folders with pictures")
    return listed


def predict(
    paths: Sequence[Path], model: TrainedModel, at: Point | None = None, once: bool = False
) -> Iterator[Prediction]:
    """Yield the prediction for each file, in the order of `paths`.

    Batches start with one file and double up to `trained_model.BATCH`, so that the first
    predictions come early. Files are read batch by batch: memory does not grow with their number.

    Parameters
    ----------
    paths
        Files; `STDIN` is standard input. A file that can't be read or decoded has a prediction with
        an error.
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
        for prediction in predict(list_files([Path("folder")]), model):
            print(prediction.path, prediction.verdict, prediction.probability)
    """
    if dask_cluster.address() and STDIN not in paths:
        yield from parallel.map_parallel(partial(_predict_file, model, at, once), paths, "predict")
        return
    prepare = partial(_prepare_file, model=model, once=once)
    size, start = 1, 0
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        while start < len(paths):
            batch = paths[start : start + size]
            yield from _predict_batch(map(str, batch), list(pool.map(prepare, batch)), model, at)
            start, size = start + size, min(2 * size, BATCH)


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
        print(prediction.verdict, prediction.probability)
    """
    return next(_predict_batch([""], [_prepare_bytes(data, model, once)], model, at))


@dataclass(frozen=True, slots=True)
class _PreparedFile:
    """The inputs of a model for one file, which are none if there is an error.

    The first input is of the picture as it is, any others are of the panel of deliveries.
    """

    inputs: tuple[ModelInput, ...] = ()
    is_novel: bool = False
    evidence: tuple[str, ...] = ()
    error: str = ""


def _predict_file(model: TrainedModel, at: Point | None, once: bool, path: Path) -> Prediction:
    prepared = _prepare_file(path, model, once)
    return next(_predict_batch([str(path)], [prepared], model, at))


def _predict_batch(
    paths: Iterable[str], files: Sequence[_PreparedFile], model: TrainedModel, at: Point | None
) -> Iterator[Prediction]:
    """Score the inputs of all files, `BATCH` at once, and yield the prediction for each file."""
    inputs = [model_input for file in files for model_input in file.inputs]
    batches = [inputs[i : i + BATCH] for i in range(0, len(inputs), BATCH)]
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


def _prepare_file(path: Path, model: TrainedModel, once: bool) -> _PreparedFile:
    try:
        data = _read(path, decoding.BYTES_A_PIXEL * model.input.clean.max_pixels)
    except UnusableFileError as error:
        return _PreparedFile(error=str(error))
    except OSError as error:
        return _PreparedFile(error=error.strerror or str(error))
    return _prepare_bytes(data, model, once)


def _read(path: Path, max_bytes: int) -> bytes:
    """Read a file, unless it is larger than `max_bytes`, or never ends, as /dev/zero."""
    with os.fdopen(0, "rb", closefd=False) if path == STDIN else path.open("rb") as stream:
        size = os.fstat(stream.fileno()).st_size
        data = stream.read(max_bytes + 1) if size <= max_bytes else b""
    if (size := max(size, len(data))) > max_bytes:
        raise UnusableFileError("too large", f"{size} bytes, at most {max_bytes}")
    return data


def _prepare_bytes(data: bytes, model: TrainedModel, once: bool) -> _PreparedFile:
    spec, evidence = model.input, tuple(provenance.evidence(data))
    try:
        image, _ = decoding.decode(data, spec.clean.max_pixels, spec.clean.min_side)
    except UnusableFileError as error:
        return _PreparedFile(evidence=evidence, error=str(error))
    canonical = decoding.read(pictures.stored(data, image, spec.clean))
    is_novel = model.novelty is not None and model.novelty.is_novel(canonical)
    inputs = [preprocessing.from_canonical(canonical, spec)]
    if not once:
        delivered = deliveries.deliver(image)
        inputs += [preprocessing.from_pixels(changed, spec) for changed in delivered]
    return _PreparedFile(tuple(inputs), is_novel, evidence)
