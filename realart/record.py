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

from realart import (
    folds,
    goals,
    params,
    raw,
    registry,
    robustness,
    store,
    tables,
    tracking,
    yaml12,
)
from realart.errors import RealartError
from realart.params import CLASSES, Params
from realart.tracking import Training
from realart.verdicts import figure, one_sided

ROWS = Path("data/balanced/rows.csv")
FOLDS = Path("models/folds")
FINAL = Path("models/final")
METRICS = Path("metrics")
LOCK = Path("dvc.lock")
SHOWN = ("report.html", registry.SCORES, "plots", "pictures", "tables", "audit", "robustness")


def training_of(knobs: Params) -> Training:
    """Describe the training of what lies in the workspace, as one that begins now."""
    return tracking.training(knobs, tracking.fingerprint([ROWS]), id=uuid4().hex)


def log(knobs: Params, training: Training) -> str:
    """Log the evaluation that lies in the workspace, and `training` if no run is of it.

    Returns what became of the final model in the registry, in words.
    """
    client = store.connect()
    every = range(knobs.split.folds + len(knobs.held_out_sets))
    learnt = [folds.read(FOLDS / f"{fold}") for fold in every]
    report = json.loads((METRICS / "metrics.json").read_text("utf-8"))
    outcome = tracking.outcome_of(FOLDS)
    with tracking.evaluation_of(client, training, outcome, learnt) as run:
        given = _inputs(training.tags["data_fingerprint"])
        try:
            client.log_inputs(run, given)
        except MlflowException:  # another machine was logging the same set for the first time
            client.log_inputs(run, given)
        client.log_batch(run, tags=_tags())
        tracking.log_report(client, run, report | {"robustness": _changed()})
        for name in SHOWN:
            _log_artifact(client, run, METRICS / name)
        shown = {f"test/{name}": report["test"][name] for name in ("accuracy", "recall", "auc")}
        test, oof = figure("accuracy", report["test"]), figure("auc", report["oof"])
        headline = f"{knobs.model}: accuracy {test} on the test part, AUC {oof} out of fold"
        if "unseen" in report:
            headline += f", {figure('auc', report['unseen'])} on sets held out (mean)"
        words = [headline, goals.sentence(report, knobs.goals), *one_sided(report)]
        name = f"realart-{knobs.dataset}"
        made = registry.register(client, run, name, FINAL, shown, "; ".join(words))
        scores = tables.read(METRICS / registry.SCORES, tables.JUDGED)
        return registry.promote(client, made, scores, report, knobs.goals)


def catch_up() -> None:
    """Log what the workspace holds if the store knows nothing of it, as after `dvc pull`.

    What does not belong to the params and code of the workspace is left alone.
    """
    try:
        knobs = params.load()
    except RealartError:
        return
    report = METRICS / "report.html"
    if report.is_file() and not tracking.evaluated(knobs, tracking.outcome_of(FOLDS)):
        status = subprocess.run(
            [sys.executable, "-m", "dvc", "status", "--json"],
            capture_output=True,
            text=True,
            check=False,
        )
        if status.returncode == 0 and not json.loads(status.stdout):
            log(knobs, training_of(knobs))


def _inputs(digest: str) -> list[DatasetInput]:
    """Describe training and test part of each set as MLflow lists what a run was given."""
    rows = tables.read(ROWS, tables.ROWS)
    published = rows[rows["operation"] == ""]
    described = []
    for name, record in raw.records(raw.RAW).items():
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
    card = (FINAL / "README.md").read_text("utf-8").split("---\n", 2)[2]
    return [
        RunTag("mlflow.note.content", card),
        *(RunTag(f"stage.{name}", value) for name, value in hashes.items()),
    ]


def _changed() -> dict[str, dict[str, float]]:
    """Return the figures of changed pictures at the balanced point, by change."""
    table = tables.read(METRICS / "robustness/table.csv", robustness.COLUMNS)
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
