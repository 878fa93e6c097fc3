"""Where MLflow's pages open, and what they show first: trainings, their columns and comparisons.

By themselves they open an experiment as one of generative AI, on its (no) traces. In MLflow 3.17
that is decided by `workflowType` in the address, in earlier 3.x by a tag of the experiment. Columns
and charts are a shared view: a tag of the experiment whose name is in the address.
"""

import json
from typing import Any
from urllib.parse import urlencode

from mlflow.utils.mlflow_tags import MLFLOW_USER

VIEW = "realart"
"""Name of the shared view."""
KIND_TAG = "mlflow.experimentKind"
VIEW_TAG = f"mlflow.sharedViewState.{VIEW}"
COLUMNS = (
    "metrics.`oof/auc`",
    "metrics.`oof/accuracy`",
    "metrics.`floor/oof/auc`",
    "metrics.`unseen/auc`",
    "metrics.`robustness/lowest_auc`",
    "metrics.`test/accuracy`",
    "metrics.`test/auc`",
    "params.`model`",
    "params.`train.seed`",
    "params.`balance.method`",
    "tags.`dvc_experiment`",
    f"tags.`{MLFLOW_USER}`",
)
"""Of the table of runs. What is compared is out of fold: nothing is chosen on the test part."""


def page(server: str, experiment_id: str | None) -> str:
    """Return the address of the page with the trainings of an experiment, or of all experiments."""
    workflow = {"workflowType": "machine_learning"}
    if experiment_id is None:
        return f"{server}/#/experiments?{urlencode(workflow)}"
    options = urlencode({**workflow, "viewStateShareKey": VIEW})
    return f"{server}/#/experiments/{experiment_id}/runs?{options}"


def missing_tags(tags: dict[str, str]) -> dict[str, str]:
    """Return the tags that an experiment with these tags lacks, for its pages to open as above."""
    view = json.dumps(_view(), separators=(",", ":"))
    missing = {} if KIND_TAG in tags else {KIND_TAG: "custom_model_development"}
    return missing if tags.get(VIEW_TAG) == view else {**missing, VIEW_TAG: view}


def _view() -> dict[str, Any]:
    """Return the state of the page of runs; MLflow adds a chart for each further metric."""
    charts: list[dict[str, Any]] = [
        {
            "type": "PARALLEL",
            "selectedParams": ["model", "balance.method"],
            "selectedMetrics": ["robustness/lowest_auc", "oof/auc"],
            "showAllRuns": True,
        },
        {"type": "BAR", "metricKey": "oof/auc", "displayName": "AUC out of fold"},
        {"type": "BAR", "metricKey": "floor/oof/auc", "displayName": "AUC, shortcut baseline"},
        {
            "type": "SCATTER",
            "xaxis": {"key": "oof/auc", "type": "METRIC"},
            "yaxis": {"key": "robustness/lowest_auc", "type": "METRIC"},
        },
    ]
    common = {
        "metricSectionId": VIEW, "deleted": False, "isGenerated": False, "runsCountToCompare": 100,
    }  # fmt: skip
    section = {"uuid": VIEW, "name": "Comparison", "display": True, "isReordered": False}
    return {
        "selectedColumns": COLUMNS,
        "compareRunCharts": [
            {**chart, **common, "uuid": f"{VIEW}-{number}"} for number, chart in enumerate(charts)
        ],
        "compareRunSections": [section],
        "isAccordionReordered": True,  # or it would be sorted among the generated ones
    }
