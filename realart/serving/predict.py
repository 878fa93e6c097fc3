"""Verdicts on new pictures by the final model, prepared exactly as in training."""

import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path

from realart.core import dask_cluster, parallel
from realart.core.errors import RealartError
from realart.data import decoding
from realart.data.decoding import UnusableFileError
from realart.data.perturbations import Change
from realart.features import preprocessing
from realart.features.preprocessing import InputSpec, ModelInput
from realart.models.trained_model import BATCH, TrainedModel
from realart.params import Point
from realart.serving import provenance

STDIN = Path("-")
QUALITY = 90
SAVED_AGAIN = Change("jpeg", QUALITY)
"""Mild as changes go: a verdict that does not survive it hangs by a thread."""


@dataclass(frozen=True)
class Prediction:
    """The answer for one file: verdict and probability of ai, or why there is none.

    Attributes
    ----------
    flips
        The verdict if the picture were saved as JPEG of `QUALITY` once more, where that is another.
    probability_saved_again
        The probability of ai then; None where it was not looked at.
    evidence
        What the file tells of how it was made (`realart.serving.provenance`), also where it
        can't be judged: no part of the verdict.
    """

    path: str
    verdict: str = ""
    probability: float | None = None
    flips: str = ""
    probability_saved_again: float | None = None
    evidence: tuple[str, ...] = ()
    error: str = ""


def files(arguments: Sequence[Path]) -> list[Path]:
    """List the files that are meant: each as it is, and all in a folder, sorted.

    Raises
    ------
    RealartError
        There is nothing to look at.
    """
    found: list[Path] = []
    for argument in arguments:
        if argument == STDIN or not argument.is_dir():
            found.append(argument)
        else:
            found += sorted(path for path in argument.rglob("*") if path.is_file())
    if not found:
        names = ", ".join(str(argument) for argument in arguments)
        raise RealartError(f"no file in {names}: name pictures or folders that hold some")
    return found


def predict(
    paths: Sequence[Path], model: TrainedModel, at: Point | None = None, once: bool = False
) -> Iterator[Prediction]:
    """Yield a prediction for each file in order, also for those that can't be read.

    Verdicts are those of the operating point `at`; without one they may be `unsure`. `once` skips
    the second look, after which a verdict may be another. The path `-` is standard input. The first
    answers come early: batches start small, and double.
    """
    if dask_cluster.address() and STDIN not in paths:
        yield from parallel.map_parallel(partial(_predicted, model, at, once), paths, "predict")
        return
    prepare = partial(_prepare, seen=model.input, once=once)
    size, start = 1, 0
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        while start < len(paths):
            chunk = paths[start : start + size]
            yield from _answers(map(str, chunk), list(pool.map(prepare, chunk)), model, at)
            start, size = start + size, min(2 * size, BATCH)


def answer(
    data: bytes, model: TrainedModel, at: Point | None = None, once: bool = False
) -> Prediction:
    """Return the same for the bytes of one file, which has no path."""
    return next(_answers([""], [_look(data, model.input, once)], model, at))


@dataclass(frozen=True, slots=True)
class _Looked:
    """What is seen of a picture and of it saved again, or why nothing is; and the evidence."""

    seen: list[ModelInput] = field(default_factory=list)
    evidence: tuple[str, ...] = ()
    error: str = ""


def _answers(
    paths: Iterable[str], looked: Sequence[_Looked], model: TrainedModel, at: Point | None
) -> Iterator[Prediction]:
    seen = [seen for one in looked for seen in one.seen]
    scores = iter(model.scores(*preprocessing.stack(seen)).tolist() if seen else [])
    for path, one in zip(paths, looked, strict=True):
        if one.error:
            yield Prediction(path, evidence=one.evidence, error=one.error)
            continue
        probability, *again = islice(scores, len(one.seen))
        verdict, *changed = (model.verdicts.decide(score, at) for score in (probability, *again))
        yield Prediction(
            path,
            verdict,
            probability,
            flips="".join(other for other in changed if other != verdict),
            probability_saved_again=again[0] if again else None,
            evidence=one.evidence,
        )


def _predicted(model: TrainedModel, at: Point | None, once: bool, path: Path) -> Prediction:
    return next(_answers([str(path)], [_prepare(path, model.input, once)], model, at))


def _prepare(path: Path, seen: InputSpec, once: bool) -> _Looked:
    try:
        data = _read(path, decoding.BYTES_A_PIXEL * seen.clean.max_pixels)
    except UnusableFileError as error:
        return _Looked(error=str(error))
    except OSError as error:
        return _Looked(error=error.strerror or str(error))
    return _look(data, seen, once)


def _read(path: Path, most: int) -> bytes:
    with os.fdopen(0, "rb", closefd=False) if path == STDIN else path.open("rb") as stream:
        size = os.fstat(stream.fileno()).st_size
        data = stream.read(most + 1) if size <= most else b""
    if (size := max(size, len(data))) > most:
        raise UnusableFileError("too large", f"{size} bytes, at most {most}")
    return data


def _look(data: bytes, seen: InputSpec, once: bool) -> _Looked:
    evidence = tuple(provenance.evidence(data))
    try:
        image, _ = decoding.decode(data, seen.clean.max_pixels, seen.clean.min_side)
    except UnusableFileError as error:
        return _Looked(evidence=evidence, error=str(error))
    looks = [preprocessing.from_decoded(data, image, seen)]
    if not once:
        looks.append(preprocessing.from_pixels(SAVED_AGAIN(image), seen))
    return _Looked(looks, evidence)
