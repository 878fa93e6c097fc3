"""The demo: a web page on this machine that classifies and explains one picture at a time."""

import base64
import io
import os
import signal
import sys
from collections.abc import Sequence
from html import escape
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from PIL import Image

from realart.core.errors import RealartError
from realart.data import decoding
from realart.data.decoding import BYTES_A_PIXEL, UnusableFileError
from realart.metrics.plots import AI, HUMAN
from realart.metrics.thresholds import DecisionRule
from realart.models.trained_model import TrainedModel
from realart.params import POINTS, Point
from realart.serving import explain, provenance
from realart.serving.examples import Example
from realart.serving.upload_folder import upload_folder

PURPOSES: dict[Point, str] = {
    "balanced": "both classes' errors weigh the same",
    "best_f1": "the highest F1 of ai",
}
"""What operating points that promise nothing are chosen for."""
STYLE = f"""
#result .ai {{ color: {AI} }}
#result .human {{ color: {HUMAN} }}
.dark #result .ai {{ color: #fb923c }}
.dark #result .human {{ color: #60a5fa }}
#result figure {{ display: flex; align-items: center; gap: 1em; overflow-wrap: anywhere }}
"""
"""Colours have a contrast of at least 4.5 with their ground (WCAG 2.2, 1.4.3)."""
THUMBNAIL = 96
"""Pixels of the longer side."""
NO_TELEMETRY = {"GRADIO_ANALYTICS_ENABLED": "False", "HF_HUB_DISABLE_TELEMETRY": "1"}
"""Environment variables that turn off Gradio's telemetry; Gradio reads them on import."""


def serve(host: str, port: int, model: TrainedModel, examples: Sequence[Example]) -> None:
    """Serve the page until interrupted or terminated, and print its address.

    An uploaded picture is removed as soon as it is read, and no drawing is written to a file.

    Parameters
    ----------
    host, port
        To listen on; the host is an address of this machine.
    model
        As loaded from models/final.
    examples
        Pictures to be tried.

    Raises
    ------
    RealartError
        Gradio is not installed, or the port is taken.
    """
    if not find_spec("gradio"):
        raise RealartError("the demo needs Gradio, which is not installed: run `make install`")
    with upload_folder() as folder:
        os.environ.update(NO_TELEMETRY, GRADIO_TEMP_DIR=str(folder))
        page = _page(model, examples)
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


def classify(data: bytes, model: TrainedModel, name: str = "") -> tuple[str, Image.Image | None]:
    """Classify and explain a picture file.

    Parameters
    ----------
    data
        The bytes of the file.
    model
        As loaded from models/final.
    name
        Of the file.

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
        return f"<article>{_caption(name)}{html}</article>", None
    rule = model.decision_rule
    rows = "".join(_row(rule, explanation.probability_ai, point) for point in POINTS)
    band = f" ({rule.bounds()})" if rule.bounds() else ""
    reason = f"<p>{explanation.reason}</p>" if explanation.reason else ""
    html = (
        f"<h2>{_coloured(explanation.verdict)}</h2>"
        f"<p>probability of ai: <b>{explanation.probability_ai:.3f}</b>{band}</p>"
        f"{reason}<p>For verdicts: {rule.promise()}.</p>"
        f"<p>Decision at each operating point:</p><table>{rows}</table>"
        f"{evidence}"
    )
    caption = _caption(name, explanation.image)
    return f"<article>{caption}{html}</article>", explain.draw(explanation)


def _caption(name: str, image: Image.Image | None = None) -> str:
    """Return the name of a file, if it has one, and a thumbnail of its picture, as HTML."""
    if not name:
        return ""
    thumbnail = _embedded(_thumbnail(image), "") if image else ""
    return f"<figure>{thumbnail}<figcaption>{escape(name)}</figcaption></figure>"


def _thumbnail(image: Image.Image) -> Image.Image:
    small = image.copy()
    small.thumbnail((THUMBNAIL, THUMBNAIL))
    return small


def _embedded(image: Image.Image, description: str) -> str:
    """Return a picture as HTML that needs no file."""
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    data = base64.b64encode(buffer.getvalue()).decode("ascii")
    return f'<img alt="{description}" src="data:image/png;base64,{data}">'


def _row(rule: DecisionRule, probability: float, point: Point) -> str:
    """Return an operating point's decision, threshold and promise or purpose as HTML."""
    threshold = f"{bounds}: " if (bounds := rule.bounds(point)) else ""
    return (
        f"<tr><td><code>{point}</code></td><td>{_coloured(rule.decide(probability, point))}</td>"
        f"<td>{threshold}{rule.promise(point) or PURPOSES[point]}</td></tr>"
    )


def _evidence(data: bytes) -> str:
    sentences = provenance.evidence_within_limits(data) or ["nothing about its origin"]
    items = "".join(f"<li>{escape(sentence)}</li>" for sentence in sentences)
    return f"<p>What the file itself states, which the decision does not use:</p><ul>{items}</ul>"


def _coloured(decision: str) -> str:
    return f'<b class="{decision}">{decision}</b>'


def _result(data: bytes, model: TrainedModel, name: str) -> tuple[str, str]:
    """Return what the page shows of a picture file: the result and the drawing, both as HTML."""
    html, drawing = classify(data, model, name)
    return html, _embedded(drawing, "The picture and what moved the score") if drawing else ""


def _page(model: TrainedModel, examples: Sequence[Example]) -> Any:
    import gradio

    title = ["# realart", "Was this picture made by people or by a generator?"]
    origin = f"The model is `{model.origin}`. " if model.origin else ""
    title.append(
        f"{origin}**A verdict is no proof:** do not accuse anybody on the strength of one."
    )
    if model.caution:
        title.append(f"**{model.caution[0].upper()}{model.caution[1:]}.**")
    thumbnails = [
        (_thumbnail(decoding.decode(example.data, sys.maxsize)[0]), example.label)
        for example in examples
    ]

    def classify_upload(path: str) -> tuple[None, str, str]:
        data = Path(path).read_bytes()
        Path(path).unlink()
        return None, *_result(data, model, Path(path).name)

    def classify_example(event: gradio.SelectData) -> tuple[str, str]:
        example = examples[event.index]
        return _result(example.data, model, f"{example.name}, labelled {example.label}")

    with gradio.Blocks(title="realart", analytics_enabled=False) as page:
        gradio.Markdown("\n\n".join(title))
        with gradio.Row():
            with gradio.Column(scale=2):
                upload = gradio.File(label="Picture", type="filepath", height=240)
                if examples:
                    gradio.Markdown("Or try a picture of the test part, shown with its label:")
                gallery = gradio.Gallery(
                    thumbnails,
                    show_label=False,
                    columns=max(len(examples), 1),
                    height=150,
                    allow_preview=False,
                    buttons=[],
                    visible=bool(examples),
                    elem_id="examples",
                )
            with gradio.Column(scale=3):
                result = gradio.HTML(elem_id="result")
        drawing = gradio.HTML(elem_id="drawing")
        # The upload area is emptied, so that the next picture can be dropped there at once.
        upload.upload(classify_upload, upload, [upload, result, drawing])
        gallery.select(classify_example, None, [result, drawing])
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
        css=STYLE,
        ssr_mode=False,
        max_file_size=BYTES_A_PIXEL * model.input.clean.max_pixels,
        # Gradio's own font comes without its bold.
        theme=gradio.themes.Default(font=["system-ui", "sans-serif"], font_mono=["monospace"]),
    )
