"""The command line as people and programs use it, on real files."""

import csv
import io
import json
import os
import pty
import shutil
import subprocess
import sys
import termios
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from making import file, picture
from networks import PARAMS, REPOSITORY, UNCALIBRATED_RULE, clean_environment, recipe, some_scores
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from realart.cli import main
from realart.core import tables
from realart.data import perturbations
from realart.data.pictures import Pixels
from realart.features import preprocessing
from realart.models import trained_model
from realart.models.trained_model import TrainedModel
from realart.networks import builder

pytestmark = pytest.mark.slow

COMMAND = [sys.executable, "-c", "from realart.cli import main; main()"]
Realart = Callable[..., "subprocess.CompletedProcess[str]"]
GOOD = ["a picture.png", "zażółć/zwykły.webp", "zażółć/画.jpg"]
ALL = [GOOD[0], "broken.png", *GOOD[1:]]


def process(
    *arguments: str, cwd: Path = REPOSITORY, **environment: str
) -> "subprocess.CompletedProcess[str]":
    """Run the command in a process of its own, with its own imports."""
    return subprocess.run(
        [*COMMAND, *arguments],
        cwd=cwd,
        env=clean_environment(**environment),
        capture_output=True,
        encoding="utf-8",
        timeout=120,
    )


@pytest.fixture
def realart(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Realart:
    """Return a function that runs the command in this process, in which Keras is imported."""

    def run(*arguments: str, cwd: Path) -> "subprocess.CompletedProcess[str]":
        monkeypatch.chdir(cwd)
        monkeypatch.setattr(sys, "argv", ["realart", *arguments])
        with pytest.raises(SystemExit) as end:
            main()
        return subprocess.CompletedProcess(
            arguments, int(end.value.code or 0), *capsys.readouterr()
        )

    return run


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a project with a model and pictures, one of them broken."""
    folder = tmp_path_factory.mktemp("project")
    final = folder / "models/final"
    final.mkdir(parents=True)
    spec = preprocessing.input_spec(PARAMS).model_copy(update={"parts": {"pixels": recipe().sees}})
    network = builder.build(recipe())
    network.save_weights(folder / "given.weights.h5")
    trained_model.save(final, recipe(), spec, [network], UNCALIBRATED_RULE)
    (folder / "art/zażółć").mkdir(parents=True)
    for number, (name, kind) in enumerate(zip(GOOD, ("PNG", "WEBP", "JPEG"), strict=True)):
        (folder / "art" / name).write_bytes(file(picture(number), kind))
    (folder / "art/broken.png").write_bytes(file(picture(9))[:200])
    return folder


def expected(project: Path, names: list[str], again: bool = False) -> list[float]:
    """Return the probabilities of ai of pictures, with `again` of these saved again as JPEG 90."""
    model = TrainedModel(project / "models/final")
    paths = [project / "art" / name for name in names]
    inputs = [preprocessing.from_published(path.read_bytes(), model.input) for path in paths]
    if again:
        saved = [perturbations.jpeg(Image.open(path).convert("RGB"), 90) for path in paths]
        inputs = [preprocessing.from_pixels(image, model.input) for image in saved]
    return [float(model.scores(*preprocessing.stack([model_input]))[0]) for model_input in inputs]


@pytest.fixture(scope="module")
def borderline(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Copy the model, with a threshold between the two probabilities of the first picture."""
    folder = tmp_path_factory.mktemp("borderline") / "final"
    shutil.copytree(project / "models/final", folder)
    manifest = json.loads((folder / "model.json").read_text())
    probabilities = expected(project, GOOD[:1]) + expected(project, GOOD[:1], again=True)
    manifest["verdicts"]["points"]["balanced"] = sum(probabilities) / 2
    (folder / "model.json").write_text(json.dumps(manifest))
    (project / "texts.png").write_bytes(picture_with_texts())
    return folder


def picture_with_texts(pixels: Pixels | None = None) -> bytes:
    """Encode a picture with texts of a generator, and with a control sequence of terminals."""
    texts = PngInfo()
    texts.add_text("Software", "NovelAI\x1b[2J")
    texts.add_text("parameters", "Steps: 20, Sampler: Euler a")
    return file(picture(0) if pixels is None else pixels, pnginfo=texts)


EVIDENCE = [
    "PNG text 'Software' 'NovelAI[2J'",
    "PNG text 'parameters': written by Stable Diffusion web UIs",
]


def test_json_has_an_object_for_each_file(project: Path) -> None:
    result = process(
        "predict",
        "--json",
        "missing.png",
        "art",
        cwd=project,
        DVC_ROOT=str(project),
        LC_ALL="C.UTF-8",
    )
    assert (result.returncode, result.stderr) == (1, "")
    predictions = [json.loads(line) for line in result.stdout.splitlines()]
    assert [item["path"] for item in predictions] == ["missing.png", *(f"art/{n}" for n in ALL)]
    assert [bool(item["error"]) for item in predictions] == [True, False, True, False, False]
    scores = [item["probability"] for item in predictions if not item["error"]]
    assert scores == pytest.approx(expected(project, GOOD), rel=1e-5)
    again = [item["probability_saved_again"] for item in predictions if not item["error"]]
    assert again == pytest.approx(expected(project, GOOD, again=True), rel=1e-5)
    assert "画" in result.stdout
    for item in predictions:
        assert item["evidence"] == []
        decision = "" if item["error"] else "ai" if item["probability"] >= 0.5 else "human"
        assert item["verdict"] == decision


def test_csv_is_a_table(project: Path, realart: Realart) -> None:
    arguments = ("--csv", "--model", str(project / "models/final"), "art")
    result = realart("predict", *arguments, cwd=project)
    assert (result.returncode, result.stderr) == (1, "")
    table = list(csv.DictReader(io.StringIO(result.stdout)))
    assert [row["path"] for row in table] == [f"art/{name}" for name in ALL]
    scores = [float(row["probability"]) for row in table if not row["error"]]
    assert scores == pytest.approx(expected(project, GOOD), rel=1e-5)
    assert table[1]["verdict"] == table[1]["probability"] == ""
    assert table[1]["error"].startswith("corrupt")


def test_predictions_and_errors_are_printed_apart(project: Path, realart: Realart) -> None:
    good = realart("predict", f"art/{GOOD[1]}", f"art/{GOOD[0]}", cwd=project)
    assert (good.returncode, good.stderr) == (0, "")
    lines = [line for line in good.stdout.splitlines() if not line.startswith(" ")]
    assert [line.split(maxsplit=2)[2] for line in lines] == [f"art/{GOOD[1]}", f"art/{GOOD[0]}"]
    for line, score in zip(lines, expected(project, [GOOD[1], GOOD[0]]), strict=True):
        decision, probability, _ = line.split(maxsplit=2)
        assert decision == ("ai" if score >= 0.5 else "human")
        assert float(probability) == pytest.approx(score, abs=0.0006)
    bad = realart("predict", "art/broken.png", cwd=project)
    assert (bad.returncode, bad.stdout) == (1, "")
    assert bad.stderr.startswith("art/broken.png: corrupt")
    assert len(bad.stderr.splitlines()) == 1


def test_instability_and_evidence_are_printed_below_the_decision(
    project: Path, borderline: Path, realart: Realart
) -> None:
    arguments = ("predict", "--model", str(borderline), "--at", "balanced", "texts.png")
    (first,), (again,) = expected(project, GOOD[:1]), expected(project, GOOD[:1], again=True)
    decisions = ["human", "ai"] if first < again else ["ai", "human"]
    output = realart(*arguments, cwd=project).stdout
    assert output.splitlines() == [
        f"{decisions[0]:7}{first:6.3f}  texts.png",
        f"  saved again as JPEG 90 it would be classified as {decisions[1]} ({again:.3f})",
        *(f"  {line}" for line in EVIDENCE),
    ]
    once = realart(*arguments, "--once", cwd=project).stdout
    assert once.splitlines() == [output.splitlines()[0], *output.splitlines()[2:]]
    prediction = json.loads(realart(*arguments, "--json", cwd=project).stdout)
    assert (prediction["verdict"], prediction["flips"]) == tuple(decisions)
    assert prediction["evidence"] == EVIDENCE
    (row,) = csv.DictReader(io.StringIO(realart(*arguments, "--csv", cwd=project).stdout))
    assert (row["verdict"], row["flips"], row["evidence"]) == (*decisions, "; ".join(EVIDENCE))
    assert list(row) == list(prediction)


def test_evidence_is_printed_below_an_error(
    project: Path, realart: Realart, tmp_path: Path
) -> None:
    (tmp_path / "tiny.png").write_bytes(picture_with_texts(picture(0)[:48, :48]))
    arguments = ("predict", "--model", str(project / "models/final"), str(tmp_path / "tiny.png"))
    result = realart(*arguments, cwd=project)
    assert (result.returncode, result.stdout) == (1, "")
    error, *evidence = result.stderr.splitlines()
    assert error.startswith(f"{tmp_path / 'tiny.png'}: too small")
    assert evidence == [f"  {line}" for line in EVIDENCE]
    prediction = json.loads(realart(*arguments, "--json", cwd=project).stdout)
    assert prediction["error"].startswith("too small")
    assert prediction["evidence"] == EVIDENCE
    (row,) = csv.DictReader(io.StringIO(realart(*arguments, "--csv", cwd=project).stdout))
    assert row["evidence"] == "; ".join(EVIDENCE)


def test_a_picture_on_standard_input(project: Path) -> None:
    data = (project / "art" / GOOD[0]).read_bytes()
    (score,) = expected(project, GOOD[:1])
    command = [*COMMAND, "predict", "--model", "models/final", "--json"]
    for stdin, paths in ((b"", ["-"]), (data, [f"art/{GOOD[0]}", "-"])):
        result = subprocess.run(
            [*command, *paths], cwd=project, env=clean_environment(), input=stdin,
            capture_output=True, timeout=120,
        )  # fmt: skip
        predictions = [json.loads(line) for line in result.stdout.splitlines()]
        assert (result.stderr, [item["path"] for item in predictions]) == (b"", paths)
        if stdin:
            assert result.returncode == 0
            assert predictions[-1]["probability"] == pytest.approx(score, rel=1e-5)
        else:
            assert (result.returncode, predictions[-1]["error"]) == (1, "empty")


@pytest.mark.parametrize("to_file", [True, False], ids=["file", "terminal"])
def test_progress_is_shown_on_a_terminal_if_the_output_is_a_file(
    project: Path, to_file: bool
) -> None:
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 100))
    command = [*COMMAND, "predict", "--model", "models/final", "art"]
    stdout = subprocess.PIPE if to_file else theirs
    with subprocess.Popen(
        command, cwd=project, env=clean_environment(), stdout=stdout, stderr=theirs
    ) as running:
        os.close(theirs)
        output = running.stdout.read().decode() if running.stdout else ""
        chunks = b""
        with suppress(OSError):  # the end of a terminal that has no writer left
            while chunk := os.read(ours, 65536):
                chunks += chunk
        os.close(ours)
    terminal = chunks.decode()
    assert "art/broken.png: corrupt" in terminal
    assert ("4/4" in terminal) == to_file
    assert (output or terminal).count(".jpg") == 1


@pytest.mark.parametrize("form", ["--json", "--csv"])
def test_an_undecodable_file_name_is_printed(
    project: Path, tmp_path: Path, realart: Realart, form: str
) -> None:
    name = str(tmp_path) + os.fsdecode(b"/\xff.png")
    Path(name).write_bytes(file(picture(0)))
    result = realart("predict", form, name, "art", cwd=project)
    assert result.returncode == 1, result.stderr
    assert len(result.stdout.splitlines()) == 5 + (form == "--csv")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["art"], ["no model in", "models/final", "dvc repro"]),
        (["art", "--model", "art"], ["no model in art"]),
        (["nothing"], ["no file in nothing"]),
    ],
    ids=["no model", "another folder", "no file"],
)
def test_errors_of_predict_are_one_line(
    project: Path, tmp_path: Path, realart: Realart, arguments: list[str], words: list[str]
) -> None:
    (tmp_path / "nothing").mkdir()
    (tmp_path / "art").symlink_to(project / "art")
    result = realart("predict", *arguments, cwd=tmp_path)
    assert (result.returncode, result.stdout) == (2, "")
    (line,) = result.stderr.splitlines()
    assert line.startswith("realart: ")
    for word in words:
        assert word in line


def test_an_explanation_is_saved_and_the_decision_printed(
    project: Path, tmp_path: Path, realart: Realart, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first in a process of its own, whose libraries are quiet."""
    monkeypatch.setenv("DVC_ROOT", str(project))
    path = str(project / "art" / GOOD[0])
    for result, out in (
        (process("explain", path, cwd=tmp_path, DVC_ROOT=str(project)), "a picture-explained.png"),
        (realart("explain", path, "--out", "drawn/it.PNG", cwd=tmp_path), "drawn/it.PNG"),
    ):
        assert (result.returncode, result.stderr) == (0, "")
        (line,) = result.stdout.splitlines()
        decision, probability, rest = line.split(maxsplit=2)
        (score,) = expected(project, [GOOD[0]])
        assert decision == ("ai" if score >= 0.5 else "human")
        assert float(probability) == pytest.approx(score, abs=0.0006)
        assert rest == f"{path}, explanation saved to {out}"
        with Image.open(tmp_path / out) as drawn:
            assert drawn.format == "PNG"
            assert drawn.width > 2 * drawn.height
    assert sorted(path.name for path in tmp_path.rglob("*")) == [
        "a picture-explained.png", "drawn", "it.PNG",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["broken.png"], ["broken.png can't be explained: corrupt"]),
        (["missing.png"], ["missing.png can't be explained: No such file"]),
        (["zażółć"], ["zażółć can't be explained: Is a directory"]),
        ([GOOD[0], "--out", f"./{GOOD[0]}"], ["is the picture itself", "another name"]),
        ([GOOD[0], "--out", "link.png"], ["is the picture itself"]),
        ([GOOD[0], "--out", "it.jpg"], ["it.jpg is no PNG"]),
        ([GOOD[0], "--model", "nowhere"], ["no model in nowhere"]),
    ],
)
def test_errors_of_explain_are_one_line(
    project: Path, tmp_path: Path, realart: Realart, arguments: list[str], words: list[str]
) -> None:
    shutil.copytree(project / "art", tmp_path / "art")
    (tmp_path / "art/link.png").symlink_to(GOOD[0])
    before = {file: file.stat().st_mtime_ns for file in tmp_path.rglob("*")}
    model = () if "--model" in arguments else ("--model", str(project / "models/final"))
    result = realart("explain", *arguments, *model, cwd=tmp_path / "art")
    assert (result.returncode, result.stdout) == (2, "")
    (line,) = result.stderr.splitlines()
    for word in words:
        assert word in line
    assert {file: file.stat().st_mtime_ns for file in tmp_path.rglob("*")} == before


def test_recipes_as_json(realart: Realart, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")  # no weights are downloaded
    listed = realart("recipes", "--json", cwd=REPOSITORY)
    assert (listed.returncode, listed.stderr) == (0, "")
    counts = {row["name"]: row["parameters"] for row in json.loads(listed.stdout)}
    assert list(counts) == list(PARAMS.recipes)
    assert (counts["cnn_ela"], counts["cnn150"]) == (29_520_034, 3_453_121)
    assert (counts["cnn_bn"], counts["resnet101"]) == (25_786_050, 43_184_258)


def test_recipes_of_a_small_project_as_a_table(tmp_path: Path, realart: Realart) -> None:
    params = PARAMS.model_dump() | {
        "model": "cnn",
        "recipes": {"cnn": PARAMS.recipes["cnn"].model_dump()},
    }
    (tmp_path / "params.yaml").write_text(json.dumps(params))
    table = realart("recipes", cwd=tmp_path)
    header, row = table.stdout.splitlines()
    assert header.split()[:3] == ["name", "sees", "size"]
    assert row.split()[:4] == ["cnn", "rgb", "128", "3705921"]
    assert header.index("parameters") == row.index("3705921")


def test_outside_of_a_project_params_are_missing(tmp_path: Path, realart: Realart) -> None:
    result = realart("recipes", cwd=tmp_path)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith("realart: no params.yaml in ")


@pytest.mark.parametrize(
    ("option", "first", "last"),
    [
        ([], "A is workspace, B is workspace", "  AUC "),
        (["--markdown"], "## A is `workspace`, B is `workspace`", "| out of fold | 20 | "),
    ],
    ids=["text", "markdown"],
)
def test_runs_are_compared_as_text_and_as_markdown(
    tmp_path: Path, realart: Realart, option: list[str], first: str, last: str
) -> None:
    labels, scores = some_scores(20)
    predictions = pd.DataFrame(
        {"row": map(str, range(20)), "set": "", "part": "oof", "score": scores}
    )
    predictions["label"] = predictions["group"] = np.array(["human", "ai"])[labels]
    tables.write(predictions, tmp_path / "metrics/scores.csv", tables.PREDICTIONS)
    result = realart("compare", "workspace", *option, cwd=tmp_path)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.splitlines()[0] == first
    assert result.stdout.splitlines()[-1].startswith(last)


def test_the_parser_imports_no_backend() -> None:
    code = "import sys; from realart import cli; cli._parser(); print(*sys.modules)"
    result = subprocess.run(
        [sys.executable, "-c", code], env=clean_environment(), capture_output=True, text=True
    )
    loaded = set(result.stdout.split())
    assert "realart.cli" in loaded
    assert not loaded & {"keras", "tensorflow", "mlflow"}


def test_an_unknown_command_is_a_usage_error(realart: Realart) -> None:
    result = realart("predcit", cwd=REPOSITORY)
    assert result.returncode == 2
    assert "usage: realart" in result.stderr
