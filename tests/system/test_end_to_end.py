"""What users do: `dvc repro`, experiments in every mode, and mistakes, on a small project."""

import importlib
import json
import subprocess
import time
from pathlib import Path

import joblib
import pytest
from mlflow import MlflowClient
from mlflow.entities import Run
from project_copy import TINY, environment, run, run_stages, set_params
from reproduced import Reproduced

from realart.core import errors
from realart.tracking import evaluation_runs

pytestmark = pytest.mark.slow

DATA_STAGES = ("download", "clean", "split", "balance", "ela", "features")


@pytest.fixture(scope="module")
def project(reproduced: Reproduced) -> Path:
    """Commit a project after its first `dvc repro`: nobody else works in it."""
    assert "evaluate: colour on local" in reproduced.output
    commit(reproduced.project)
    return reproduced.project


@pytest.fixture(scope="module")
def network(reproduced: Reproduced, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Copy the project, and prepare the training of a network."""
    copied = reproduced.copy("after", tmp_path_factory.mktemp("network"))
    set_params(copied, {"model": "tiny"})
    with pytest.MonkeyPatch.context() as patched:
        run_stages(patched, copied, "features")
    return copied


def test_repro_again_runs_nothing(project: Path) -> None:
    output = succeed(project, "dvc", "repro")
    assert "Running stage" not in output
    assert "up to date" in output


def test_nothing_untracked_or_changed_after_repro(project: Path) -> None:
    assert succeed(project, "git", "status", "--porcelain") == ""


def test_every_file_is_kept_or_rejected(reproduced: Reproduced) -> None:
    files, kept, rejected = (
        int(reproduced.output.split(word)[0].split()[-1])
        for word in (" files =", " kept", " rejected")
    )
    assert files == kept + rejected
    assert kept > 30


def test_experiment_with_another_model(project: Path) -> None:
    done = run(project, "dvc", "exp", "run", "--name", "with-ela", "-S", "model=tiny_ela")
    assert (done.returncode, done.stderr) == (0, "")  # Keras and what is below it are quiet
    for stage in DATA_STAGES[:-1]:
        assert f"Stage '{stage}' didn't change, skipping" in done.stdout
    assert "test.accuracy" in succeed(project, "dvc", "metrics", "diff", "--all")
    assert "with-ela" in succeed(project, "dvc", "exp", "show", "--csv")
    run_ = runs(project, "with-ela")[0]
    assert run_.data.params["recipe.sees.input"] == "ela"
    assert run_.data.metrics["test/accuracy"] == figures(project)["test"]["accuracy"]
    assert len(children(project, run_.info.run_id)) == 2
    artifacts = {file.path for file in store(project).list_artifacts(run_.info.run_id)}
    assert artifacts >= {"report.html", "scores.csv", "plots", "images", "robustness", "audit"}
    assert "dvc.lock" in artifacts
    assert 20 < sum(not name.startswith("system/") for name in run_.data.metrics) < 40
    assert "# realart-tiny_ela-local" in run_.data.tags["mlflow.note.content"]
    given = {
        entry.dataset.name: json.loads(entry.dataset.profile)
        for entry in run_.inputs.dataset_inputs
    }
    counts = figures(project)["test"]["confusion"]
    assert given["local-test"]["ai"] == counts["tp"] + counts["fn"]
    versions = store(project).search_model_versions("name = 'realart-local'")
    assert run_.info.run_id in {version.run_id for version in versions}
    subprocess.run(["git", "checkout", "-q", "."], cwd=project, check=True)
    succeed(project, "dvc", "checkout")


def test_ela_quality_reruns_no_model_that_reads_rgb(project: Path) -> None:
    output = succeed(project, "dvc", "exp", "run", "--temp", "-S", "ela.quality=50", "train")
    assert "Running stage 'ela'" in output
    assert "Stage 'train' didn't change, skipping" in output


def test_how_a_head_is_trained_reruns_no_features(project: Path) -> None:
    params = (project / "params.yaml").read_text()
    set_params(project, {"recipes.colour.head.grid": {"C": [2.0]}, "train.seed": 9})
    try:
        output = succeed(project, "dvc", "status")
    finally:
        (project / "params.yaml").write_text(params)
    changed = {line.rstrip(":") for line in output.splitlines() if line and line[0].isalpha()}
    assert changed == {"check", "train", "evaluate", "report"}


def test_two_queue_workers_share_one_store(project: Path) -> None:
    for seed in (1, 2):
        change = ("-S", f"train.seed={seed}")
        succeed(project, "dvc", "exp", "run", "--queue", "--name", f"seed-{seed}", *change)
    # Workers keep the output open that DVC was given: read through a pipe, this would wait for the
    # last of them to end.
    start = ("dvc", "queue", "start", "--jobs", "2")
    subprocess.run(
        start,
        cwd=project,
        env=environment(project),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=True,
    )
    until = time.monotonic() + 600
    while "Running" in (status := succeed(project, "dvc", "queue", "status")) or "Queued" in status:
        assert time.monotonic() < until, status + worker_output(project)
        time.sleep(5)
    assert status.count("Success") == 2, status + worker_output(project)
    for seed in (1, 2):
        (found,) = runs(project, f"seed-{seed}")
        assert found.info.status == "FINISHED"
        assert found.data.params["train.seed"] == f"{seed}"
        assert "test/accuracy" in found.data.metrics
        assert len(children(project, found.info.run_id)) == 2


def test_run_restored_from_cache_still_shows(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fresh = f"sqlite:///{project.parent / 'other.db'}"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", fresh)
    run_stages(monkeypatch, project, "report")
    client = MlflowClient(fresh)
    (experiment,) = client.search_experiments(filter_string="name = 'realart-local'")
    logged = client.search_runs([experiment.experiment_id])
    assert sorted(run_.info.run_name for run_ in logged) == ["colour on local", "fold 0", "fold 1"]
    assert all(
        "held_out/auc" in run_.data.metrics for run_ in logged if "fold" in run_.info.run_name
    )
    # The report names the commit, which is another since the project was run.
    succeed(project, "dvc", "checkout", "--force", "metrics/report.html")


def test_pages_show_what_was_pulled(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pulled = f"sqlite:///{project.parent / 'pulled.db'}"
    client = MlflowClient(pulled)
    as_user(monkeypatch, project, MLFLOW_TRACKING_URI=pulled)
    params = (project / "params.yaml").read_text()
    set_params(project, {"train.seed": 7})
    evaluation_runs.catch_up()
    (project / "params.yaml").write_text(params)
    (experiment,) = client.search_experiments(filter_string="name = 'realart-local'")
    assert client.search_runs([experiment.experiment_id]) == []  # not a run with these params
    for _ in range(2):
        evaluation_runs.catch_up()
        logged = client.search_runs([experiment.experiment_id])
        assert sorted(run_.info.run_name for run_ in logged) == [
            "colour on local",
            "fold 0",
            "fold 1",
        ]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"model": "tinny"}, "unknown model 'tinny' (did you mean 'tiny'?); choose one of: cnn"),
        ({"datasets.local.path": "../nowhere.zip"}, "there is nothing; set -S datasets.local.path"),
    ],
)
def test_a_mistake_is_one_line_and_loses_nothing(
    project: Path, change: dict[str, object], expected: str
) -> None:
    before, params = everything(project), (project / "params.yaml").read_text()
    set_params(project, change)
    try:
        done = run(project, "dvc", "repro")
    finally:
        (project / "params.yaml").write_text(params)
    assert done.returncode != 0
    assert sum(expected in line for line in done.stderr.splitlines()) == 1, done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    succeed(project, "dvc", "checkout")  # DVC removes outputs before a stage runs
    assert everything(project) == before


@pytest.mark.parametrize(
    ("stage", "change", "expected"),
    [
        ("check", {"dataset": "locl"}, "unknown dataset 'locl' (did you mean 'local'?); choose"),
        (
            "check",
            {"recipes.mine": {name: value for name, value in TINY.items() if name != "layers"}},
            "param 'recipes.mine.layers' is missing",
        ),
        ("check", {"clean.long_sied": 3}, "unknown param 'clean.long_sied' (did you mean"),
        ("check", {"split.folds": "four"}, "split.folds is 'four'"),
        ("check", {"recipes.tiny.layers": [{"Conv3": {}}]}, "recipes.tiny.layers.0: unknown layer"),
        ("download", {"datasets.local.path": None}, "datasets.local.path is not set"),
        ("clean", {"datasets.local.labels.ai": ["robots"]}, "['robots'] matches no folder"),
        ("clean", {"clean.min_side": 5000}, "no picture of class human is usable"),
        ("split", {"split.folds": 40}, "split.folds x split.slices (40 x 2)"),
        ("split", {"split.method": "published"}, "marks no human picture as test"),
        (
            "features",
            {"recipes.tiny.sees.backbone": {"name": "ResNet5"}},
            "unknown backbone 'ResNet5'",
        ),
        (
            "train",
            {"recipes.tiny.sees.backbone": {"name": "MobileNetV2", "weights": "no.h5"}},
            "weights 'no.h5' are no file",
        ),
        (
            "train",
            {"recipes.tiny.layers": [{"Conv3": {}}]},
            "layer 0: unknown layer 'Conv3' (did you mean",
        ),
        ("train", {"train.devices": 2}, "train.devices is 2, but KERAS_BACKEND is tensorflow"),
    ],
)
def test_a_mistake_ends_a_stage_with_one_line(
    network: Path,
    stage: str,
    change: dict[str, object],
    expected: str,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    before, params = everything(network), (network / "params.yaml").read_text()
    set_params(network, change)
    as_user(monkeypatch, network)
    script = importlib.import_module(f"stages.{stage}")
    try:
        with pytest.raises(SystemExit) as end, joblib.parallel_config("threading"):
            errors.run(script.main)
    finally:
        (network / "params.yaml").write_text(params)
    output = capfd.readouterr().err
    assert end.value.code == 2
    assert output.count("\n") == 1
    assert expected in output
    assert everything(network) == before


def test_a_mistake_is_all_that_a_process_prints(network: Path) -> None:
    """TensorFlow, which tells of itself where it is imported first, is kept quiet."""
    params = (network / "params.yaml").read_text()
    set_params(network, {"recipes.tiny.optimizer.name": "Adamm"})
    try:
        done = run(network, "python", "-m", "stages.train")
    finally:
        (network / "params.yaml").write_text(params)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("realart: the recipe: unknown optimizer 'Adamm'")
    assert done.stderr.count("\n") == 1


def everything(project: Path) -> dict[str, bytes]:
    """Return all that the pipeline has made of pictures: `check` notes params, right or wrong."""
    folders = ("data", "models", "metrics")
    files = [file for folder in folders for file in (project / folder).rglob("*")]
    made = (file for file in files if file.parent != project / "data/sets")
    whole = (file for file in made if file.is_file() and ".partial" not in str(file))
    return {str(file): file.read_bytes() for file in whole}


def worker_output(project: Path) -> str:
    """Return the end of all that queued experiments and the queue's workers have printed."""
    files = sorted((project / ".dvc/tmp/exps").rglob("*.out"))
    return "".join(f"\n{file.name}\n{file.read_text()[-2000:]}" for file in files)


def as_user(patched: pytest.MonkeyPatch, project: Path, **more: str) -> None:
    """Let this process, which has imported all before, do as one that was started there."""
    patched.chdir(project)
    for name, value in environment(project, **more).items():
        patched.setenv(name, value)


def succeed(project: Path, *command: str, **environment: str) -> str:
    done = run(project, *command, **environment)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert "Traceback" not in done.stdout + done.stderr
    return done.stdout + done.stderr


def commit(project: Path) -> None:
    identity = ["-c", "user.name=somebody", "-c", "user.email=somebody@example.org"]
    subprocess.run(["git", "add", "-A"], cwd=project, check=True)
    subprocess.run(["git", *identity, "commit", "-qm", "ran"], cwd=project, check=True)


def figures(project: Path) -> dict[str, dict[str, float]]:
    content: dict[str, dict[str, float]] = json.loads(
        (project / "metrics/evaluation.json").read_text()
    )
    return content


def store(project: Path) -> MlflowClient:
    return MlflowClient(f"sqlite:///{project / 'mlruns/mlflow.db'}")


def runs(project: Path, name: str) -> list[Run]:
    client = store(project)
    (experiment,) = client.search_experiments(filter_string="name = 'realart-local'")
    return list(
        client.search_runs(
            [experiment.experiment_id],
            f"tags.dvc_experiment = '{name}'",
        )
    )


def children(project: Path, parent: str) -> list[Run]:
    client = store(project)
    experiment = client.get_run(parent).info.experiment_id
    return list(client.search_runs([experiment], f"tags.`mlflow.parentRunId` = '{parent}'"))
