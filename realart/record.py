"""What the workspace holds, as a run in MLflow."""

import json
import subprocess
import sys
from pathlib import Path

import pandas as pd

from realart import evaluation, params, tables, tracking
from realart.errors import RealartError
from realart.params import Params

ROWS = Path("data/balanced/rows.csv")
FOLDS = Path("models/folds")
METRICS = Path("metrics/metrics.json")
SHOWN = (Path("models/final"), Path("metrics/plots"), Path("metrics/pictures"))


def log(knobs: Params) -> None:
    """Log the evaluation that lies in the workspace, and its training if no run is of it."""
    client = tracking.connect()
    folders = [FOLDS / f"{fold}" for fold in range(knobs.split.folds)]
    histories = [pd.read_csv(folder / "history.csv") for folder in folders]
    held_out = [tables.read(folder / "scores.csv", tables.SCORES) for folder in folders]
    figures = [
        evaluation.figures(tables.is_ai(scores["label"]), scores["score"].to_numpy())
        for scores in held_out
    ]
    data, outcome = tracking.fingerprint([ROWS]), tracking.outcome_of(FOLDS)
    with tracking.evaluation_of(client, knobs, data, outcome, histories, figures) as run:
        tracking.log_report(client, run, json.loads(METRICS.read_text("utf-8")))
        for folder in SHOWN:
            client.log_artifacts(run, str(folder), folder.name)


def catch_up() -> None:
    """Log what the workspace holds if the store knows nothing of it, as after `dvc pull`.

    What does not belong to the params and code of the workspace is left alone.
    """
    try:
        knobs = params.load()
    except RealartError:
        return
    if METRICS.is_file() and not tracking.evaluated(knobs, tracking.outcome_of(FOLDS)):
        status = subprocess.run(
            [sys.executable, "-m", "dvc", "status", "--json"],
            capture_output=True,
            text=True,
            check=False,
        )
        if status.returncode == 0 and not json.loads(status.stdout):
            log(knobs)
