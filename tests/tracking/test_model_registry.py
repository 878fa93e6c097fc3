"""The registered model predicts wherever it is loaded, and the champion is the best version."""

import base64
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from loopback import free_port
from making import file, picture
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from networks import (
    UNCALIBRATED_RULE,
    clean_environment,
    python,
    some_scores,
    turn_a_delivery,
)
from PIL.PngImagePlugin import PngInfo

from realart.core import tables
from realart.data.decoding import UnusableFileError
from realart.features import preprocessing
from realart.metrics import thresholds
from realart.models import novelty
from realart.models.trained_model import TrainedModel
from realart.params import POINTS, Goals, Params
from realart.serving.predict import predict_bytes
from realart.tracking import model_registry, pyfunc, store, training_runs

pytestmark = pytest.mark.slow

FIGURES = {"test/accuracy": 0.9}
MARKED = PngInfo()
MARKED.add_text("parameters", "a castle\nSteps: 20, Sampler: Euler a")
PICTURES = [
    file(picture(3), pnginfo=MARKED),
    file(picture(4), "JPEG"),
    b"broken",
    file(picture(5, 40, 40), pnginfo=MARKED),
]
EVIDENCE = ["PNG text 'parameters': written by Stable Diffusion web UIs"]
NO_ANSWER = {
    "verdict": "", "probability_ai": None, "reason": "", **dict.fromkeys(POINTS, ""),
    "promises": [],
}  # fmt: skip


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[MlflowClient, str]]:
    """Give a store with one experiment, and the id of that."""
    folder = tmp_path_factory.mktemp("registry")
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("DVC_ROOT", str(folder))
        patched.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{folder / 'mlflow.db'}")
        client = store.connect()
        yield client, client.create_experiment("art", (folder / "artifacts").as_uri())


@pytest.fixture(scope="module")
def final(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a trained model whose operating points disagree on every picture."""
    folder = tmp_path_factory.mktemp("model") / "final"
    shutil.copytree(trained / "models/final", folder)
    card = json.loads((folder / "model.json").read_text())
    card["verdicts"] |= {"sure": 2.0, "points": {"balanced": 0.0, "low_fpr": 2.0, "best_f1": 0.0}}
    (folder / "model.json").write_text(json.dumps(card))
    return folder


@pytest.fixture(scope="module")
def registered(place: tuple[MlflowClient, str], final: Path) -> str:
    """Register that model as champion; return the store's address."""
    client, experiment = place
    run = client.create_run(experiment).info.run_id
    version = model_registry.register(client, run, "served", final, FIGURES, "a model")
    scores = make_scores(0.0)
    assert "new champion" in model_registry.promote(
        client, version, scores, make_report(scores), GOALS
    )
    return store.tracking_uri()


def expected(folder: Path) -> list[dict[str, object]]:
    model = TrainedModel(folder)
    answers: list[dict[str, object]] = []
    for data in PICTURES:
        evidence = EVIDENCE if b"parameters" in data else []
        try:
            seen = preprocessing.from_published(data, model.input)
        except UnusableFileError as error:
            answers.append(NO_ANSWER | {"error": str(error), "evidence": evidence})
            continue
        probability = float(model.scores(*preprocessing.stack([seen]))[0])
        canonical = preprocessing.canonical(data, model.input.clean)
        is_novel = model.novelty and model.novelty.is_novel(canonical)
        answers.append(
            {
                "verdict": model.decision_rule.decide(probability),
                "probability_ai": pytest.approx(probability, abs=1e-9),
                "reason": novelty.REASON if is_novel else "",
                **{point: model.decision_rule.decide(probability, point) for point in POINTS},
                "promises": [model.decision_rule.promise(at) for at in (None, "low_fpr")],
                "error": "",
                "evidence": evidence,
            }
        )
    return answers


def test_a_fresh_process_loads_the_champion_by_alias(
    registered: str, final: Path, tmp_path: Path
) -> None:
    """It brings its own code: nothing of this project is on its path."""
    code = """
import base64, json, sys
import mlflow, pandas
model = mlflow.pyfunc.load_model("models:/served@champion")
data = [base64.b64decode(text) for text in json.load(sys.stdin)]
answers = model.predict(pandas.DataFrame({"picture": data}))
import realart
print(json.dumps([answers.to_dict("records"), realart.__file__]))
"""
    encoded = json.dumps([base64.b64encode(data).decode() for data in PICTURES])
    environment = clean_environment(MLFLOW_TRACKING_URI=registered, PYTHONPATH="")
    done = subprocess.run(
        [sys.executable, "-c", code], input=encoded, env=environment, cwd=tmp_path,
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    answers, where = json.loads(done.stdout.splitlines()[-1])
    for answer, wanted in zip(answers, expected(final), strict=True):
        assert {name: answer[name] for name in wanted} == wanted
    assert "artifacts" in where


def test_served_verdicts_are_those_of_predict(final: Path) -> None:
    served, table = pyfunc.PictureModel(), pd.DataFrame({"picture": PICTURES[:1]})
    served.model = TrainedModel(final)
    served.model.novelty = None
    turn_a_delivery(served.model, PICTURES[0])
    for params in (None, {"once": False}, {"once": True}):
        (row,) = served.predict(None, table, params).to_dict("records")
        prediction = predict_bytes(PICTURES[0], served.model, once=bool(params and params["once"]))
        for name in ("verdict", "probability_ai", "reason"):
            assert row[name] == getattr(prediction, name)
        assert (row["verdict"] == "unsure") == bool(row["reason"])
        assert bool(row["reason"]) == (params != {"once": True})


def test_registering_leaves_the_environment_as_it_was(
    final: Path, client: MlflowClient, params: Params
) -> None:
    """Or this process's next run would go where the one before went."""
    run = training_runs.TrainingRuns(client, training_runs.training_record(params, "data")).parent
    model_registry.register(client, run, "here", final, FIGURES, "a model")
    assert store.URI_VARIABLE not in os.environ
    assert client.get_registered_model("here").latest_versions[0].run_id == run


def test_a_calibrated_model_is_a_version_of_its_own_and_no_champion(
    client: MlflowClient, final: Path
) -> None:
    report = {"data": "mine", "before": 0.7, "after": 0.8}
    words = model_registry.register_calibrated("pictures", final, report, "on mine")
    assert words == "registered as realart-pictures, version 1"
    again = model_registry.register_calibrated("pictures", final, report, "on mine")
    assert again == "registered as realart-pictures, version 2"
    version = client.get_model_version("realart-pictures", "2")
    assert version.description == "on mine"
    run = client.get_run(str(version.run_id))
    assert (run.info.run_name, run.info.status) == ("calibrated on mine", "FINISHED")
    assert client.get_registered_model("realart-pictures").aliases == {}


def test_a_run_has_one_version(
    registered: str, place: tuple[MlflowClient, str], final: Path
) -> None:
    client, _ = place
    (version,) = client.search_model_versions("name = 'served'")
    again = model_registry.register(client, str(version.run_id), "served", final, FIGURES, "again")
    assert again.version == version.version
    assert len(client.search_model_versions("name = 'served'")) == 1


def test_mlflow_serves_the_model_for_every_form_of_request(
    registered: str, final: Path, tmp_path: Path
) -> None:
    port = free_port()
    command = [
        sys.executable, "-m", "mlflow", "models", "serve", "--model-uri",
        "models:/served@champion", "--env-manager", "local", "--port", str(port),
    ]  # fmt: skip
    environment = clean_environment(MLFLOW_TRACKING_URI=registered)
    environment["PATH"] = f"{Path(sys.executable).parent}:{environment['PATH']}"
    log = tmp_path / "log"
    with log.open("w") as output:
        server = subprocess.Popen(
            command, env=environment, stdout=output, stderr=output, start_new_session=True
        )
    try:
        wait_for(port, server, log)
        for body in bodies([base64.b64encode(data).decode() for data in PICTURES]):
            assert ask(port, body)["predictions"] == expected(final)
        assert ask(port, body | {"params": {"once": True}})["predictions"] == expected(final)
        for name, refused in REFUSED.items():
            with pytest.raises(urllib.error.HTTPError) as raised:
                ask(port, refused)
            assert raised.value.code == 400, name
            assert name in strict_json(raised.value.read())["message"]
        rows = [{"picture": value} for value in WRONG]
        answers = ask(port, {"dataframe_records": rows})["predictions"]
        for answer, reason in zip(answers, WRONG.values(), strict=True):
            assert {name: answer[name] for name in NO_ANSWER} == NO_ANSWER
            assert answer["error"].startswith(reason)
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(30)


WRONG = {
    None: "null",
    "": "empty",
    "https://example.org/a.png": "not base64: 'https://example.org/a.png'",
    "/home/ada/a.png": "not base64: '/home/ada/a.png'",
    "data:image/png,raw": "not base64",
    "data:image/png;base64,": "empty",
}
"""What is no picture, by what stands where one should, and how the reason begins."""
REFUSED = {
    "picture": {"dataframe_records": [{"image": "aGVsbG8="}]},
    "inputs": {"inputs": [{"image": "aGVsbG8="}]},
    "dataframe_records": {"pictures": ["aGVsbG8="]},
}
"""What is answered with 400, by what the reason names."""


def bodies(encoded: list[str]) -> list[dict[str, object]]:
    """Return all ways to send pictures."""
    rows = [{"picture": text} for text in encoded]
    return [
        {"dataframe_records": rows},
        {"dataframe_split": {"columns": ["picture"], "data": [[text] for text in encoded]}},
        {"instances": rows},
        {"instances": encoded},
        {"inputs": rows},
        {"inputs": encoded},
        {"inputs": {"picture": encoded}},
        {"inputs": {"picture": [f"data:image/png;base64,{text}" for text in encoded]}},
    ]


def strict_json(body: bytes) -> Any:
    """Parse JSON as RFC 8259 has it, where NaN is none."""

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    return json.loads(body, parse_constant=refuse)


def ask(port: int, body: object) -> Any:
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/invocations",
        json.dumps(body).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=60) as response:
        return strict_json(response.read())


def wait_for(port: int, server: "subprocess.Popen[bytes]", log: Path) -> None:
    until = time.monotonic() + 120
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/ping", timeout=60):
                return
        except OSError:
            assert server.poll() is None, log.read_text()
            assert time.monotonic() < until, log.read_text()
            time.sleep(0.5)


def test_the_model_is_code_and_files_without_pickle(registered: str, tmp_path: Path) -> None:
    import mlflow

    champion = "models:/served@champion"
    folder = Path(
        mlflow.artifacts.download_artifacts(champion, dst_path=tmp_path, tracking_uri=registered)
    )
    names = {path.suffix for path in folder.rglob("*") if path.is_file()}
    assert names
    assert not names & {".pkl", ".pickle", ".joblib", ".cloudpickle"}
    required = (folder / "requirements.txt").read_text()
    assert all(re.search(rf"^{name}==\d", required, re.M) for name in model_registry.REQUIREMENTS)
    info = mlflow.models.get_model_info(f"{folder}")
    assert info.signature.inputs.input_names() == ["picture"]
    assert info.signature.outputs.input_names()[:2] == ["verdict", "probability_ai"]


def test_requirements_name_all_imported_packages(trained: Path) -> None:
    code = """
import sys
from importlib.metadata import packages_distributions
from pathlib import Path
from realart.features import preprocessing
from realart.tracking import pyfunc
from realart.models.trained_model import TrainedModel
model = TrainedModel(Path(sys.argv[1]))
data = Path(sys.argv[2]).read_bytes()
model.scores(*preprocessing.stack([preprocessing.from_published(data, model.input)]))
named = packages_distributions()
direct = {line.split()[1].split(".")[0] for file in Path("realart").rglob("*.py")
          if (name := ".".join(file.with_suffix("").parts).removesuffix(".__init__")) in sys.modules
          for line in file.read_text().splitlines()
          if line.startswith(("import ", "from "))}
print(*{dist.lower() for package in direct for dist in named.get(package, [])})
"""
    some = next((trained / "data/clean/pictures").iterdir())
    done = python(code, trained / "models/final", some)
    assert done.returncode == 0, done.stderr
    needed = set(done.stdout.split()) - {"realart"}
    assert {"numpy", "mlflow", "pillow", "scikit-learn"} <= needed
    assert needed <= set(model_registry.REQUIREMENTS) | {"mlflow-skinny", "mlflow-tracing"}


@pytest.fixture
def versions(place: tuple[MlflowClient, str], request: pytest.FixtureRequest, tmp_path: Path):
    """Give a function that registers a version whose run keeps scores and their figures.

    Figures that are no dict are kept as they are, as damaged ones; `artifact` is where they are.
    """
    client, experiment = place
    name = request.node.name
    client.create_registered_model(name)

    def made(
        scores: pd.DataFrame,
        report: dict[str, object] | str | None = None,
        artifact: str = model_registry.REPORT,
    ):
        run = client.create_run(experiment).info.run_id
        tables.write(scores, tmp_path / model_registry.SCORES, tables.PREDICTIONS)
        client.log_artifact(run, str(tmp_path / model_registry.SCORES))
        file = tmp_path / Path(artifact).name
        file.write_text(
            report if isinstance(report, str) else json.dumps(report or make_report(scores))
        )
        client.log_artifact(run, str(file), Path(artifact).parent.name or None)
        return client.create_model_version(name, f"runs:/{run}/model", run)

    return made


@pytest.fixture
def put(versions, place: tuple[MlflowClient, str], request: pytest.FixtureRequest):
    """Give a function that registers a version and puts it forward.

    It returns the message, and the champion: a version's number, or None.
    """
    client, name = place[0], request.node.name

    def forward(scores: pd.DataFrame, **more: object):
        report = make_report(scores) | more
        message = model_registry.promote(client, versions(scores, report), scores, report, GOALS)
        present = model_registry.champion(client, name)
        return message, int(present.version) if present else None

    return forward


GOALS = Goals(accuracy=0.6)


def make_scores(noise: float, seed: int = 0, prefix: str = "", count: int = 200) -> pd.DataFrame:
    """Make scores out of fold: the AUC is .78 without noise, .74 with .2."""
    labels, scores = some_scores(count, 1)
    scores = np.clip(scores + np.random.default_rng(seed).normal(0, noise, count), 0, 1)
    rows = [f"{prefix}{number}" for number in range(count)]
    named = np.array(["human", "ai"])[labels]
    return pd.DataFrame(
        {"row": rows, "set": "", "part": "oof", "label": named, "group": rows, "score": scores}
    )


def make_report(scores: pd.DataFrame, accuracy: float = 0.9) -> dict[str, object]:
    """Report figures of scores, of a test part that is so accurate, and of a gain."""
    arrays = tables.is_ai(scores["label"]), scores["score"].to_numpy()
    oof = thresholds.evaluate_decisions(*arrays, scores["group"], UNCALIBRATED_RULE)
    return {
        "test": oof | {"accuracy": accuracy},
        "oof": oof,
        "gain": {"auc": 0.1, "low": 0.05, "high": 0.15},
    }


def test_the_champion_meets_the_goals_and_is_not_worse(put) -> None:
    good, fair = make_scores(0.0), make_scores(0.2)
    bad = make_report(good, accuracy=0.5)
    message, champion = put(fair, test=bad["test"])
    assert "version 1, not champion (" in message
    assert ": goals missed: accuracy 0.500 is below 0.6" in message
    assert champion is None
    message, champion = put(fair)
    assert message.endswith("version 2, the new champion")
    assert champion == 2
    message, champion = put(good, test=bad["test"])
    assert champion == 2
    assert "version 2 stays champion, though its AUC out of fold is" in message
    message, champion = put(good)
    assert "the new champion instead of version 2: its AUC out of fold is" in message
    assert champion == 4
    message, champion = put(fair)
    assert "version 4 stays champion: its AUC out of fold is" in message
    assert champion == 4
    assert put(good)[1] == 6  # of equal ones the later


def test_a_model_no_better_than_chance_is_not_champion(put) -> None:
    """The first needs as much as a later one."""
    chance = make_scores(0.0)
    chance["score"] = np.random.default_rng(0).permutation(chance["score"])
    message, champion = put(chance)
    assert "out of fold is not above 0.5" in message
    assert champion is None
    message, champion = put(make_scores(0.0), gain={"auc": 0.1, "low": -0.01, "high": 0.2})
    assert "AUC gain over the shortcut baseline, +0.100 [-0.010, +0.200], is not above 0" in message
    assert champion is None


def test_a_champion_scored_on_other_pictures_gives_way(put) -> None:
    """However good it was on them, and however few of them the two share."""
    assert put(make_scores(0.0, prefix="easy "))[1] == 1
    message, champion = put(
        make_scores(0.2), test=make_report(make_scores(0.2), accuracy=0.5)["test"]
    )
    assert "version 1 stays champion, though it was judged on other pictures" in message
    assert champion == 1
    message, champion = put(make_scores(0.2))
    assert "instead of version 1: it was judged on other pictures (of a class, on 0%" in message
    assert champion == 3
    grown = pd.concat([make_scores(0.2), make_scores(0.2, prefix="new ", count=240)])
    message, champion = put(grown)
    assert "(of a class, on 45% of these)" in message
    assert champion == 4
    assert put(make_scores(0.0, prefix="easy "))[1] == 5


def test_a_champion_is_compared_on_shared_pictures(put) -> None:
    assert put(make_scores(0.0))[1] == 1
    grown = pd.concat([make_scores(0.2), make_scores(0.0, prefix="new ", count=160)])
    message, champion = put(grown)
    assert "on 200 pictures that both have judged" in message
    assert champion == 1


def test_a_champion_that_has_not_scored_a_class_gives_way(put) -> None:
    old, new = make_scores(0.0), make_scores(0.2)
    old.loc[old["label"] == "human", "row"] = "gone " + old["row"]
    assert put(old)[1] == 1
    message, champion = put(new)
    assert "other pictures (of a class, on 0% of these)" in message
    assert champion == 2


def test_a_champion_is_compared_by_corrected_labels(put) -> None:
    """It was right by labels that were wrong."""
    good, mended = make_scores(0.0), make_scores(0.2)
    wrong = good.assign(
        label=good["label"].map({"ai": "human", "human": "ai"}), score=1 - good["score"]
    )
    assert put(wrong)[1] == 1
    assert put(mended)[1] == 2


@pytest.mark.parametrize(
    "old",
    [
        {"gain": None, "floor": {"oof": {"auc": 0.9}}},
        {"test": make_report(make_scores(0.0), accuracy=0.5)["test"]},
    ],
    ids=["no better than its floor", "by lower goals"],
)
def test_a_champion_that_misses_the_present_goals_gives_way(
    put, versions, place: tuple[MlflowClient, str], request: pytest.FixtureRequest, old: dict
) -> None:
    """Even to a lower AUC."""
    client, good = place[0], make_scores(0.0)
    first = versions(good, make_report(good) | old, model_registry.EARLIER_REPORT)
    client.set_registered_model_alias(request.node.name, model_registry.CHAMPION, first.version)
    message, champion = put(make_scores(0.2))
    assert "instead of version 1: of its own run, goals missed: " in message
    assert champion == 2


def test_a_champion_worse_than_chance_gives_way(
    put, versions, place: tuple[MlflowClient, str], request: pytest.FixtureRequest
) -> None:
    worse = make_scores(0.0)
    worse["score"] = 1 - worse["score"]
    first = versions(worse)
    place[0].set_registered_model_alias(request.node.name, model_registry.CHAMPION, first.version)
    message, champion = put(worse)
    assert "version 1 stays champion, though of its own run, goals missed: AUC" in message
    assert champion == 1
    assert put(make_scores(0.2, prefix="other "))[1] == 3


@pytest.mark.parametrize("how", ["no run", "no scores", "damaged"])
def test_a_champion_without_readable_scores_gives_way(
    put, versions, place: tuple[MlflowClient, str], request: pytest.FixtureRequest, how: str
) -> None:
    """As one that was registered by hand, or whose run was removed."""
    (client, experiment), name = place, request.node.name
    if how == "damaged":
        first = versions(make_scores(0.0), "{")
    else:
        run = client.create_run(experiment).info.run_id if how == "no scores" else None
        first = client.create_model_version(name, "runs:/0/model", run)
    client.set_registered_model_alias(name, model_registry.CHAMPION, first.version)
    message, champion = put(make_scores(0.2))
    assert "instead of version 1: its run keeps no scores that it could be judged by" in message
    assert champion == 2


@pytest.mark.parametrize("call", ["list_artifacts", "download_artifacts"])
def test_a_champion_stays_while_its_scores_are_unavailable(
    put, place: tuple[MlflowClient, str], monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    """A store that fails for a moment changes nobody's place."""
    assert put(make_scores(0.2))[1] == 1

    def fail(*arguments: object) -> str:
        raise MlflowException("no answer")

    monkeypatch.setattr(place[0], call, fail)
    message, champion = put(make_scores(0.0))
    assert "version 1 stays champion: its scores can't be read (no answer)" in message
    assert champion == 1
