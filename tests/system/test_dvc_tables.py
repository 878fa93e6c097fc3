"""DVC's tables fit a screen of 140 columns, and show the model and the headline numbers."""

import json
import re
import shlex
import subprocess
from pathlib import Path

import pytest
from project_copy import ROOT, run, set_params
from reproduced import Reproduced

pytestmark = pytest.mark.slow

HEADLINE = {"oof.accuracy", "oof.auc", "test.accuracy", "test.auc"}


@pytest.fixture(scope="module")
def project(reproduced: Reproduced, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Commit a project that was run; then another accuracy and another param are in the workspace.

    The param is one that no stage of the chosen recipe reads.
    """
    project = reproduced.copy("after", tmp_path_factory.mktemp("tables"))
    identity = ["-c", "user.name=somebody", "-c", "user.email=somebody@example.org"]
    subprocess.run(["git", "add", "-A"], cwd=project, check=True)
    subprocess.run(["git", *identity, "commit", "-qm", "ran"], cwd=project, check=True)
    set_params(project, {"recipes.tiny.epochs": 77})
    file = project / "metrics/metrics.json"
    numbers = json.loads(file.read_text())
    numbers["oof"]["recall"] = 0.123
    file.write_text(json.dumps(numbers))
    return project


def make_experiments() -> list[str]:
    """Return the command of `make experiments`."""
    target = re.search(r"^experiments:.*\n\t(.*)", (ROOT / "Makefile").read_text(), re.M)
    assert target
    return shlex.split(target[1].replace("$$", "$"))


def test_experiments_have_few_columns(project: Path) -> None:
    done = run(project, *make_experiments(), "--csv")
    assert done.returncode == 0, done.stderr
    columns = done.stdout.splitlines()[0].split(",")
    own = {"Experiment", "rev", "typ", "parent"}
    assert set(columns) - own == HEADLINE | {"oof.recall", "model", "recipes.tiny.epochs"}


def test_experiments_fit_a_screen(project: Path) -> None:
    done = run(project, *make_experiments(), "--no-pager", COLUMNS="140")
    lines = done.stdout.splitlines()
    assert "workspace" in done.stdout
    assert max(map(len, lines)) <= 140
    assert not {"…", "..."} & set(done.stdout.split())
    assert HEADLINE | {"model"} <= set(done.stdout.split())


def test_a_difference_of_metrics_is_a_line_for_each(project: Path) -> None:
    done = run(project, "dvc", "metrics", "diff", "--md")
    rows = [line for line in done.stdout.splitlines() if line.startswith("| metrics/")]
    assert [row.split("|")[2].strip() for row in rows] == ["oof.recall"]
    shown = run(project, "dvc", "metrics", "show", "--json")
    (data,) = json.loads(shown.stdout)[""]["data"].values()
    assert sum(len(part) for part in data["data"].values()) <= 10


def test_plots_out_of_fold_come_first(project: Path) -> None:
    """And there is no plot of epochs, of which a support vector machine has none."""
    done = run(project, "dvc", "plots", "diff", "HEAD", "--json")
    data = json.loads(done.stdout)
    assert "errors" not in data
    drawn = [name for name, plots in data["data"].items() if any(p["revisions"] for p in plots)]
    curves = [name for name in drawn if not name.startswith("metrics/")]
    assert [name.endswith(" out of fold") for name in curves] == [True] * 3 + [False] * 3
    images = {str(Path(name).parent) for name in drawn if name not in curves}
    assert images == {"metrics/images/evaluation", "metrics/images/robustness"}
    (matrix,) = data["data"]["confusion out of fold"]
    spec = matrix["content"]
    rows = [row for row in spec["data"]["values"] if row["rev"] == "workspace"]
    assert [(row["actual"], row["predicted"]) for row in rows] == [
        ("human", "human"), ("human", "ai"), ("ai", "human"), ("ai", "ai"),
    ]  # fmt: skip
    assert [spec["spec"]["encoding"][axis]["field"] for axis in "xy"] == ["predicted", "actual"]
    assert spec["spec"]["layer"][1]["encoding"]["text"]["field"] == "pictures"
