"""Verdicts on new pictures by the final model, prepared exactly as in training."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from realart.errors import RealartError
from realart.inputs import Input, Seen, from_published, stack
from realart.models import BATCH, Final
from realart.params import Point
from realart.pictures import UnusableError


@dataclass(frozen=True)
class Prediction:
    """The answer for one file: verdict and probability of ai, or why there is none."""

    path: str
    verdict: str = ""
    probability: float | None = None
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
        inside = sorted(path for path in argument.rglob("*") if path.is_file())
        found += inside if argument.is_dir() else [argument]
    if not found:
        names = ", ".join(str(argument) for argument in arguments)
        raise RealartError(f"no file in {names}: name pictures or folders that hold some")
    return found


def predict(paths: Sequence[Path], model: Final, at: Point | None = None) -> Iterator[Prediction]:
    """Yield a prediction for each file in order, also for those that can't be read.

    Verdicts are those of the operating point `at`; without one they may be `unsure`.
    """
    with ThreadPoolExecutor() as pool:
        for start in range(0, len(paths), BATCH):
            chunk = paths[start : start + BATCH]
            seen = list(pool.map(partial(_prepare, seen=model.input), chunk))
            looked = [one for one in seen if not isinstance(one, str)]
            scores = iter(model.scores(*stack(looked)).tolist() if looked else [])
            for path, one in zip(chunk, seen, strict=True):
                if isinstance(one, str):
                    yield Prediction(str(path), error=one)
                else:
                    score = next(scores)
                    yield Prediction(str(path), model.verdicts.name(score, at), score)


def _prepare(path: Path, seen: Input) -> Seen | str:
    try:
        return from_published(path.read_bytes(), seen)
    except UnusableError as error:
        return str(error)
    except OSError as error:
        return error.strerror or str(error)
