"""The final model in MLflow: kept with the code that runs it, registered, and who is champion."""

import json
import os
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import mlflow
import pandas as pd
from mlflow import MlflowClient
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import RESOURCE_DOES_NOT_EXIST, ErrorCode

from realart.core import tables
from realart.core.errors import RealartError
from realart.data import sample
from realart.evaluation import compare
from realart.metrics import goals
from realart.metrics.classification import Figures
from realart.params import Goals
from realart.tracking import store

CHAMPION = "champion"
SCORES = "scores.csv"
REPORT = "tables/metrics.json"
"""Where a run keeps the scores and figures that champions are judged by."""
COMPARABLE = 0.5
"""Share of the pictures of each class of a new version that a champion must have judged, too."""
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
    from realart.tracking import pyfunc  # it tells MLflow that it is a model

    example = pd.DataFrame({pyfunc.PICTURE: [sample.picture(0, seed=0).data]})
    with warnings.catch_warnings(), _known_to_mlflow(), mlflow.start_run(run):
        warnings.filterwarnings("ignore", "Add type hints")  # a picture's bytes have one type
        logged = mlflow.pyfunc.log_model(
            name="model",
            python_model=pyfunc.__file__,
            artifacts={pyfunc.ARTIFACT: str(final)},
            code_paths=[str(Path(__file__).parents[1])],
            signature=pyfunc.SIGNATURE,
            input_example=example,
            pip_requirements=[f"{package}=={version(package)}" for package in NEEDED],
        )
        mlflow.log_metrics(dict(figures), model_id=logged.model_id)
        with store.unless_made():
            client.create_registered_model(name)
        return client.create_model_version(
            name, logged.model_uri, run, model_id=logged.model_id, description=said
        )


def promote(
    client: MlflowClient,
    made: ModelVersion,
    scores: pd.DataFrame,
    report: Mapping[str, Any],
    wanted: Goals,
) -> str:
    """Make a version champion if it meets the goals and no present one holds; say what was done.

    A champion holds if it meets the same goals, has judged at least `COMPARABLE` of the pictures
    out of fold of the new version, and has the higher AUC on these: whoever chose by the test part
    would have nothing left to test by. One that was judged on other pictures, or whose run is
    gone, can't be compared: it gives way to what is good on the pictures that there are now.

    Parameters
    ----------
    scores, report
        Columns `tables.PREDICTIONS`, and what metrics.json holds: what the version's run keeps.
    wanted
        The goals of params.yaml.
    """
    registered = f"registered as {made.name}, version {made.version}"
    present = champion(client, made.name)
    holds, why = _holds(client, present, scores, wanted) if present else (False, "")
    stays = f"; version {present.version} stays {CHAMPION}" if present else ""
    if any(goals.unmet(report, wanted).values()):
        though = f", though {why}" if present and not holds else ""
        return f"{registered}, not {CHAMPION}: {goals.summary(report, wanted)}{stays}{though}"
    if holds:
        return f"{registered}{stays}: {why}"
    try:
        client.set_registered_model_alias(made.name, CHAMPION, made.version)
    except MlflowException:
        now = champion(client, made.name)
        if not now or (present and now.version == present.version):
            raise
        return promote(client, made, scores, report, wanted)  # another machine was faster
    instead = f" instead of version {present.version}: {why}" if present else ""
    return f"{registered}, the new {CHAMPION}{instead}"


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


def _holds(
    client: MlflowClient, present: ModelVersion, scores: pd.DataFrame, wanted: Goals
) -> tuple[bool, str]:
    """Say whether a champion holds against a new version with these scores, and why."""
    try:
        kept = _kept(client, present)
    except MlflowException as error:  # the store has it, but does not give it now
        return True, f"its scores can't be read ({error.message}); choose on MLflow's pages"
    if not kept:
        return False, "its run keeps no scores that it could be judged by"
    theirs, report = kept
    if any(goals.unmet(report, wanted).values()):
        return False, f"of its own run, {goals.summary(report, wanted)}"
    own, theirs = (table[table["part"] == "oof"] for table in (scores, theirs))
    share = own["row"].isin(theirs["row"]).groupby(own["label"]).mean().min()
    if share < COMPARABLE:
        return False, f"it was judged on other pictures (of a class, on {share:.0%} of these)"
    (found,) = compare.compare(own, theirs)  # by the labels of the new version
    new, old = found.auc
    return new < old, (
        f"its AUC out of fold is {old:.3f}, this one's {new:.3f}, on {found.pictures} pictures "
        "that both have judged"
    )


def _kept(
    client: MlflowClient, version: ModelVersion
) -> tuple[pd.DataFrame, dict[str, Any]] | None:
    """Return scores and figures that a version's run keeps, or None if it is gone or has none."""
    run = str(version.run_id)
    try:
        folders = [client.list_artifacts(run, folder) for folder in ("", "tables")]
    except MlflowException as error:
        if error.error_code == ErrorCode.Name(RESOURCE_DOES_NOT_EXIST):
            return None
        raise
    if not {SCORES, REPORT} <= {file.path for files in folders for file in files}:
        return None
    with TemporaryDirectory() as folder:
        scores, report = (
            Path(client.download_artifacts(run, name, folder)) for name in (SCORES, REPORT)
        )
        try:
            return tables.read(scores, tables.PREDICTIONS), json.loads(report.read_text("utf-8"))
        except (RealartError, ValueError):  # damaged, or of another release
            return None
