"""The demo as a person uses it: a real server and a real browser, without a network."""

import base64
import io
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from loopback import NOTHING_LISTENS, free_port
from making import file, picture
from networks import clean_environment, turn_a_delivery
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from playwright.sync_api import Page, expect, sync_playwright
from test_occlusion import cell_model, textured

from realart.models.trained_model import TrainedModel
from realart.serving import demo, predict

pytestmark = pytest.mark.slow

BROWSER = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
COMMAND = [sys.executable, "-c", "from realart.cli import main; main()", "demo"]
SECONDS = 60


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> TrainedModel:
    """Save a model that calls `textured(3)` ai at some operating points only."""
    return cell_model(tmp_path_factory.mktemp("model"), 3, slope=0.4)


def environment(folder: Path) -> dict[str, str]:
    """Return environment variables with which only this machine can be reached."""
    (folder / "tmp").mkdir()
    nowhere = dict.fromkeys(("http_proxy", "https_proxy", "all_proxy"), NOTHING_LISTENS)
    return clean_environment(
        HOME=str(folder), TMPDIR=str(folder / "tmp"), no_proxy="127.0.0.1", **nowhere
    )


@pytest.fixture(scope="module")
def address(model: TrainedModel, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Start the server in a process of its own; check that it leaves no file behind.

    One that was killed before it has left a picture, which the next one removes.
    """
    folder = tmp_path_factory.mktemp("server")
    killed = folder / "tmp/realart-demo-killed"
    port = free_port()
    command = [*COMMAND, "--port", str(port), "--model", str(model.folder)]
    variables = environment(folder)
    killed.mkdir()
    (killed / "picture.png").write_bytes(file(picture(0)))
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout
        assert process.stderr
        assert process.stderr.readline() == "starting the demo ...\n"
        assert process.stdout.readline() == f"demo: http://127.0.0.1:{port}\n"
        assert not killed.exists()
        yield f"http://127.0.0.1:{port}"
        process.terminate()
        try:
            process.wait(SECONDS)
        finally:
            process.kill()
    assert not list((folder / "tmp").iterdir())


@pytest.fixture
def page(address: str) -> Iterator[Page]:
    """Open the page in a browser that resolves no other host; check that it requests none."""
    if not BROWSER:
        pytest.skip("no Chromium here")
    hosts = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=BROWSER, args=["--no-sandbox", hosts])
        page = browser.new_page()
        page.set_default_timeout(1000 * SECONDS)
        expect.set_options(timeout=1000 * SECONDS)
        requested: set[str] = set()
        page.on("request", lambda request: requested.add(request.url))
        page.goto(address)
        yield page
        browser.close()
    elsewhere = {url for url in requested if not url.startswith((address, "data:", "blob:"))}
    assert not elsewhere


def drop(page: Page, name: str, data: bytes) -> str:
    """Upload a file to the page, and return the text of the result."""
    result = page.locator("#result article")
    before = result.inner_text() if result.count() else ""
    page.locator("input[type=file]").set_input_files(
        {"name": name, "mimeType": "application/octet-stream", "buffer": data}
    )
    expect(result).to_be_visible()
    expect(result).not_to_have_text(before, use_inner_text=True)
    return result.inner_text()


def with_prompt(image: Image.Image) -> bytes:
    """Encode a picture with texts of a generator, one of which would be markup."""
    texts = PngInfo()
    texts.add_text("parameters", "a castle\nSteps: 20, Sampler: Euler")
    texts.add_text("Software", "<b id='planted'>Midjourney</b>")
    return file(image, pnginfo=texts)


def test_a_picture_is_classified_and_explained(
    page: Page, model: TrainedModel, tmp_path: Path
) -> None:
    path = tmp_path / "it.png"
    path.write_bytes(with_prompt(textured(3)))
    text = drop(page, "a picture", path.read_bytes())
    (expected,) = predict.predict([path], model)
    assert text.splitlines()[:2] == ["a picture", expected.verdict]
    expect(page.locator("#result figure img")).to_be_visible()
    assert f"probability of ai: {expected.probability_ai:.3f}" in text
    rows = dict(re.findall(r"^(balanced|low_fpr|best_f1)\t(ai|human)\t", text, re.MULTILINE))
    assert rows == {
        point: model.decision_rule.decide(expected.probability_ai or 0, point)
        for point in demo.POINTS
    }
    assert set(rows.values()) == {"ai", "human"}
    assert "Stable Diffusion" in text
    assert "<b id='planted'>" in text
    assert page.locator("#planted").count() == 0
    drawing = page.locator("#drawing img")
    expect(drawing).to_be_visible()
    _, encoded = (drawing.get_attribute("src") or "").split("base64,")
    png = base64.b64decode(encoded)
    colours = np.asarray(Image.open(io.BytesIO(png)).convert("RGB"), np.int16)
    warm = np.nonzero(colours[..., 0] - colours[..., 2] > 80)
    assert warm[1].mean() > 0.7 * colours.shape[1]


def test_evidence_is_shown_where_a_file_cannot_be_classified(model: TrainedModel) -> None:
    texts = PngInfo()
    texts.add_text("Software", "<b>NovelAI")
    html, drawing = demo.classify(file(picture(0, 20, 20), pnginfo=texts), model)
    assert drawing is None
    assert "This file can't be classified: too small" in html
    assert "<li>PNG text &#x27;Software&#x27; &#x27;&lt;b&gt;NovelAI&#x27;</li>" in html


def test_the_verdict_and_its_reason_are_those_of_predict(tmp_path: Path) -> None:
    unstable, data = cell_model(tmp_path, 3), file(textured(3))
    turn_a_delivery(unstable, data)
    html, _ = demo.classify(data, unstable)
    prediction = predict.predict_bytes(data, unstable)
    assert prediction.verdict == "unsure"
    assert f">unsure</b></h2><p>probability of ai: <b>{prediction.probability_ai:.3f}</b>" in html
    assert f"<p>{prediction.reason}</p>" in html


def test_an_error_is_shown_and_the_page_still_works(page: Page) -> None:
    for name, data, reason in (
        ("it.png", file(picture(0))[:200], "corrupt"),
        ("nothing.jpg", b"", "empty"),
        ("page.html", b"<script>document.title = 'planted'</script>", "not a picture"),
        ("icon.png", file(picture(0, 20, 20)), "too small"),
        ("huge.png", file(Image.new("1", (10_000, 10_000))), "too large: 10000x10000, at most"),
    ):
        caption, line, *evidence = filter(None, drop(page, name, data).splitlines())
        assert caption == name
        assert line.startswith(f"This file can't be classified: {reason}")
        assert evidence[-1] == "nothing about its origin"
        expect(page.locator("#drawing img")).to_have_count(0)
    assert page.title() == "realart"
    assert "probability of ai" in drop(page, "after.jpg", file(picture(1), "JPEG"))
    expect(page.locator("#drawing img")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_verdicts_can_be_read_on_either_ground(
    page: Page, scheme: Literal["light", "dark"]
) -> None:
    """Contrast by WCAG 2.2, 1.4.3."""
    page.emulate_media(color_scheme=scheme)
    page.reload()
    drop(page, "a picture", file(textured(3)))
    for decision in ("ai", "human"):
        colours = page.locator(f"#result td .{decision}").first.evaluate(
            "b => [getComputedStyle(b).color, getComputedStyle(document.body).backgroundColor]"
        )
        text, ground = (luminance(colour) for colour in colours)
        assert (ground < 0.5) == (scheme == "dark")
        assert (max(text, ground) + 0.05) / (min(text, ground) + 0.05) >= 4.5


def luminance(colour: str) -> float:
    """Return the relative luminance (WCAG 2.2) of a colour such as `rgb(0, 10, 20)`."""
    values = [int(value) / 255 for value in re.findall(r"\d+", colour)[:3]]
    linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in values]
    return float(np.dot([0.2126, 0.7152, 0.0722], linear))


def test_fifty_megapixels_are_classified(page: Page) -> None:
    large = Image.fromarray(picture(2)).resize((8000, 6250))
    assert "probability of ai" in drop(page, "large.jpg", file(large, "JPEG", quality=60))
    expect(page.locator("#drawing img")).to_be_visible()


def test_other_machines_cannot_connect(address: str) -> None:
    """127.0.0.2 is this machine, too: servers that listen on all addresses accept it."""
    port = int(address.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), SECONDS):
        pass
    with pytest.raises(OSError, match=r"refused|unreachable|timed out"):
        socket.create_connection(("127.0.0.2", port), 5)


def test_a_port_in_use_is_named(model: TrainedModel, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        result = subprocess.run(
            [*COMMAND, "--port", port, "--model", str(model.folder)],
            env=environment(tmp_path),
            capture_output=True,
            text=True,
            timeout=SECONDS,
        )
    assert (result.returncode, result.stdout) == (2, "")
    assert (
        f"realart: port {port} of 127.0.0.1 can't be opened: give another --port" in result.stderr
    )


def test_without_gradio_the_error_names_the_command(model: TrainedModel, tmp_path: Path) -> None:
    code = "import sys; sys.modules['gradio'] = None\nfrom realart.cli import main; main()"
    result = subprocess.run(
        [sys.executable, "-c", code, "demo", "--model", str(model.folder)],
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    assert result.returncode == 2
    _, line = result.stderr.splitlines()  # the first names what is started
    assert "make install" in line


def test_texts_of_a_file_are_escaped(model: TrainedModel) -> None:
    html, drawing = demo.classify(with_prompt(textured(3)), model)
    assert drawing
    assert "<b id=" not in html
    assert "<b id='planted'>" in unescape(html)
