"""The evaluation that lies in the workspace, logged to the run of the training that it is of."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

from mlflow import MlflowClient
from mlflow.entities import Dataset, DatasetInput, InputTag
from mlflow.exceptions import MlflowException
from mlflow.utils.mlflow_tags import MLFLOW_RUN_NOTE

from realart.core import paths, tables
from realart.core.errors import RealartError
from realart.core.hashing import short_digest
from realart.data import raw
from realart.evaluation import headline, robustness
from realart.metrics import goals
from realart.metrics.proofs import Proofs
from realart.metrics.text import format_figure, one_class_warnings
from realart.models.manifest import CARD
from realart.params import CLASSES, Params, load_params
from realart.tracking import headline_metrics, model_registry, store, training_runs
from realart.tracking.training_runs import OUTCOME, TrainingRecord, TrainingRuns
from realart.training import folds
from realart.training.folds import FoldResult

EVALUATED = "realart.evaluated"
"""Tag of a run: the id of the evaluation that was logged there, set when all of it is."""
LOCK = Path("dvc.lock")
"""DVC's digests of each stage, kept with a run: by it, `dvc checkout` finds all outputs again."""
ARTIFACTS = (
    "report.html",
    model_registry.SCORES,
    model_registry.REPORT,
    "plots",
    "images",
    "tables",
    "audit",
    "robustness",
)
"""Files and folders of metrics/ that a run keeps."""


def workspace_record(params: Params) -> TrainingRecord:
    """Describe an evaluation of what lies in the workspace, and its training as if it began now."""
    return training_runs.training_record(params, short_digest([paths.ROWS]), id=uuid4().hex)


def log_evaluation(params: Params, record: TrainingRecord) -> str:
    """Log the evaluation that lies in the workspace, register its model, and name the champion.

    Parameters
    ----------
    params
        Those that the workspace was made with.
    record
        Of the evaluation, by `workspace_record`. It describes the run of the training, too, where
        the store has none that waits for an evaluation.

    Returns
    -------
    str
        What became of the final model in the registry, a sentence for people.
    """
    client = store.connect()
    results = [folds.read(paths.FOLDS / f"{fold}") for fold in params.all_folds]
    report = json.loads(paths.EVALUATION.read_text("utf-8"))
    outcome = training_runs.outcome_fingerprint(paths.FOLDS)
    with evaluation_run(client, record, outcome, results) as run_id:
        _log_inputs(client, run_id, record.tags["data_fingerprint"])
        client.set_tag(run_id, MLFLOW_RUN_NOTE, _note())
        log_report(client, run_id, report | {"robustness": {"lowest_auc": _lowest_auc()}})
        for path in (LOCK, *(paths.METRICS / name for name in ARTIFACTS)):
            _log_artifact(client, run_id, path)
        version = model_registry.register(
            client,
            run_id,
            f"realart-{params.dataset}",
            paths.FINAL,
            {f"test/{name}": report["test"][name] for name in headline.METRICS},
            _description(params, report),
        )
        scores = tables.read(paths.SCORES, tables.PREDICTIONS)
        return model_registry.promote(client, version, scores, report, params.goals)


@contextmanager
def evaluation_run(
    client: MlflowClient, record: TrainingRecord, outcome: str, results: Sequence[FoldResult]
) -> Iterator[str]:
    """Yield the id of the run that an evaluation is logged to, and tag it when the block succeeds.

    That is the latest run with these params whose training made `outcome` and was not evaluated
    yet. There is none if DVC restored the training from its cache, or if another evaluation was
    logged there: then it is a new run of `record`, with the events of all its folds. An evaluation
    that is logged again, known by the id of `record`, stays in its run.
    """
    run_id = _find_run(client, record, outcome)
    if run_id is None:
        runs = TrainingRuns(client, record)
        for fold, result in enumerate(results):
            for event in training_runs.fold_events(fold, result):
                runs.log(event)
        runs.log(training_runs.end_event(outcome))
        run_id = runs.parent
    yield run_id
    client.set_tag(run_id, EVALUATED, record.id)


def log_report(client: MlflowClient, run_id: str, report: Mapping[str, Any]) -> None:
    """Log the metrics of evaluation.json by which runs are compared; the file has all others.

    Logged again, the later values hold.
    """
    metrics = headline_metrics.choose(report)
    training_runs.log_metrics(client, run_id, metrics, step=0, at=training_runs.now())


def catch_up() -> None:
    """Log the evaluation in the workspace if the store has none of its training.

    That is so after `dvc pull`. A workspace that does not belong to its params and code, by
    `dvc status`, is left alone.
    """
    try:
        params = load_params()
    except RealartError:
        return
    if paths.REPORT.is_file() and not _is_evaluated(params):
        status = subprocess.run(
            [sys.executable, "-m", "dvc", "status", "--json"],
            capture_output=True,
            text=True,
            check=False,
        )
        if status.returncode == 0 and not json.loads(status.stdout):
            log_evaluation(params, workspace_record(params))


def _is_evaluated(params: Params) -> bool:
    """Return whether the store has an evaluation of the training that lies in the workspace."""
    client = store.connect()
    experiment = store.experiment_id(client, params.dataset)
    outcome = training_runs.outcome_fingerprint(paths.FOLDS)
    runs = training_runs.runs_with_tags(client, experiment, {OUTCOME: outcome})
    return any(EVALUATED in run.data.tags for run in runs)


def _find_run(client: MlflowClient, record: TrainingRecord, outcome: str) -> str | None:
    """Return the run that has this evaluation, or else the latest that waits for one, or None."""
    experiment = store.experiment_id(client, record.dataset)
    runs = training_runs.runs_with_tags(client, experiment, {OUTCOME: outcome})
    logged = [run for run in runs if run.data.tags.get(EVALUATED) == record.id]
    waiting = [
        run for run in runs if EVALUATED not in run.data.tags and run.data.params == record.params
    ]
    return next((str(run.info.run_id) for run in [*logged, *waiting]), None)


def _description(params: Params, report: Mapping[str, Any]) -> str:
    """Return the description of a registered version: its figures, goals and warnings."""
    test, oof = format_figure("accuracy", report["test"]), format_figure("auc", report["oof"])
    figures = f"{params.model}: accuracy {test} on the test part, AUC {oof} out of fold"
    if "unseen" in report:
        figures += f", {format_figure('auc', report['unseen'])} on sets held out (mean)"
    proofs = Proofs.model_validate(report["promises"])
    return "; ".join(
        [
            figures,
            goals.summary(report, params.goals),
            *one_class_warnings(report),
            proofs.of_low_fpr,
            proofs.of_decisions,
        ]
    )


def _log_inputs(client: MlflowClient, run_id: str, digest: str) -> None:
    """Log training and test part of each set as the datasets that a run was given."""
    rows = tables.read(paths.ROWS, tables.ROWS)
    published = rows[rows["operation"] == ""]
    inputs = []
    for name, source in raw.records(paths.RAW).items():
        for part, context in (("train", "training"), ("test", "testing")):
            pictures = published[(published["set"] == name) & (published["part"] == part)]
            counts = {label: int((pictures["label"] == label).sum()) for label in CLASSES}
            groups = pictures["group"].nunique()
            dataset = Dataset(
                name=f"{name}-{part}",
                digest=digest,
                source_type=source["source"],
                source=json.dumps(source, indent=2, ensure_ascii=False),
                profile=json.dumps({"pictures": len(pictures), "groups": groups, **counts}),
            )
            inputs.append(DatasetInput(dataset, [InputTag("mlflow.data.context", context)]))
    try:
        client.log_inputs(run_id, inputs)
    except MlflowException:  # another machine was logging the same set for the first time
        client.log_inputs(run_id, inputs)


def _note() -> str:
    """Return the model card without its front matter, as the note of a run."""
    return (paths.FINAL / CARD).read_text("utf-8").split("---\n", 2)[2]


def _lowest_auc() -> float:
    """Return the AUC of the change to test pictures under which it is lowest."""
    return float(tables.read(paths.ROBUSTNESS_TABLE, robustness.COLUMNS)["auc"].min())


def _log_artifact(client: MlflowClient, run_id: str, path: Path) -> None:
    if path.is_dir():
        client.log_artifacts(run_id, str(path), path.name)
    elif path.is_file():
        client.log_artifact(run_id, str(path))
