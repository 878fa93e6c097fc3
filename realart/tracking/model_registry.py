"""The final model in MLflow's registry: logged with the code that runs it, and the champion."""

import json
import os
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version as installed_version
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
from realart.tracking import run_description, store

CHAMPION = "champion"
"""Alias of the version of a registered model that is best."""
SCORES = "scores.csv"
REPORT = "evaluation.json"
"""Artifacts of a run, by which its version is compared as champion."""
EARLIER_REPORT = "tables/metrics.json"
"""`REPORT` in runs of earlier releases."""
COMPARABLE = 0.5
"""Share of each class of a new version's pictures that a champion must have scored, too."""
REQUIREMENTS = (
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
"""Packages that the registered model imports."""


def register(
    client: MlflowClient, run_id: str, name: str, final: Path, figures: Figures, description: str
) -> ModelVersion:
    """Log the final model with its run, and register it; return its version.

    It is logged as Python code and files, never pickled. A run has one version, however often this
    is called.

    Parameters
    ----------
    run_id
        The run that the model belongs to.
    name
        Of the registered model, which is created if absent.
    final
        The folder that `realart.models.trained_model.save` wrote.
    figures, description
        Shown beside the version.
    """
    if versions := client.search_model_versions(f"run_id = '{run_id}'"):
        return versions[0]
    from realart.tracking import pyfunc  # on import it registers itself with MLflow as a model

    example = pd.DataFrame({pyfunc.PICTURE: [sample.picture(0, seed=0).data]})
    with warnings.catch_warnings(), _tracking_uri_in_environment(), mlflow.start_run(run_id):
        warnings.filterwarnings("ignore", "Add type hints")  # a picture's bytes have one type
        logged = mlflow.pyfunc.log_model(
            name="model",
            python_model=pyfunc.__file__,
            artifacts={pyfunc.ARTIFACT: str(final)},
            code_paths=[str(Path(__file__).parents[1])],
            signature=pyfunc.SIGNATURE,
            input_example=example,
            pip_requirements=[
                f"{package}=={installed_version(package)}" for package in REQUIREMENTS
            ],
        )
        mlflow.log_metrics(dict(figures), model_id=logged.model_id)
        with store.ignored_if_exists():
            client.create_registered_model(name)
        return client.create_model_version(
            name, logged.model_uri, run_id, model_id=logged.model_id, description=description
        )


def register_calibrated(
    dataset: str, folder: Path, report: Mapping[str, Any], description: str
) -> str:
    """Register a calibrated model as a new version, which is not the champion.

    Parameters
    ----------
    dataset
        That the model was trained on.
    folder, report
        The model, and what `calibrated_model.calibrate` returned of it.
    description
        Shown beside the version.

    Returns
    -------
    str
        Under which name and version, for people.

    Raises
    ------
    StoreUnavailableError
        The store can't be used.
    """
    client = store.connect()
    with store.translated_errors():
        run = client.create_run(
            store.experiment_id(client, dataset),
            tags=run_description.standard_tags("realart calibrate"),
            run_name=f"calibrated on {report['data']}",
        )
        figures = {f"calibration/{name}": report[name] for name in ("before", "after")}
        name = f"realart-{dataset}"
        version = register(client, str(run.info.run_id), name, folder, figures, description)
    return f"registered as {name}, version {version.version}"


def promote(
    client: MlflowClient,
    version: ModelVersion,
    scores: pd.DataFrame,
    report: Mapping[str, Any],
    wanted: Goals,
) -> str:
    """Make a version champion if it meets the goals and is not worse than the present champion.

    A champion stays if it meets the same goals, has scored at least `COMPARABLE` of the new
    version's out-of-fold pictures of each class, and has the higher AUC on these: a choice by the
    test part would leave nothing to test with. A champion that was scored on other pictures, or
    whose run is gone, can't be compared: it gives way to what is good on the present pictures.

    Parameters
    ----------
    version
        The new version.
    scores, report
        Of the new version: columns `tables.PREDICTIONS`, and the content of evaluation.json.
    wanted
        The goals of params.yaml.

    Returns
    -------
    str
        Who is champion and why, a sentence for people.
    """
    registered = f"registered as {version.name}, version {version.version}"
    present = champion(client, version.name)
    is_better, reason = _is_better(client, present, scores, wanted) if present else (False, "")
    stays = f"; version {present.version} stays {CHAMPION}" if present else ""
    if any(goals.unmet(report, wanted).values()):
        though = f", though {reason}" if present and not is_better else ""
        missed = goals.summary(report, wanted)
        role = f"not {CHAMPION} (the version to serve from MLflow, which nothing else needs)"
        return f"{registered}, {role}: {missed}{stays}{though}"
    if is_better:
        return f"{registered}{stays}: {reason}"
    try:
        client.set_registered_model_alias(version.name, CHAMPION, version.version)
    except MlflowException:
        now = champion(client, version.name)
        if not now or (present and now.version == present.version):
            raise
        return promote(client, version, scores, report, wanted)  # another machine was faster
    instead = f" instead of version {present.version}: {reason}" if present else ""
    return f"{registered}, the new {CHAMPION}{instead}"


def champion(client: MlflowClient, name: str) -> ModelVersion | None:
    """Return the present champion of a registered model, or None if it has none."""
    aliases = client.get_registered_model(name).aliases
    return client.get_model_version(name, aliases[CHAMPION]) if CHAMPION in aliases else None


@contextmanager
def _tracking_uri_in_environment() -> Iterator[None]:
    """Have MLflow's functions that take no client use the store while the block runs."""
    before = os.environ.get(store.URI_VARIABLE)
    os.environ[store.URI_VARIABLE] = store.tracking_uri()
    try:
        yield
    finally:
        del os.environ[store.URI_VARIABLE]
        if before is not None:
            os.environ[store.URI_VARIABLE] = before


def _is_better(
    client: MlflowClient, present: ModelVersion, scores: pd.DataFrame, wanted: Goals
) -> tuple[bool, str]:
    """Return whether the champion is better than a new version with these scores, and why."""
    try:
        logged = _logged_scores(client, present)
    except MlflowException as error:  # the store has it, but does not give it now
        return True, f"its scores can't be read ({error.message}); choose on MLflow's pages"
    if not logged:
        return False, "its run keeps no scores that it could be judged by"
    champion_scores, report = logged
    if any(goals.unmet(report, wanted).values()):
        return False, f"of its own run, {goals.summary(report, wanted)}"
    new, old = (table[table["part"] == "oof"] for table in (scores, champion_scores))
    share = new["row"].isin(old["row"]).groupby(new["label"]).mean().min()
    if share < COMPARABLE:
        return False, f"it was judged on other pictures (of a class, on {share:.0%} of these)"
    (comparison,) = compare.compare(new, old)  # by the labels of the new version
    assert comparison.ranking  # they share pictures of both classes
    new_auc, old_auc = comparison.ranking.auc
    return new_auc < old_auc, (
        f"its AUC out of fold is {old_auc:.3f}, this one's {new_auc:.3f}, on "
        f"{comparison.pictures} pictures that both have judged"
    )


def _logged_scores(
    client: MlflowClient, version: ModelVersion
) -> tuple[pd.DataFrame, dict[str, Any]] | None:
    """Return the scores and evaluation.json of a version's run, or None if it has none."""
    run_id = str(version.run_id)
    try:
        folders = [client.list_artifacts(run_id, folder) for folder in ("", "tables")]
    except MlflowException as error:
        if error.error_code == ErrorCode.Name(RESOURCE_DOES_NOT_EXIST):
            return None
        raise
    artifacts = {file.path for files in folders for file in files}
    report_name = next((name for name in (REPORT, EARLIER_REPORT) if name in artifacts), None)
    if SCORES not in artifacts or report_name is None:
        return None
    with TemporaryDirectory() as folder:
        scores, report = (
            Path(client.download_artifacts(run_id, name, folder)) for name in (SCORES, report_name)
        )
        try:
            return tables.read(scores, tables.PREDICTIONS), json.loads(report.read_text("utf-8"))
        except (RealartError, ValueError):  # damaged, or of another release
            return None
