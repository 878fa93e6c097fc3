"""What the workspace holds, as a run in MLflow."""

import json
import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from uuid import uuid4

from mlflow import MlflowClient
from mlflow.entities import Dataset, DatasetInput, InputTag, RunTag
from mlflow.exceptions import MlflowException

from realart.core import paths, tables, yaml12
from realart.core.errors import RealartError
from realart.core.hashing import short_digest
from realart.data import raw
from realart.evaluation import robustness
from realart.metrics import goals
from realart.metrics.thresholds import format_figure, one_class_warnings
from realart.params import CLASSES, Params, load_params
from realart.tracking import mlflow_runs, registry, store
from realart.tracking.mlflow_runs import TrainingRecord
from realart.training import folds

LOCK = Path("dvc.lock")
SHOWN = ("report.html", registry.SCORES, "plots", "images", "tables", "audit", "robustness")


def training_of(params: Params) -> TrainingRecord:
    """Describe the training of what lies in the workspace, as one that begins now."""
    return mlflow_runs.training(params, short_digest([paths.ROWS]), id=uuid4().hex)


def log(params: Params, training: TrainingRecord) -> str:
    """Log the evaluation that lies in the workspace, and `training` if no run is of it.

    Returns what became of the final model in the registry, in words.
    """
    client = store.connect()
    learnt = [folds.read(paths.FOLDS / f"{fold}") for fold in params.all_folds]
    report = json.loads(paths.FIGURES.read_text("utf-8"))
    outcome = mlflow_runs.outcome_of(paths.FOLDS)
    with mlflow_runs.evaluation_of(client, training, outcome, learnt) as run:
        given = _inputs(training.tags["data_fingerprint"])
        try:
            client.log_inputs(run, given)
        except MlflowException:  # another machine was logging the same set for the first time
            client.log_inputs(run, given)
        client.log_batch(run, tags=_tags())
        mlflow_runs.log_report(client, run, report | {"robustness": _changed()})
        for name in SHOWN:
            _log_artifact(client, run, paths.METRICS / name)
        shown = {f"test/{name}": report["test"][name] for name in ("accuracy", "recall", "auc")}
        test = format_figure("accuracy", report["test"])
        oof = format_figure("auc", report["oof"])
        headline = f"{params.model}: accuracy {test} on the test part, AUC {oof} out of fold"
        if "unseen" in report:
            headline += f", {format_figure('auc', report['unseen'])} on sets held out (mean)"
        words = [headline, goals.summary(report, params.goals), *one_class_warnings(report)]
        name = f"realart-{params.dataset}"
        made = registry.register(client, run, name, paths.FINAL, shown, "; ".join(words))
        scores = tables.read(paths.SCORES, tables.PREDICTIONS)
        return registry.promote(client, made, scores, report, params.goals)


def catch_up() -> None:
    """Log what the workspace holds if the store knows nothing of it, as after `dvc pull`.

    What does not belong to the params and code of the workspace is left alone.
    """
    try:
        params = load_params()
    except RealartError:
        return
    if paths.REPORT.is_file() and not mlflow_runs.evaluated(
        params, mlflow_runs.outcome_of(paths.FOLDS)
    ):
        status = subprocess.run(
            [sys.executable, "-m", "dvc", "status", "--json"],
            capture_output=True,
            text=True,
            check=False,
        )
        if status.returncode == 0 and not json.loads(status.stdout):
            log(params, training_of(params))


def _inputs(digest: str) -> list[DatasetInput]:
    """Describe training and test part of each set as MLflow lists what a run was given."""
    rows = tables.read(paths.ROWS, tables.ROWS)
    published = rows[rows["operation"] == ""]
    described = []
    for name, record in raw.records(paths.RAW).items():
        for part, context in (("train", "training"), ("test", "testing")):
            own = published[(published["set"] == name) & (published["part"] == part)]
            counts = {label: int((own["label"] == label).sum()) for label in CLASSES}
            profile = {"pictures": len(own), "groups": own["group"].nunique(), **counts}
            dataset = Dataset(
                name=f"{name}-{part}",
                digest=digest,
                source_type=record["source"],
                source=json.dumps(record, indent=2, ensure_ascii=False),
                profile=json.dumps(profile),
            )
            described.append(DatasetInput(dataset, [InputTag("mlflow.data.context", context)]))
    return described


def _tags() -> list[RunTag]:
    """Name what each stage was made from and made, and what the final model is, in words."""
    lock = yaml12.load(LOCK.read_text("utf-8"), LOCK.name) if LOCK.is_file() else {"stages": {}}
    hashes = {
        name: sha256(json.dumps(entry, sort_keys=True).encode()).hexdigest()[:16]
        for name, entry in lock["stages"].items()
    }
    card = (paths.FINAL / "README.md").read_text("utf-8").split("---\n", 2)[2]
    return [
        RunTag("mlflow.note.content", card),
        *(RunTag(f"stage.{name}", value) for name, value in hashes.items()),
    ]


def _changed() -> dict[str, dict[str, float]]:
    """Return the figures of changed pictures at the balanced point, by change."""
    table = tables.read(paths.ROBUSTNESS_TABLE, robustness.COLUMNS)
    own = table[table["point"] == "balanced"]
    return {
        f"{one.change}_{one.strength:g}": {
            name: float(getattr(one, name)) for name in ("auc", "recall", "false_positive_rate")
        }
        for one in own.itertuples()
    }


def _log_artifact(client: MlflowClient, run: str, path: Path) -> None:
    if path.is_dir():
        client.log_artifacts(run, str(path), path.name)
    else:
        client.log_artifact(run, str(path))
