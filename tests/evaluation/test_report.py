"""The report is a self-contained page with the metrics of its run."""

import base64
import io
import json
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from html_reader import Reader
from PIL import Image

from realart.core import tables
from realart.evaluation import report, verdict
from realart.metrics import text
from realart.params import load_params

pytestmark = pytest.mark.slow

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM = next((path for name in BROWSERS if (path := shutil.which(name))), "")


@pytest.fixture(scope="module")
def page(trained: Path) -> str:
    with pytest.MonkeyPatch.context() as patched:
        patched.chdir(trained)
        patched.setenv("DVC_ROOT", str(trained))
        return report.page(load_params())


@pytest.fixture(scope="module")
def read(page: str) -> Reader:
    return Reader(page)


def test_nothing_is_loaded_and_nothing_runs(read: Reader, page: str) -> None:
    assert read.loads
    assert read.is_self_contained()
    assert not re.search(r"url\(|@import|https?://", page)


def test_the_figures_are_those_of_the_run(read: Reader, trained: Path) -> None:
    found = json.loads((trained / "metrics/evaluation.json").read_text())
    for part in ("test", "oof"):
        for name in ("accuracy", "recall", "auc", "average_precision"):
            assert text.format_figure(name, found[part]) in read.text
    rejected = tables.read(trained / "data/clean/rejected.csv", tables.REJECTED)
    for reason, count in rejected["reason"].value_counts().items():
        assert re.search(rf"{reason}\s*{count}\D", read.text.replace("\n", ""))


def test_the_verdict_comes_first_and_each_part_has_a_link(
    read: Reader, page: str, trained: Path
) -> None:
    found = json.loads((trained / "metrics/evaluation.json").read_text())
    conclusion, evidence = verdict.against_baseline(found).split(": ", 1)
    assert f"{evidence} {verdict.on_test_part(found)}" in read.text
    assert 0 < page.index(f">{conclusion}</b>") < page.index("<h2")
    links = re.findall(r'href="#(\w+)"', page)
    assert len(links) > 5
    assert links == re.findall(r'<h[23] id="(\w+)"', page)


def test_the_most_confident_mistakes_come_first(read: Reader, trained: Path) -> None:
    scores = tables.read(trained / "metrics/scores.csv", tables.PREDICTIONS)
    wrong = scores[(scores["score"] >= 0.5) != (scores["label"] == "ai")]
    distance = (wrong["score"] - (wrong["label"] == "ai")).abs().sort_values(ascending=False)
    expected = [f"{score:.3f}" for score in wrong.loc[distance.index, "score"]][: report.HARDEST]
    assert expected
    assert re.findall(r"probability of ai (\d\.\d{3}) \(", read.text) == expected


def test_names_of_files_are_text(trained: Path, tmp_path: Path) -> None:
    """A file called like a tag must not become one."""
    copy = tmp_path / "project"
    shutil.copytree(trained, copy)
    table = tables.read(copy / "data/clean/rejected.csv", tables.REJECTED)
    table.loc[0, "path"] = "<script>alert(1)</script>.png"
    tables.write(table.iloc[:1], copy / "data/clean/rejected.csv", tables.REJECTED)
    shown = report.page(load_params(copy / "params.yaml"), copy)
    assert "<script>" not in shown
    assert "&lt;script&gt;" in shown


@pytest.mark.skipif(not CHROMIUM, reason="no Chromium here")
@pytest.mark.parametrize("width", [390, 1100])
def test_a_browser_shows_it_within_the_width_of_a_screen(
    page: str, tmp_path: Path, width: int
) -> None:
    """All pictures decode, no table is cut, and the page itself never scrolls sideways."""
    probe = """<script>addEventListener('load', () => {
      const bad = [...document.images].filter(image => !image.naturalWidth).length;
      const cut = [...document.querySelectorAll('table')].filter(
        table => table.scrollWidth > table.parentElement.clientWidth).length;
      const wide = document.documentElement.scrollWidth - innerWidth;
      document.title = `bad ${bad} cut ${cut} wide ${wide}`;
    })</script>"""
    file = tmp_path / "report.html"
    file.write_text(page + probe)
    command = [
        CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", f"--window-size={width},900",
        "--virtual-time-budget=5000", "--dump-dom", file.as_uri(),
    ]  # fmt: skip
    shown = subprocess.run(command, capture_output=True, text=True, timeout=120).stdout
    found = re.search(r"<title>bad (\d+) cut (\d+) wide (-?\d+)</title>", shown)
    assert found, shown[-500:]
    assert found[1] == found[2] == "0"
    assert int(found[3]) <= 0


def test_thumbnails_are_pictures_of_what_they_name(read: Reader) -> None:
    thumbnails = [url for url in read.loads if url.startswith("data:image/jpeg")]
    for url in thumbnails:
        data = base64.b64decode(url.split(",", 1)[1])
        with Image.open(io.BytesIO(data)) as image:
            assert np.asarray(image).std() > 0


def test_a_page_names_missed_goals_and_warns_of_one_class_predictions(
    trained: Path, read: Reader, tmp_path: Path
) -> None:
    assert "Warning:" not in read.text
    assert "AUC above 0.5 met; AUC above that of the shortcut baseline met." in read.text
    copy = tmp_path / "project"
    shutil.copytree(trained, copy)
    file = copy / "metrics/evaluation.json"
    found = json.loads(file.read_text())
    found["test"] |= {
        "accuracy": 0.9,
        "recall": 0.1,
        "intervals": found["test"]["intervals"] | {"recall": {"low": 0, "high": 0.2}},
        "confusion": {"tn": 0, "fp": 3, "fn": 0, "tp": 3},
    }
    found["cases"] = {"ai/one.png": {"score": 0.9, "right": 1.0}}
    file.write_text(json.dumps(found))
    shown = report.page(load_params(copy / "params.yaml"), copy)
    assert 'all cases right <b class="good">met</b>' in shown
    assert 'Goals: accuracy 0.85 <b class="good">met</b>;' in shown
    assert 'recall 0.100 is below 0.8 <b class="ai">missed</b>' in shown
    assert (
        "Warning: on the test part all pictures are classified as ai (6 of 6; 3 are ai)." in shown
    )
