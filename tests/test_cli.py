"""The command line as people and programs use it, on real files."""

import csv
import io
import json
import os
import pty
import shlex
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
from making import archive, file, picture
from networks import PARAMS, REPOSITORY, UNCALIBRATED_RULE, clean_environment, recipe, some_scores
from PIL import Image
from PIL.PngImagePlugin import PngInfo

import realart as realart_package
from realart import __version__
from realart.cli import main
from realart.core import tables
from realart.core.errors import READER_ENDED
from realart.data.pictures import Pixels
from realart.features import preprocessing
from realart.models import trained_model
from realart.models.trained_model import TrainedModel
from realart.networks import builder
from realart.serving.deliveries import PANEL
from realart.serving.predict import predict_bytes

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


def expected(project: Path, names: list[str]) -> list[float]:
    """Return the probabilities of ai of pictures."""
    model = TrainedModel(project / "models/final")
    paths = [project / "art" / name for name in names]
    inputs = [preprocessing.from_published(path.read_bytes(), model.input) for path in paths]
    return [float(model.scores(*preprocessing.stack([model_input]))[0]) for model_input in inputs]


def expected_deliveries(project: Path, name: str) -> dict[str, float]:
    """Return the probability of ai after each delivery of a picture."""
    model = TrainedModel(project / "models/final")
    image = Image.open(project / "art" / name).convert("RGB")
    inputs = [
        preprocessing.from_pixels(delivery.change(image), model.input)
        for delivery in PANEL.values()
    ]
    return dict(zip(PANEL, model.scores(*preprocessing.stack(inputs)).tolist(), strict=True))


@pytest.fixture(scope="module")
def borderline(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Copy the model, with a threshold between the first picture and its farthest delivery."""
    folder = tmp_path_factory.mktemp("borderline") / "final"
    shutil.copytree(project / "models/final", folder)
    manifest = json.loads((folder / "model.json").read_text())
    (probability,) = expected(project, GOOD[:1])
    delivered = expected_deliveries(project, GOOD[0]).values()
    farthest = max(delivered, key=lambda other: abs(other - probability))
    manifest["verdicts"]["points"]["balanced"] = (probability + farthest) / 2
    (folder / "model.json").write_text(json.dumps(manifest))
    (project / "texts.png").write_bytes(picture_with_texts())
    return folder


def picture_with_texts(pixels: Pixels | None = None) -> bytes:
    """Encode a picture with texts of a generator, and with a control sequence of terminals."""
    texts = PngInfo()
    texts.add_text("Software", "NovelAI\x1b[2J")
    texts.add_text("parameters", "Steps: 20, Sampler: Euler a")
    return file(picture(0) if pixels is None else pixels, pnginfo=texts)


def summary(verdicts: list[str]) -> str:
    """Return the last line of `predict` for these verdicts, "" for an error."""
    counts = ", ".join(f"{verdicts.count(name)} {name}" for name in ("ai", "human", "unsure"))
    failed = verdicts.count("")
    end = f"; {failed} can't be classified" if failed else ""
    return f"{len(verdicts) - failed} pictures: {counts}{end}\n"


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
    predictions = [json.loads(line) for line in result.stdout.splitlines()]
    verdicts = [item["verdict"] for item in predictions]
    assert (result.returncode, result.stderr) == (1, summary(verdicts))
    assert [item["path"] for item in predictions] == ["missing.png", *(f"art/{n}" for n in ALL)]
    assert [bool(item["error"]) for item in predictions] == [True, False, True, False, False]
    scores = [item["probability_ai"] for item in predictions if not item["error"]]
    assert scores == pytest.approx(expected(project, GOOD), rel=1e-5)
    for name, item in zip(ALL, predictions[1:], strict=True):
        panel = {} if item["error"] else expected_deliveries(project, name)
        assert item["deliveries"] == pytest.approx(panel, rel=1e-5)
    assert "画" in result.stdout
    for item in predictions:
        assert item["evidence"] == []
        decision = "" if item["error"] else "ai" if item["probability_ai"] >= 0.5 else "human"
        assert item["verdict"] == ("unsure" if item["reason"] else decision)


def test_csv_is_a_table(project: Path, realart: Realart) -> None:
    arguments = ("--csv", "--model", str(project / "models/final"), "art")
    result = realart("predict", *arguments, cwd=project)
    table = list(csv.DictReader(io.StringIO(result.stdout)))
    assert (result.returncode, result.stderr) == (1, summary([row["verdict"] for row in table]))
    assert [row["path"] for row in table] == [f"art/{name}" for name in ALL]
    scores = [float(row["probability_ai"]) for row in table if not row["error"]]
    assert scores == pytest.approx(expected(project, GOOD), rel=1e-5)
    assert table[1]["verdict"] == table[1]["probability_ai"] == ""
    assert table[1]["error"].startswith("corrupt")


def test_predictions_and_errors_are_printed_apart(project: Path, realart: Realart) -> None:
    good = realart("predict", "--once", f"art/{GOOD[1]}", f"art/{GOOD[0]}", cwd=project)
    scores = expected(project, [GOOD[1], GOOD[0]])
    verdicts = ["ai" if score >= 0.5 else "human" for score in scores]
    assert (good.returncode, good.stderr) == (
        0,
        f"{UNCALIBRATED_RULE.describe()}\n{summary(verdicts)}",
    )
    assert [line.split(maxsplit=2) for line in good.stdout.splitlines()] == [
        [verdicts[0], f"p(ai)={scores[0]:.3f}", f"art/{GOOD[1]}"],
        [verdicts[1], f"p(ai)={scores[1]:.3f}", f"art/{GOOD[0]}"],
    ]
    bad = realart("predict", "art/broken.png", cwd=project)
    assert (bad.returncode, bad.stdout) == (1, "")
    promise, error = bad.stderr.splitlines()
    assert promise == UNCALIBRATED_RULE.describe()
    assert error.startswith("art/broken.png: corrupt")


@pytest.mark.parametrize("form", [[], ["--json"], ["--csv"]])
def test_a_model_says_first_what_speaks_against_it(
    project: Path, tmp_path: Path, realart: Realart, form: list[str]
) -> None:
    folder = tmp_path / "final"
    shutil.copytree(project / "models/final", folder)
    manifest = json.loads((folder / "model.json").read_text())
    arguments = ["predict", "--once", "--model", str(folder), f"art/{GOOD[0]}", *form]
    worse, sample = "this model is worse than nothing", {"sample": "sample"}
    for sets, caution, first in (
        (sample, "", trained_model.SAMPLE_ONLY),
        (sample, worse, f"{trained_model.SAMPLE_ONLY}; {worse}"),
        (sample | {"mine": "path"}, worse, worse),
        (sample | {"mine": "path"}, "", "" if form else UNCALIBRATED_RULE.describe()),
    ):
        origin = {"model": "m", "sets": sets}
        (folder / "model.json").write_text(
            json.dumps({**manifest, "origin": origin, "caution": caution})
        )
        shown = realart(*arguments, cwd=project).stderr
        assert [*shown.splitlines(), ""][0] == first


def test_a_point_that_can_not_be_promised_is_an_error_before_any_picture(
    project: Path, tmp_path: Path, realart: Realart
) -> None:
    folder = tmp_path / "final"
    shutil.copytree(project / "models/final", folder)
    manifest = json.loads((folder / "model.json").read_text())
    proof = {"rate": 0.01, "confidence": 0.95, "data": "mine"}
    manifest["verdicts"]["proofs"] = {
        "false_positive_rate": {**proof, "pictures": 280, "required": 299, "attainable": 0.0107},
        "error_rate": {**proof, "pictures": 300, "required": 80, "attainable": 0.001},
    }
    del manifest["verdicts"]["points"]["low_fpr"]
    (folder / "model.json").write_text(json.dumps(manifest))
    arguments = ["predict", "--model", str(folder), f"art/{GOOD[0]}"]
    refused = realart(*arguments, "--at", "low_fpr", cwd=project)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "low_fpr can't be promised" in refused.stderr
    assert "it needs 299 pictures of human art, mine has 280" in refused.stderr
    decided = realart(*arguments, cwd=project)
    assert decided.returncode == 0
    assert decided.stderr.startswith("at least 99 % of decisions that are not unsure are right")
    balanced = manifest["verdicts"]["points"]["balanced"]
    bounds = realart(*arguments, "--at", "balanced", cwd=project).stderr
    assert bounds == f"by p(ai): ai from {balanced:.3f} on\n"
    assert realart(*arguments, "--json", cwd=project).stderr == ""


def test_instability_and_evidence_are_printed_below_the_decision(
    project: Path, borderline: Path, realart: Realart
) -> None:
    arguments = ("predict", "--model", str(borderline), "--at", "balanced", "texts.png")
    (first,), delivered = expected(project, GOOD[:1]), expected_deliveries(project, GOOD[0])
    name = max(delivered, key=lambda name: abs(delivered[name] - first))
    decisions = ["human", "ai"] if first < delivered[name] else ["ai", "human"]
    words = f"{PANEL[name].words} it would rather be classified as {decisions[1]}"
    reason = f"{words} ({delivered[name]:.3f})"
    output = realart(*arguments, cwd=project).stdout
    assert output.splitlines() == [
        f"{decisions[0]:6}  p(ai)={first:.3f}  texts.png",
        f"  {reason}",
        *(f"  {line}" for line in EVIDENCE),
    ]
    once = realart(*arguments, "--once", cwd=project).stdout
    assert once.splitlines() == [output.splitlines()[0], *output.splitlines()[2:]]
    prediction = json.loads(realart(*arguments, "--json", cwd=project).stdout)
    assert (prediction["verdict"], prediction["reason"]) == (decisions[0], reason)
    assert prediction["evidence"] == EVIDENCE
    (row,) = csv.DictReader(io.StringIO(realart(*arguments, "--csv", cwd=project).stdout))
    assert (row["verdict"], row["reason"]) == (decisions[0], reason)
    assert row["evidence"] == "; ".join(EVIDENCE)
    assert {name: float(row[f"deliveries.{name}"]) for name in PANEL} == prediction["deliveries"]
    assert {name.partition(".")[0] for name in row} == set(prediction)


def test_evidence_is_printed_below_an_error(
    project: Path, realart: Realart, tmp_path: Path
) -> None:
    (tmp_path / "tiny.png").write_bytes(picture_with_texts(picture(0)[:48, :48]))
    arguments = ("predict", "--model", str(project / "models/final"), str(tmp_path / "tiny.png"))
    result = realart(*arguments, cwd=project)
    assert (result.returncode, result.stdout) == (1, "")
    _, error, *evidence = result.stderr.splitlines()
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
        verdicts = [item["verdict"] for item in predictions]
        assert result.stderr.decode() == (summary(verdicts) if len(paths) > 1 else "")
        assert [item["path"] for item in predictions] == paths
        if stdin:
            assert result.returncode == 0
            assert predictions[-1]["probability_ai"] == pytest.approx(score, rel=1e-5)
        else:
            assert (result.returncode, predictions[-1]["error"]) == (1, "empty")


@pytest.mark.parametrize("to_file", [True, False], ids=["file", "terminal"])
def test_progress_is_shown_on_a_terminal(project: Path, to_file: bool) -> None:
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
    assert "4/4" in terminal
    assert "pictures/s]" in terminal or "s/ pictures]" in terminal
    assert (output or terminal).count(".jpg") == 1
    assert terminal.splitlines()[-1].startswith("3 pictures: ")
    for line in (output or terminal).split("\n"):
        *_, shown = line.rstrip("\r").split("\r")
        assert "p(ai)=" not in shown or shown.startswith(("ai ", "human ", "unsure "))


@pytest.mark.parametrize("form", ["--json", "--csv"])
def test_an_undecodable_file_name_is_printed(
    project: Path, tmp_path: Path, realart: Realart, form: list[str]
) -> None:
    name = str(tmp_path) + os.fsdecode(b"/\xff.png")
    Path(name).write_bytes(file(picture(0)))
    result = realart("predict", form, name, "art", cwd=project)
    assert result.returncode == 1, result.stderr
    assert len(result.stdout.splitlines()) == 5 + (form == "--csv")


def test_a_reader_that_has_enough_ends_it_quietly(project: Path) -> None:
    """As `realart predict folder | head -1` does."""
    with subprocess.Popen(
        [*COMMAND, "predict", "--once", "--json", f"art/{GOOD[0]}", f"art/{GOOD[1]}"],
        cwd=project, env=clean_environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        assert process.stdout
        assert process.stderr
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait() == READER_ENDED


@pytest.mark.parametrize("arguments", [["--help"], ["completion", "bash"], ["predict", "--help"]])
def test_a_reader_that_is_gone_before_the_end_ends_quietly(arguments: list[str]) -> None:
    """As `realart compare A B | head` does, which prints all at its end."""
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [*COMMAND, *arguments], cwd=REPOSITORY, env=clean_environment(),
        stdout=writer, stderr=subprocess.PIPE, check=False,
    )  # fmt: skip
    os.close(writer)
    assert (done.returncode, done.stderr) == (READER_ENDED, b"")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["art"], ["no model in", "models/final", "dvc repro"]),
        (["art", "--model", "art"], ["no model in art"]),
        (["art", "--model", "art/broken.png"], ["no model in art/broken.png"]),
        (["nothing"], ["no file in nothing"]),
    ],
    ids=["no model", "another folder", "a file", "no file"],
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
        assert (result.returncode, result.stderr) == (0, f"{UNCALIBRATED_RULE.describe()}\n")
        (line,) = result.stdout.splitlines()
        decision, probability, rest = line.split(maxsplit=2)
        (score,) = expected(project, [GOOD[0]])
        assert probability == f"p(ai)={score:.3f}"
        model = TrainedModel(project / "models/final")
        prediction = predict_bytes(Path(path).read_bytes(), model)
        assert decision == prediction.verdict  # which a delivery may turn: weights are random
        reasons = "".join(f": {reason}" for reason in prediction.reasons)
        assert rest == f"{path}, explanation saved to {out}{reasons}"
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


@pytest.fixture(scope="module")
def labelled_set(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a set whose ai pictures are PNG and whose human ones are JPEG, and a broken file."""
    folder = tmp_path_factory.mktemp("labelled")
    for name, kind in (("fakes", "PNG"), ("photos", "JPEG")):
        (folder / "set" / name).mkdir(parents=True)
        for i in range(30):
            seed = 2 * i + (kind == "PNG")
            (folder / "set" / name / f"{i}").write_bytes(file(picture(seed), kind))
    (folder / "set/photos/broken.jpg").write_bytes(file(picture(99), "JPEG")[:-200])
    return folder / "set"


def test_audit_needs_no_project_and_writes_its_page_alone(
    labelled_set: Path, tmp_path: Path, realart: Realart
) -> None:
    before = sorted(labelled_set.rglob("*"))
    result = realart("audit", str(labelled_set), "--human", "photos", cwd=tmp_path)
    assert (result.returncode, result.stderr) == (0, "")
    assert "One-sided: format PNG: 30 of 30 ai pictures, none of 30 human." in result.stdout
    assert result.stdout.splitlines()[-1] == (
        "audited 61 of 61 labelled files; the page is audit.html"
    )
    assert "quantisation table" in (tmp_path / "audit.html").read_text()
    assert sorted(labelled_set.rglob("*")) == before
    assert [path.name for path in tmp_path.iterdir()] == ["audit.html"]


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (["--fail-above", "0.9"], 1, "fails: quantisation table (file as published) predicts"),
        (
            ["--fail-on", "duplicates,contradictions,leaks", "--pictures", "40"],
            0,
            "Only 40 of 61 labelled files were audited (--pictures)",
        ),
    ],
)
def test_audit_fails_as_it_is_told(
    labelled_set: Path,
    tmp_path: Path,
    realart: Realart,
    options: list[str],
    code: int,
    message: str,
) -> None:
    result = realart("audit", str(labelled_set), "--human", "photos", *options, cwd=tmp_path)
    assert result.returncode == code
    assert message in result.stdout
    assert (tmp_path / "audit.html").exists()


def test_audit_as_json(labelled_set: Path, tmp_path: Path, realart: Realart) -> None:
    result = realart(
        "audit", str(labelled_set), "--human", "photos", "--json", "--fail-on", "broken",
        "--out", "deep/page.html", cwd=tmp_path,
    )  # fmt: skip
    assert result.returncode == 1
    figures = json.loads(result.stdout, parse_constant=pytest.fail)
    assert figures["pictures"] == {"human": 30, "ai": 30}
    assert figures["baselines"][0]["auc"] == 1
    assert (figures["failures"], figures["no_verdict"]) == (["1 broken"], "")
    assert "labels of 61 files" in result.stderr
    assert (tmp_path / "deep/page.html").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["nowhere"], "there is nothing at nowhere"),
        (["{set}"], "labels.human ['human', 'humans', 'real', 'reals', ...] matches no folder"),
        (["{set}", "--human", "a/b"], "--human 'a/b' is a path"),
        (["{set}", "--labels", "local"], "no params.yaml in"),
        (["{set}", "--labels", "local", "--ai", "x"], "--labels names both classes"),
        (
            ["{set}", "--fail-on", "leak"],
            "--fail-on: unknown problem 'leak' (did you mean 'leaks'?)",
        ),
        (["{set}", "--out", "."], "--out . is no page"),
    ],
)
def test_audit_names_what_is_wrong_before_it_decodes(
    labelled_set: Path, tmp_path: Path, realart: Realart, options: list[str], message: str
) -> None:
    arguments = [option.format(set=labelled_set) for option in options]
    result = realart("audit", *arguments, cwd=tmp_path)
    assert result.returncode == 2
    assert message in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_audit_needs_few_packages(tmp_path: Path) -> None:
    """So that CI installs them in seconds (docs/audit.md)."""
    (tmp_path / "set/ai").mkdir(parents=True)
    (tmp_path / "set/real").mkdir()
    for number, label in enumerate(("ai", "real")):
        (tmp_path / f"set/{label}/1.png").write_bytes(file(picture(number)))
    code = (
        "import sys; from realart import cli; sys.argv = ['realart', 'audit', 'set']\n"
        "try: cli.main()\n"
        "finally: print(*{name.split('.')[0] for name in sys.modules})"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=clean_environment(), capture_output=True,
        text=True,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    loaded = set(result.stdout.splitlines()[-1].split())
    assert "sklearn" in loaded
    assert not loaded & {"keras", "tensorflow", "mlflow", "matplotlib", "dvc", "kaggle", "openvino"}


@pytest.mark.parametrize("option", [["--fail-above", "2"], ["--pictures", "3"]])
def test_audit_has_limits(tmp_path: Path, realart: Realart, option: list[str]) -> None:
    result = realart("audit", "set", *option, cwd=tmp_path)
    assert result.returncode == 2
    assert f"{option[1]} is not from" in result.stderr


def test_recipes_as_json(realart: Realart) -> None:
    listed = realart("recipes", "--json", cwd=REPOSITORY)
    assert (listed.returncode, listed.stderr) == (0, "")
    rows = json.loads(listed.stdout)
    assert [row["name"] for row in rows] == list(PARAMS.recipes)
    assert all("parameters" not in row for row in rows)


def test_recipes_of_a_small_project_as_a_table(tmp_path: Path, realart: Realart) -> None:
    params = PARAMS.model_dump() | {
        "model": "cnn",
        "recipes": {"cnn": PARAMS.recipes["cnn"].model_dump()},
    }
    (tmp_path / "params.yaml").write_text(json.dumps(params))
    table = realart("recipes", "--parameters", cwd=tmp_path)
    header, row = table.stdout.splitlines()
    assert header.split()[:3] == ["name", "sees", "size"]
    assert row.split()[:3] == ["cnn", "rgb", "128"]
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
    report = {"cases": {"ai/one.png": {"score": 0.75, "right": 1.0}}}
    (tmp_path / "metrics/evaluation.json").write_text(json.dumps(report))
    result = realart("compare", "workspace", *option, cwd=tmp_path)
    assert (result.returncode, result.stderr) == (0, "")
    heading, *_, line, case = filter(None, result.stdout.splitlines())
    assert heading == first
    assert line.startswith(last)
    assert case.endswith("case ai/one.png: 0.750 (right) and 0.750 (right)")


def test_another_detector_is_evaluated_without_a_run(realart: Realart, tmp_path: Path) -> None:
    """And compared: the folder that was written stands for it."""
    shutil.copy(REPOSITORY / "params.yaml", tmp_path)
    rows = ["path;probability_ai"]
    for number in range(8):
        name = f"set/{('ai', 'human')[number % 2]}/{number}.png"
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(file(picture(number)))
        rows.append(f"{name};{0.9 - 0.1 * number:.1f}")
    (tmp_path / "rival.csv").write_text("\n".join(rows))
    result = realart("evaluate", "--data", "set", "--scores", "rival.csv", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    *_, summary, last = result.stdout.splitlines()
    assert summary.startswith("rival on set (8 pictures): accuracy 0.625 [")
    assert last == "metrics, scores and plots are in metrics/elsewhere/rival on set"
    folder = "metrics/elsewhere/rival on set"
    result = realart("compare", folder, folder, cwd=tmp_path)
    assert result.stdout.splitlines()[1] == "the set, 8 pictures"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--data", "a.zip", "b.zip", "--scores", "s.csv"], "--scores is of one set"),
        (["--data", "a.zip", "--threshold", "0.7"], "--threshold is of --scores"),
        (["--data", "a.zip", "--scores", "s.csv"], "the scores in s.csv can't be read"),
    ],
    ids=["two sets", "threshold of a run", "no table"],
)
def test_errors_of_evaluate_are_one_line(
    realart: Realart, tmp_path: Path, arguments: list[str], message: str
) -> None:
    shutil.copy(REPOSITORY / "params.yaml", tmp_path)
    result = realart("evaluate", *arguments, cwd=tmp_path)
    assert (result.returncode, len(result.stderr.splitlines())) == (2, 1)
    assert message in result.stderr


def test_a_promise_that_is_none_is_named(realart: Realart, tmp_path: Path) -> None:
    shutil.copy(REPOSITORY / "params.yaml", tmp_path)
    result = realart("calibrate", "--data", "mine.zip", "--precision", "95", cwd=tmp_path)
    assert (result.returncode, len(result.stderr.splitlines())) == (2, 1)
    assert "--precision is 95.0: Input should be less than 1" in result.stderr


def test_the_parser_imports_no_backend() -> None:
    code = "import sys; from realart import cli; cli.make_parser(); print(*sys.modules)"
    result = subprocess.run(
        [sys.executable, "-c", code], env=clean_environment(), capture_output=True, text=True
    )
    loaded = set(result.stdout.split())
    assert "realart.cli" in loaded
    assert not loaded & {"keras", "tensorflow", "mlflow"}


@pytest.mark.parametrize(
    ("line", "usage", "message"),
    [
        ("predcit a.png", "realart", "(did you mean 'predict'?)"),
        ("--verson", "realart", "unknown option --verson (did you mean '--version'?)"),
        ("predict a.png --modle b", "realart predict", "--modle (did you mean '--model'?)"),
        ("evaluate --dta=a.zip", "realart evaluate", "--dta (did you mean '--data'?)"),
        ("predict --at low a.png", "realart predict", "(did you mean 'low_fpr'?)"),
        ("predict --a low a.png", "realart predict", "(did you mean 'low_fpr'?)"),
        ("recipes --foo", "realart recipes", "unknown option --foo\n"),
        ("recipes -x more", "realart recipes", "unknown arguments: -x more"),
        ("predict a.png ''", "realart predict", "an argument is empty"),
        ("compare ''", "realart compare", "an argument is empty"),
    ],
)
def test_what_is_unknown_is_named_below_the_usage_of_its_command(
    realart: Realart, tmp_path: Path, line: str, usage: str, message: str
) -> None:
    result = realart(*shlex.split(line), cwd=tmp_path)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith(f"usage: {usage} [-h]")
    assert message in result.stderr


def test_what_follows_two_hyphens_is_no_option(realart: Realart, tmp_path: Path) -> None:
    result = realart("predict", "--model", "absent", "--", "--modle", "", cwd=tmp_path)
    assert result.returncode == 2
    assert "unknown" not in result.stderr
    assert "is empty" not in result.stderr


def test_the_version_is_printed(realart: Realart, tmp_path: Path) -> None:
    assert realart("--version", cwd=tmp_path).stdout == f"realart {__version__}\n"
    command = [sys.executable, "-m", "realart", "--version"]
    result = subprocess.run(
        command, cwd=tmp_path, env=clean_environment(), capture_output=True, text=True
    )
    assert (result.returncode, result.stdout) == (0, f"realart {__version__}\n")


@pytest.mark.parametrize(
    ("words", "completions"),
    [
        (["pre"], ["predict"]),
        (["predict", "--at", "b"], ["balanced", "best_f1"]),
        (["explain", "pic"], ["picture.png"]),
        (["explain", "picture.png", "--mod"], ["--model"]),
    ],
)
def test_bash_completes_commands_options_and_files(
    realart: Realart, tmp_path: Path, words: list[str], completions: list[str]
) -> None:
    (tmp_path / "picture.png").touch()
    (tmp_path / "other.png").touch()
    script = realart("completion", "bash", cwd=tmp_path).stdout
    line = shlex.join(["realart", *words])
    script += f"\nCOMP_WORDS=({line})\nCOMP_CWORD={len(words)}\n_shtab_realart\n"
    script += 'printf "%s\\n" "${COMPREPLY[@]}"'
    result = subprocess.run(
        ["bash", "--norc"], input=script, cwd=tmp_path, capture_output=True, text=True
    )
    assert (result.stderr, sorted(result.stdout.split())) == ("", completions)


@pytest.fixture
def folder_of_project(project: Path, tmp_path: Path) -> Path:
    """Give a folder inside a project with a model, params and two pictures in it."""
    shutil.copytree(project / "models", tmp_path / "project/models")
    for name in ("params.yaml", "dvc.yaml"):
        shutil.copy(REPOSITORY / name, tmp_path / "project")
    folder = tmp_path / "project/notes/more"
    folder.mkdir(parents=True)
    for name in ("-1.png", "2.png"):
        (folder / name).write_bytes(file(picture(0)))
    return folder


def test_the_project_is_found_from_any_of_its_folders(
    folder_of_project: Path, realart: Realart
) -> None:
    predicted = realart("predict", "--once", "2.png", cwd=folder_of_project)
    assert predicted.returncode == 0, predicted.stderr
    assert predicted.stdout.endswith("  2.png\n")
    assert realart("recipes", cwd=folder_of_project).returncode == 0
    with pytest.MonkeyPatch.context() as patched:
        patched.chdir(folder_of_project)
        assert realart_package.load().predict("2.png", once=True)[0].path == "2.png"
    shutil.rmtree(folder_of_project.parents[1] / "models")
    missing = realart("predict", "2.png", cwd=folder_of_project)
    assert missing.returncode == 2
    for words in ("no model in ../../models/final", "`dvc repro`", "--model"):
        assert words in missing.stderr


def test_evaluations_of_a_folder_go_into_its_project(
    folder_of_project: Path, realart: Realart
) -> None:
    (folder_of_project / "set/ai").mkdir(parents=True)
    (folder_of_project / "set/human").mkdir()
    lines = ["path,probability_ai"]
    for number in range(8):
        path = f"set/{('ai', 'human')[number % 2]}/{number}.png"
        (folder_of_project / path).write_bytes(file(picture(number)))
        lines.append(f"{path},{0.9 - 0.1 * number:.1f}")
    (folder_of_project / "rival.csv").write_text("\n".join(lines))
    result = realart("evaluate", "--data", "set", "--scores", "rival.csv", cwd=folder_of_project)
    assert result.returncode == 0, result.stderr
    out = "../../metrics/elsewhere/rival on set"
    assert result.stdout.splitlines()[-1] == f"metrics, scores and plots are in {out}"
    assert (folder_of_project / out / "metrics.json").is_file()
    assert realart("compare", out, out, cwd=folder_of_project).returncode == 0


def test_a_name_may_begin_with_a_hyphen(folder_of_project: Path, realart: Realart) -> None:
    for arguments in (["-1.png", "2.png"], ["--", "-1.png", "2.png"], ["2.png", "./-1.png"]):
        result = realart("predict", "--once", *arguments, cwd=folder_of_project)
        assert result.returncode == 0, result.stderr
        shown = [line.split()[-1] for line in result.stdout.splitlines()]
        assert sorted(shown) == ["-1.png", "2.png"]
    explained = realart("explain", "-1.png", "--out", "-e.png", cwd=folder_of_project)
    assert explained.returncode == 2  # -e.png is no file yet: an option that there is not
    assert realart("explain", "-1.png", "--out=-e.png", cwd=folder_of_project).returncode == 0


@pytest.mark.parametrize(
    "name", ["a.png\nhuman   p(ai)=0.001  b.png", "\x1b[2Ja.png", "\u202egnp.a"]
)
def test_a_name_can_neither_forge_a_line_nor_send_codes_to_a_terminal(
    project: Path, tmp_path: Path, realart: Realart, name: str
) -> None:
    (tmp_path / name).write_bytes(file(picture(0)))
    (tmp_path / f"broken {name}").touch()
    model = ("--model", str(project / "models/final"))
    shown = name.encode("unicode_escape").decode()
    result = realart("predict", "--once", *model, name, f"broken {name}", cwd=tmp_path)
    (line,) = result.stdout.splitlines()
    assert line.endswith(f"  {shown}")
    assert f"broken {shown}: empty" in result.stderr.splitlines()
    explained = realart("explain", *model, name, "--out", "out.png", cwd=tmp_path)
    assert f"  {shown}, explanation" in explained.stdout
    assert len(explained.stdout.splitlines()) == 1
    as_json = realart("predict", "--once", "--json", *model, name, cwd=tmp_path)
    assert json.loads(as_json.stdout)["path"] == name


def test_a_zip_of_pictures_is_predicted(project: Path, tmp_path: Path, realart: Realart) -> None:
    model = ("--model", str(project / "models/final"))
    archive(tmp_path / "set.zip", [("ai/1.png", file(picture(0))), ("notes.txt", b"text")])
    result = realart("predict", *model, "--json", "set.zip", cwd=tmp_path)
    first, second = map(json.loads, result.stdout.splitlines())
    assert (first["path"], second["path"]) == ("set.zip/ai/1.png", "set.zip/notes.txt")
    assert [first["probability_ai"]] == pytest.approx(expected(project, GOOD[:1]), rel=1e-5)
    assert second["error"] == "not a picture"


def test_a_web_address_gets_a_hint(project: Path, realart: Realart) -> None:
    result = realart("predict", "https://example.org/a.jpg", cwd=project)
    assert result.returncode == 1
    assert "a web address, which is not fetched: curl -sL ADDRESS | realart predict -" in (
        result.stderr
    )


def test_explain_ends_on_a_file_without_end(
    project: Path, tmp_path: Path, realart: Realart
) -> None:
    shutil.copytree(project / "models/final", tmp_path / "final")
    manifest = json.loads((tmp_path / "final/model.json").read_text())
    manifest["input"]["clean"]["max_pixels"] = 10_000
    (tmp_path / "final/model.json").write_text(json.dumps(manifest))
    arguments = ("explain", "/dev/zero", "--model", "final", "--out", "zero.png")
    result = realart(*arguments, cwd=tmp_path)
    assert result.returncode == 2
    assert "/dev/zero can't be explained: too large" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["explain", "2.png", "--out", "."], ". is a folder"),
        (["explain", "2.png", "--out", "2.png/x.png"], "2.png is no folder"),
        (["explain", f"{'é' * 120}.png"], "too long"),
        (
            ["evaluate", "--data", ".", "--out", "2.png"],
            "2.png is a file: give the name of a folder",
        ),
        (["calibrate", "--data", ".", "--out", "2.png"], "2.png is a file"),
    ],
)
def test_an_output_that_can_not_be_written_is_named_before_the_work(
    folder_of_project: Path, realart: Realart, arguments: list[str], message: str
) -> None:
    before = sorted(folder_of_project.rglob("*"))
    result = realart(*arguments, cwd=folder_of_project)
    assert (result.returncode, len(result.stderr.splitlines())) == (2, 1)
    assert message in result.stderr
    assert sorted(folder_of_project.rglob("*")) == before
