"""Two sets as one, from their archives to the report: figures in-set, and of sets held out."""

import json
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest
from mlflow import MlflowClient
from project_copy import COLOUR, run_stages, set_params, tiny_project

from realart.core import tables, yaml12
from realart.data import raw
from realart.data.sample import write_archive
from realart.evaluation import cross_dataset
from realart.metrics import by_set, calibration, classification, text
from realart.params import load_params

pytestmark = pytest.mark.slow

STAGES = (
    "check", "download", "clean", "split", "balance", "ela", "contact_sheets", "audit", "features",
    "train", "evaluate", "robustness", "report",
)  # fmt: skip
FOLDS = 2


@pytest.fixture(scope="module")
def address(own_store: Path) -> str:
    return f"sqlite:///{own_store / 'mlruns/mlflow.db'}"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, address: str) -> Path:
    """Run all stages on two sets of different pictures: `local` and `more`."""
    place = tiny_project(tmp_path_factory.mktemp("sets"))
    write_archive(place.parent / "more.zip", pictures=16, seed=1)
    local = yaml12.load((place / "params.yaml").read_text(), "params.yaml")["datasets"]["local"]
    more = {**local, "path": "../more.zip", "licence": "MIT"}
    set_params(
        place,
        COLOUR
        | {"datasets.more": more, "dataset": "more+local", "split.method": "sets"}
        | {"datasets.local.licence": "CC0-1.0"},
    )
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("MLFLOW_TRACKING_URI", address)
        run_stages(patched, place, *STAGES)
    return place


@pytest.fixture(scope="module")
def metrics(project: Path) -> dict[str, dict[str, object]]:
    return json.loads((project / "metrics/evaluation.json").read_text())


@pytest.fixture(scope="module")
def scores(project: Path) -> pd.DataFrame:
    return tables.read(project / "metrics/scores.csv", tables.PREDICTIONS)


def test_each_set_keeps_its_archive_and_licence(project: Path) -> None:
    records = raw.records(project / "data/raw")
    assert {name: record["licence"] for name, record in records.items()} == {
        "local": "CC0-1.0", "more": "MIT",
    }  # fmt: skip
    for name, source in (("local", "pictures.zip"), ("more", "more.zip")):
        published = (project.parent / source).read_bytes()
        assert raw.archives(project / "data/raw")[name].read_bytes() == published


def test_every_table_of_pictures_names_their_set(project: Path, scores: pd.DataFrame) -> None:
    kept = tables.read(project / "data/clean/pictures.csv", tables.PICTURES).set_index("id")["set"]
    assert set(kept) == {"local", "more"}
    split = tables.read(project / "data/split.csv", tables.SPLIT)
    rows = tables.read(project / "data/balanced/rows.csv", tables.ROWS)
    for table, id_ in ((split, "id"), (rows, "picture"), (scores, "row")):
        assert table["set"].tolist() == kept.loc[table[id_]].tolist()
    rejected = tables.read(project / "data/clean/rejected.csv", tables.REJECTED)
    assert set(rejected["set"]) == {"local", "more"}


def test_a_held_out_set_is_scored_by_models_of_the_other(
    project: Path, scores: pd.DataFrame
) -> None:
    """Also its calibration is what the scores of the other, out of random folds, say."""
    parts = {part: own.sort_values("row") for part, own in scores.groupby("part")}
    assert parts["unseen"]["row"].tolist() == parts["oof"]["row"].tolist()
    assert not np.allclose(parts["unseen"]["score"], parts["oof"]["score"])
    sets = scores.drop_duplicates("row").set_index("row")["set"]
    of_folds = [
        tables.read(project / f"models/folds/{fold}/scores.csv", tables.SCORES)
        for fold in range(FOLDS + 2)
    ]
    random = pd.concat(of_folds[:FOLDS])
    for held_out, name in zip(of_folds[FOLDS:], ("local", "more"), strict=True):
        own = parts["unseen"][parts["unseen"]["set"] == name].set_index("row")
        assert set(held_out["row"]) == set(own.index)
        others = random[random["row"].map(sets) != name]
        fitted = calibration.fit(tables.is_ai(others["label"]), others["score"].to_numpy())
        expected = fitted(held_out["score"].to_numpy())
        np.testing.assert_allclose(own.loc[held_out["row"], "score"], expected)


def test_figures_in_set_and_unseen_stand_beside_each_other(
    project: Path, metrics: dict[str, dict[str, object]], scores: pd.DataFrame
) -> None:
    for name, part in (("in_set", "oof"), ("unseen", "unseen")):
        assert metrics[name] == json.loads(
            json.dumps(by_set.evaluate_by_set(scores[scores["part"] == part]))
        )
    oof = scores[scores["part"] == "oof"]
    pooled = classification.figures(tables.is_ai(oof["label"]), oof["score"].to_numpy())
    assert metrics["oof"]["auc"] == pooled["auc"]
    page = (project / "metrics/report.html").read_text()
    card = (project / "models/final/README.md").read_text()
    for key in ("in_set", "unseen"):
        for own in (metrics[key], *metrics[key]["sets"].values()):  # type: ignore[attr-defined]
            assert text.format_figure("auc", own) in page
            assert text.format_figure("auc", own) in card
    assert "local: CC0-1.0; more: MIT" in card
    assert "-S dataset=local+more -S model=colour -S datasets.local.path=" in page


def test_mlflow_keeps_both(address: str, metrics: dict[str, dict[str, object]]) -> None:
    client = MlflowClient(address)
    (experiment,) = client.search_experiments(filter_string="name = 'realart-local+more'")
    runs = client.search_runs([experiment.experiment_id])
    (parent,) = (run for run in runs if "oof/auc" in run.data.metrics)
    assert parent.data.metrics["oof/auc"] == metrics["oof"]["auc"]
    assert parent.data.metrics["unseen/auc"] == metrics["unseen"]["auc"]
    assert parent.data.metrics["unseen/intervals/auc/low"] < metrics["unseen"]["auc"]
    assert {f"unseen/sets/{name}/auc" for name in ("local", "more")} <= set(parent.data.metrics)
    names = {entry.dataset.name for entry in parent.inputs.dataset_inputs}
    assert names == {"local-train", "local-test", "more-train", "more-test"}
    of_folds = {run.info.run_name for run in runs} - {parent.info.run_name}
    held_out = {f"fold {FOLDS + n}, {name} held out" for n, name in enumerate(("local", "more"))}
    assert of_folds == {f"fold {fold}" for fold in range(FOLDS)} | held_out
    assert len(runs) == 1 + FOLDS + 2


def test_the_audit_asks_what_tells_sets_apart(project: Path) -> None:
    audit = json.loads((project / "metrics/audit.json").read_text())
    assert audit["sets"]["fitted"] == pytest.approx(0, abs=1e-6)
    assert audit["floor"]["unseen"]["intervals"]["auc"]["low"] <= audit["floor"]["unseen"]["auc"]
    findings = (project / "metrics/audit/findings.md").read_text()
    for label in ("ai", "human"):
        assert f"The set of {label} art is predicted from" in findings


def test_classes_and_sets_count_the_same_in_what_is_fitted_on(project: Path) -> None:
    rows = tables.read(project / "data/balanced/rows.csv", tables.ROWS)
    counts = rows[rows["fit"]].groupby(["set", "label"]).size().unstack()
    assert (counts["ai"] == counts["human"]).all()


def test_a_model_of_several_sets_is_tried_on_one_of_them(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its pictures keep the scores of random folds, not those of the fold that held it out."""
    monkeypatch.chdir(project)
    labels = load_params().sets["local"].labels
    scores = tables.read(project / "metrics/scores.csv", tables.PREDICTIONS)
    own = scores[(scores["set"] == "local") & (scores["part"] != "unseen")].set_index("row")
    with cross_dataset.load_run("workspace") as run, joblib.parallel_config("threading"):
        report = cross_dataset.evaluate(
            run, project.parent / "pictures.zip", labels, tmp_path / "out", limit=100
        )
    found = tables.read(tmp_path / "out/scores.csv", tables.PREDICTIONS).set_index("row")["score"]
    assert report["own"] == len(own)
    assert found.loc[own.index].tolist() == own["score"].tolist()
