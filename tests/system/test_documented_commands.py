"""Commands of the documentation are run as they are written, with ordinary pictures."""

import base64
import json
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import numpy as np
import pytest
from making import archive, file, picture
from shell_blocks import FENCE, PAGES, commands, shell_blocks

from realart import cli

pytestmark = pytest.mark.slow

LABELS = ("ai", "human")
RUN = ("predict", "explain", "evaluate", "compare", "calibrate", "audit", "recipes", "completion")
"""Commands of `realart` that end by themselves."""
ELSEWHERE = re.compile(
    r"exp-a|compare (?:main|HEAD)|cashbowman-svm|vangogh|workspace$|-$|data/clean|/pictures|"
    r"ai-artbench|<"
)
"""Commands on experiments or sets that a test project lacks, or on standard input."""


def documented() -> list[tuple[str, ...]]:
    """Return the arguments of each command of `realart` that can be run here, once each."""
    found: dict[tuple[str, ...], None] = {}
    for page in PAGES:
        variables: dict[str, str] = {}
        for block in shell_blocks(page):
            for program, *arguments in commands(block, variables):
                if program == "realart" and arguments[0] in RUN:
                    found[tuple(arguments)] = None
    return [words for words in found if not ELSEWHERE.search(" ".join(words))]


def ordinary_picture(seed: int) -> bytes:
    """Encode a picture of about 400 kB."""
    pixels = picture(seed, 1280, 960).astype(int)
    noise = np.random.default_rng(seed).normal(0, 12, pixels.shape)
    data = file(np.clip(pixels + noise, 0, 255).astype(np.uint8), "JPEG", quality=90)
    assert 400_000 < len(data) < 500_000
    return data


@pytest.fixture(scope="module")
def project(trained: Path, own_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Copy a project that has a model, and put there what the documentation names."""
    folder = tmp_path_factory.mktemp("documented") / "project"
    leave_out = shutil.ignore_patterns("mlruns")  # which has absolute paths of the original
    shutil.copytree(trained, folder, symlinks=True, ignore=leave_out)
    shutil.copytree(own_store / "mlruns", folder / "mlruns")
    (folder / "picture.jpg").write_bytes(ordinary_picture(0))
    (folder / "another.png").write_bytes(file(picture(1)))
    (folder / "folder").mkdir()
    (folder / "folder/1.jpg").write_bytes(ordinary_picture(1))
    rows = ["path,probability_ai"]
    for number, name in enumerate(("set", "mine", "other", "train", "test"), 1):
        labels = (
            ("AI_a", "human", "AI_b", "baroque", "AI_a", "realism") if name == "set" else LABELS
        )
        members = [
            (f"{labels[seed % len(labels)]}/{seed}.png", file(picture(1000 * number + seed)))
            for seed in range(42)
        ]
        archive(folder / f"{name}.zip", members)
        rows += [f"{name}.zip/{path},{index / 50}" for index, (path, _) in enumerate(members)]
    shutil.unpack_archive(folder / "mine.zip", folder / "pictures")
    (folder / "rival.csv").write_text("\n".join(rows))
    return folder


@pytest.mark.parametrize("words", documented(), ids=" ".join)
def test_a_command_runs(
    project: Path,
    words: tuple[str, ...],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """In the order of the pages: some use what those before have written."""
    monkeypatch.chdir(project)
    monkeypatch.setattr(sys, "argv", ["realart", *words])
    with pytest.raises(SystemExit) as end:
        cli.main()
    output, errors = capsys.readouterr()
    assert end.value.code in ((0, 1, None) if "--fail-above" in words else (0, None)), errors
    assert output


@contextmanager
def listening() -> Iterator[tuple[int, list[bytes]]]:
    """Yield a port of this machine, and the list that the bodies of requests go to."""
    bodies: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port, bodies
        server.shutdown()
        thread.join()


def test_an_ordinary_picture_is_sent_to_a_served_model(project: Path) -> None:
    """On a command line, where it once was, 128 kB are the most."""
    (block,) = (block for page in PAGES for block in shell_blocks(page) if "/invocations" in block)
    lines = [line for line in block.splitlines() if not line.startswith(("export", "mlflow"))]
    with listening() as (port, bodies):
        script = "\n".join(lines).replace("127.0.0.1:5001", f"127.0.0.1:{port}")
        result = subprocess.run(
            ["bash", "-e", "-c", script], cwd=project, capture_output=True, text=True, timeout=60
        )
    assert result.returncode == 0, result.stderr
    ((record,),) = (json.loads(body)["dataframe_records"] for body in bodies)
    assert base64.b64decode(record["picture"]) == (project / "picture.jpg").read_bytes()


def test_the_example_in_python_runs(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(project)
    (example,) = (
        block
        for page in PAGES
        for language, block in FENCE.findall(page.read_text("utf-8"))
        if language == "python" and "import realart\n" in block
    )
    exec(compile(example, "docs/use.md", "exec"), {})
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] in ("ai", "human", "unsure") for line in lines] == [True, True]
