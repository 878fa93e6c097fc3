"""The final model in MLflow: kept with the code that runs it, registered, and who is champion."""

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

import mlflow
import pandas as pd
from mlflow import MlflowClient
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException

from realart import compare, sample, store, tables
from realart.errors import RealartError
from realart.evaluation import Figures

CHAMPION = "champion"
SCORES = "scores.csv"
"""Where a run keeps the scores that champions are compared by."""
NEEDED = (
    "filelock",
    "joblib",
    "keras",
    "mlflow",
    "numpy",
    "opencv-python-headless",
    "openvino",
    "pandas",
    "pillow",
    "pydantic",
    "ruamel.yaml",
    "scikit-learn",
    "scipy",
    "tensorflow",
    "tqdm",
)
"""What answers for pictures stands on."""


def register(
    client: MlflowClient, run: str, name: str, final: Path, figures: Figures, said: str
) -> ModelVersion:
    """Log the model in the folder `final` with its run, and register it under `name`.

    It is kept as Python code and files, never pickled. `figures` are shown beside it, and `said`
    is the description of its version. A run has one version, however often this is called.
    """
    if made := client.search_model_versions(f"run_id = '{run}'"):
        return made[0]
    from realart import served  # it tells MLflow that it is a model

    example = pd.DataFrame({served.PICTURE: [sample.picture(0, seed=0).data]})
    with warnings.catch_warnings(), _known_to_mlflow(), mlflow.start_run(run):
        warnings.filterwarnings("ignore", "Add type hints")  # a picture's bytes have one type
        logged = mlflow.pyfunc.log_model(
            name="model",
            python_model=served.__file__,
            artifacts={served.ARTIFACT: str(final)},
            code_paths=[str(Path(__file__).parent)],
            signature=served.SIGNATURE,
            input_example=example,
            pip_requirements=[f"{package}=={version(package)}" for package in NEEDED],
        )
        mlflow.log_metrics(dict(figures), model_id=logged.model_id)
        with store.unless_made():
            client.create_registered_model(name)
        return client.create_model_version(
            name, logged.model_uri, run, model_id=logged.model_id, description=said
        )


def promote(client: MlflowClient, made: ModelVersion, scores: pd.DataFrame, goals_met: bool) -> str:
    """Make a version champion if the goals are met and it is not worse; say what was done.

    Worse is a lower AUC out of fold on the pictures that it and the present champion have judged:
    whoever chose by the test part would have nothing left to test by.

    Parameters
    ----------
    scores
        Columns `tables.JUDGED`; what the run of the version keeps as `SCORES`.
    goals_met
        Whether the test part reaches all goals of params.yaml.
    """
    said = f"registered as {made.name}, version {made.version}"
    present = champion(client, made.name)
    if not goals_met:
        stays = f"; version {present.version} stays {CHAMPION}" if present else ""
        return f"{said}; goals are missed, so it is not {CHAMPION}{stays}"
    if present:
        stays = f"{said}; version {present.version} stays {CHAMPION}"
        try:
            old, new = _areas(client, present, scores)
        except (RealartError, MlflowException) as error:
            return f"{stays}, since they can't be compared ({error}): choose on MLflow's pages"
        if new < old:
            return f"{stays}: its AUC out of fold is {old:.3f}, this one's {new:.3f}"
    try:
        client.set_registered_model_alias(made.name, CHAMPION, made.version)
    except MlflowException:
        now = champion(client, made.name)
        if not now or (present and now.version == present.version):
            raise
        return promote(client, made, scores, goals_met)  # another machine was faster
    return f"{said}, the new {CHAMPION}"


def champion(client: MlflowClient, name: str) -> ModelVersion | None:
    """Return the present champion of a registered model, if it has one."""
    aliases = client.get_registered_model(name).aliases
    return client.get_model_version(name, aliases[CHAMPION]) if CHAMPION in aliases else None


@contextmanager
def _known_to_mlflow() -> Iterator[None]:
    """Have MLflow's functions that take no client use the store while the block runs."""
    before = os.environ.get(store.ADDRESS)
    os.environ[store.ADDRESS] = store.address()
    try:
        yield
    finally:
        del os.environ[store.ADDRESS]
        if before is not None:
            os.environ[store.ADDRESS] = before


def _areas(
    client: MlflowClient, present: ModelVersion, scores: pd.DataFrame
) -> tuple[float, float]:
    with TemporaryDirectory() as folder:
        file = client.download_artifacts(str(present.run_id), SCORES, folder)
        of_champion = tables.read(Path(file), tables.JUDGED)
    for found in compare.compare(of_champion, scores):
        if found.part == "oof":
            return found.auc
    raise RealartError("no picture in common out of fold")
