"""The registered model answers for pictures wherever it is loaded, and the champion is the best."""

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
from networks import clean_environment, python, some_scores
from PIL.PngImagePlugin import PngInfo

from realart import inputs, registry, store, tables, tracking
from realart.models import Final
from realart.params import POINTS, Params
from realart.pictures import UnusableError

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
NO_ANSWER = {"verdict": "", "probability": None, **dict.fromkeys(POINTS, "")}


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
    made = registry.register(client, run, "served", final, FIGURES, "a model")
    assert "new champion" in registry.promote(client, made, pd.DataFrame(), goals_met=True)
    return store.address()


def expected(folder: Path) -> list[dict[str, object]]:
    model = Final(folder)
    answers: list[dict[str, object]] = []
    for data in PICTURES:
        evidence = EVIDENCE if b"parameters" in data else []
        try:
            seen = inputs.from_published(data, model.input)
        except UnusableError as error:
            answers.append(NO_ANSWER | {"error": str(error), "evidence": evidence})
            continue
        probability = float(model.scores(*inputs.stack([seen]))[0])
        answers.append(
            {
                "verdict": model.verdicts.name(probability),
                "probability": pytest.approx(probability, abs=1e-9),
                **{point: model.verdicts.name(probability, point) for point in POINTS},
                "error": "",
                "evidence": evidence,
            }
        )
    return answers


def test_a_fresh_process_loads_it_by_alias(registered: str, final: Path, tmp_path: Path) -> None:
    """It brings its own code: nothing of this project is on its path."""
    code = """
import base64, json, sys
import mlflow, pandas
model = mlflow.pyfunc.load_model("models:/served@champion")
data = [base64.b64decode(one) for one in json.load(sys.stdin)]
said = model.predict(pandas.DataFrame({"picture": data}))
import realart
print(json.dumps([said.to_dict("records"), realart.__file__]))
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


def test_the_environment_is_left_as_it_was(
    final: Path, client: MlflowClient, params: Params
) -> None:
    """Or this process's next run would go where the one before went."""
    run = tracking.Runs(client, tracking.training(params, "data")).parent
    registry.register(client, run, "here", final, FIGURES, "a model")
    assert store.ADDRESS not in os.environ
    assert client.get_registered_model("here").latest_versions[0].run_id == run


def test_a_run_has_one_version(
    registered: str, place: tuple[MlflowClient, str], final: Path
) -> None:
    client, _ = place
    (version,) = client.search_model_versions("name = 'served'")
    again = registry.register(client, str(version.run_id), "served", final, FIGURES, "again")
    assert again.version == version.version
    assert len(client.search_model_versions("name = 'served'")) == 1


def test_a_server_answers_for_pictures(registered: str, final: Path, tmp_path: Path) -> None:
    port = free_port()
    command = [
        sys.executable, "-m", "mlflow", "models", "serve", "--model-uri",
        "models:/served@champion", "--env-manager", "local", "--port", str(port),
    ]  # fmt: skip
    environment = clean_environment(MLFLOW_TRACKING_URI=registered)
    environment["PATH"] = f"{Path(sys.executable).parent}:{environment['PATH']}"
    log = tmp_path / "log"
    with log.open("w") as said:
        server = subprocess.Popen(
            command, env=environment, stdout=said, stderr=said, start_new_session=True
        )
    try:
        wait_for(port, server, log)
        for body in bodies([base64.b64encode(data).decode() for data in PICTURES]):
            assert ask(port, body)["predictions"] == expected(final)
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
    rows = [{"picture": one} for one in encoded]
    return [
        {"dataframe_records": rows},
        {"dataframe_split": {"columns": ["picture"], "data": [[one] for one in encoded]}},
        {"instances": rows},
        {"instances": encoded},
        {"inputs": rows},
        {"inputs": encoded},
        {"inputs": {"picture": encoded}},
        {"inputs": {"picture": [f"data:image/png;base64,{one}" for one in encoded]}},
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


def test_what_is_kept_is_code_and_files_and_no_pickle(registered: str, tmp_path: Path) -> None:
    import mlflow

    champion = "models:/served@champion"
    folder = Path(
        mlflow.artifacts.download_artifacts(champion, dst_path=tmp_path, tracking_uri=registered)
    )
    names = {one.suffix for one in folder.rglob("*") if one.is_file()}
    assert names
    assert not names & {".pkl", ".pickle", ".joblib", ".cloudpickle"}
    required = (folder / "requirements.txt").read_text()
    assert all(re.search(rf"^{name}==\d", required, re.M) for name in registry.NEEDED)
    info = mlflow.models.get_model_info(f"{folder}")
    assert info.signature.inputs.input_names() == ["picture"]
    assert info.signature.outputs.input_names()[:2] == ["verdict", "probability"]


def test_the_requirements_name_all_that_answering_imports(trained: Path) -> None:
    code = """
import sys
from importlib.metadata import packages_distributions
from pathlib import Path
from realart import inputs, served
from realart.models import Final
model = Final(Path(sys.argv[1]))
model.scores(*inputs.stack([inputs.from_published(Path(sys.argv[2]).read_bytes(), model.input)]))
named = packages_distributions()
direct = {line.split()[1].split(".")[0] for file in Path("realart").rglob("*.py")
          if (name := ".".join(file.with_suffix("").parts).removesuffix(".__init__")) in sys.modules
          for line in file.read_text().splitlines()
          if line.startswith(("import ", "from "))}
print(*{dist.lower() for one in direct for dist in named.get(one, [])})
"""
    some = next((trained / "data/clean/pictures").iterdir())
    done = python(code, trained / "models/final", some)
    assert done.returncode == 0, done.stderr
    needed = set(done.stdout.split()) - {"realart"}
    assert {"numpy", "mlflow", "pillow", "scikit-learn"} <= needed
    assert needed <= set(registry.NEEDED) | {"mlflow-skinny", "mlflow-tracing"}


@pytest.fixture
def versions(
    place: tuple[MlflowClient, str], trained: Path, request: pytest.FixtureRequest, tmp_path: Path
):
    """Give a function that registers a version whose run keeps the given scores."""
    client, experiment = place
    name = request.node.name
    client.create_registered_model(name)

    def made(scores: pd.DataFrame):
        run = client.create_run(experiment).info.run_id
        tables.write(scores, tmp_path / registry.SCORES, tables.JUDGED)
        client.log_artifact(run, str(tmp_path / registry.SCORES))
        return client.create_model_version(name, f"runs:/{run}/model", run)

    return made


def judged(noise: float, seed: int = 0, prefix: str = "") -> pd.DataFrame:
    labels, scores = some_scores(200, 1)
    scores = np.clip(scores + np.random.default_rng(seed).normal(0, noise, 200), 0, 1)
    rows = [f"{prefix}{number}" for number in range(200)]
    named = np.array(["human", "ai"])[labels]
    return pd.DataFrame(
        {"row": rows, "part": "oof", "label": named, "group": rows, "score": scores}
    )


def test_the_champion_is_who_met_the_goals_and_is_not_worse(
    versions, place: tuple[MlflowClient, str], request: pytest.FixtureRequest
) -> None:
    client, name = place[0], request.node.name
    good, poor = judged(0.0), judged(0.5)
    first = versions(poor)
    assert "goals are missed" in registry.promote(client, first, poor, goals_met=False)
    assert registry.champion(client, name) is None
    registry.promote(client, first, poor, goals_met=True)
    assert registry.champion(client, name).version == first.version
    second = versions(good)
    assert "version 1 stays" in registry.promote(client, second, good, goals_met=False)
    assert registry.champion(client, name).version == first.version
    assert "the new champion" in registry.promote(client, second, good, goals_met=True)
    assert registry.champion(client, name).version == second.version
    third = versions(poor)
    assert "version 2 stays" in registry.promote(client, third, poor, goals_met=True)
    assert registry.champion(client, name).version == second.version


def test_a_champion_of_other_pictures_stays(
    versions, place: tuple[MlflowClient, str], request: pytest.FixtureRequest
) -> None:
    client, name = place[0], request.node.name
    mine, theirs = judged(0.0), judged(0.5, prefix="other ")
    first, second = versions(theirs), versions(mine)
    registry.promote(client, first, theirs, goals_met=True)
    assert "can't be compared" in registry.promote(client, second, mine, goals_met=True)
    assert registry.champion(client, name).version == first.version
