"""The manifest of a trained model: what it is, and the checksum of each of its files."""

import json
from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationError

from realart.core import paths
from realart.core.errors import RealartError
from realart.core.hashing import sha256
from realart.core.outputs import write_json
from realart.features.preprocessing import InputSpec
from realart.metrics.thresholds import DecisionRule
from realart.params import Recipe, Strict

FILE = "model.json"
CARD = "README.md"
"""The model card, which is rewritten without changing the model: it has no checksum."""
RESTORE = f"`dvc checkout --force {paths.FINAL}`, or copy the model again"
"""What brings back a model that was trained."""


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
    caution
        What its evaluation says against relying on it, as a clause; "" if nothing.
    files
        The SHA-256 of each other file of the model, by its name; empty in files of older releases.
    """

    recipe: Recipe
    input: InputSpec
    members: Annotated[int, Field(ge=1)]
    verdicts: DecisionRule
    origin: Origin | None = None
    calibrated_on: CalibrationSet | None = None
    caution: str = ""
    files: dict[str, str] = Field(default_factory=dict)


def write(folder: Path, manifest: ModelManifest) -> None:
    """Write model.json, with the checksums of the files that are now in `folder`."""
    own = sorted(file for file in folder.iterdir() if file.name not in (FILE, CARD))
    files = {file.name: sha256(file) for file in own}
    write_json(manifest.model_copy(update={"files": files}).model_dump(), folder / FILE)


def read(folder: Path) -> ModelManifest:
    """Read model.json, and compare the files beside it with their checksums.

    Raises
    ------
    RealartError
        The folder holds no model, model.json is damaged or of another version, or a file is missing
        or was changed.
    """
    file = folder / FILE
    try:
        manifest = ModelManifest.model_validate(json.loads(file.read_text("utf-8")))
    except (FileNotFoundError, NotADirectoryError) as error:
        raise RealartError(
            f"no model in {folder}: train one with `dvc repro`, or name another by --model"
        ) from error
    except ValidationError as error:
        raise RealartError(
            f"{file} is damaged or of another version ({_first_problem(error)}): {RESTORE}; of "
            "another version, run `dvc repro`"
        ) from error
    except (ValueError, RecursionError) as error:  # neither JSON nor UTF-8
        raise RealartError(f"{file} is damaged ({error}): {RESTORE}") from error
    for name, expected in manifest.files.items():
        _check(folder / name, expected)
    return manifest


def _first_problem(error: ValidationError) -> str:
    problem = error.errors()[0]
    return f"{'.'.join(str(part) for part in problem['loc'])}: {problem['msg']}"


def _check(file: Path, expected: str) -> None:
    if not file.is_file():
        raise RealartError(f"{file} is missing: {RESTORE}")
    if (found := sha256(file)) != expected:
        raise RealartError(
            f"{file} was changed after training (sha256 {found}, not {expected}): {RESTORE}"
        )
