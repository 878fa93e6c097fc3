"""The demo: a web page on this machine that classifies and explains one picture at a time."""

import os
import signal
from html import escape
from importlib.util import find_spec
from tempfile import TemporaryDirectory
from typing import Any

from PIL import Image

from realart.core.errors import RealartError
from realart.data.decoding import BYTES_A_PIXEL, UnusableFileError
from realart.metrics.plots import AI, HUMAN
from realart.metrics.thresholds import DecisionRule
from realart.models.trained_model import TrainedModel
from realart.params import POINTS, Point
from realart.serving import explain, provenance

PURPOSES: dict[Point, str] = {
    "balanced": "both classes' errors weigh the same",
    "best_f1": "the highest F1 of ai",
}
"""What operating points that promise nothing are chosen for."""
COLOURS = {"ai": AI, "human": HUMAN}
NO_TELEMETRY = {"GRADIO_ANALYTICS_ENABLED": "False", "HF_HUB_DISABLE_TELEMETRY": "1"}
"""Environment variables that turn off Gradio's telemetry; Gradio reads them on import."""


def serve(host: str, port: int, model: TrainedModel) -> None:
    """Serve the page until interrupted or terminated, and print its address.

    Uploaded pictures are stored in a temporary folder that is removed when the server ends.

    Parameters
    ----------
    host, port
        To listen on; the host is an address of this machine.
    model
        As loaded from models/final.

    Raises
    ------
    RealartError
        Gradio is not installed, or the port is taken.
    """
    if not find_spec("gradio"):
        raise RealartError("the demo needs Gradio, which is not installed: run `make install`")
    with TemporaryDirectory() as folder:
        os.environ.update(NO_TELEMETRY, GRADIO_TEMP_DIR=folder)
        page = _page(model)
        try:
            _launch(page, host, port, model)
        except OSError as error:
            raise RealartError(
                f"port {port} of {host} can't be opened: give another --port, or a --host of this "
                "machine"
            ) from error
        for ending in (signal.SIGINT, signal.SIGTERM):  # a shell's background ignores the first
            signal.signal(ending, signal.default_int_handler)
        print(f"demo: http://{host}:{port}", flush=True)
        page.block_thread()


def classify(data: bytes, model: TrainedModel) -> tuple[str, Image.Image | None]:
    """Classify and explain an uploaded file.

    Returns
    -------
    html, drawing
        The verdict of `realart predict`, the decision at each operating point and the evidence in
        the file, escaped; and the drawing of the explanation, None if the file can't be classified.
    """
    evidence = _evidence(data)
    try:
        explanation = explain.explain(data, model)
    except (UnusableFileError, RealartError) as error:
        html = f"<p>This file can't be classified: {escape(str(error))}</p>{evidence}"
        return f"<article>{html}</article>", None
    rule = model.decision_rule
    rows = "".join(
        f"<tr><td><code>{point}</code></td>"
        f"<td>{_coloured(rule.decide(explanation.probability, point))}</td>"
        f"<td>{_threshold(rule, point)}{rule.promise(point) or PURPOSES[point]}</td></tr>"
        for point in POINTS
    )
    reason = f"<p>{explanation.reason}</p>" if explanation.reason else ""
    html = (
        f"<h2>{_coloured(explanation.verdict)}</h2>"
        f"<p>probability of ai: <b>{explanation.probability:.3f}</b></p>"
        f"{reason}<p>For verdicts: {rule.promise()}.</p>"
        f"<p>Decision at each operating point:</p><table>{rows}</table>"
        f"{evidence}"
    )
    return f"<article>{html}</article>", explain.draw(explanation)


def _threshold(rule: DecisionRule, point: Point) -> str:
    return f"ai from {rule.points[point]:.3f} on: " if point in rule.points else ""


def _evidence(data: bytes) -> str:
    sentences = provenance.evidence(data) or ["nothing about its origin"]
    items = "".join(f"<li>{escape(sentence)}</li>" for sentence in sentences)
    return f"<p>What the file itself states, which the decision does not use:</p><ul>{items}</ul>"


def _coloured(decision: str) -> str:
    return f'<b style="color: {COLOURS.get(decision, "inherit")}">{decision}</b>'


def _page(model: TrainedModel) -> Any:
    import gradio

    with gradio.Blocks(title="realart", analytics_enabled=False) as page:
        gradio.Markdown("# realart\nWas this picture made by people or by a generator?")
        with gradio.Row():
            with gradio.Column(scale=2):
                upload = gradio.File(label="Picture", type="binary", height=240)
            with gradio.Column(scale=3):
                result = gradio.HTML(elem_id="result")
        drawing = gradio.Image(
            show_label=False, format="png", buttons=["download"], elem_id="drawing"
        )
        # The upload area is emptied, so that the next picture can be dropped there at once.
        outputs = [upload, result, drawing]
        upload.upload(lambda data: (None, *classify(data, model)), upload, outputs)
    return page


def _launch(page: Any, host: str, port: int, model: TrainedModel) -> None:
    import gradio

    page.launch(
        server_name=host,
        server_port=port,
        share=False,
        prevent_thread_lock=True,
        quiet=True,
        footer_links=[],
        ssr_mode=False,
        max_file_size=BYTES_A_PIXEL * model.input.clean.max_pixels,
        # Gradio's own font comes without its bold.
        theme=gradio.themes.Default(font=["system-ui", "sans-serif"], font_mono=["monospace"]),
    )
