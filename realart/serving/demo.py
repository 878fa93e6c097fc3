"""A page for this machine only, where a picture is dropped and judged."""

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
from realart.models.trained_model import TrainedModel
from realart.params import Point
from realart.serving import explain, provenance

POINTS: dict[Point, str] = {
    "balanced": "mistakes of both kinds weigh the same",
    "low_fpr": "at most 1 % of human art is accused",
    "best_f1": "the highest F1 of ai",
}
"""Operating points, and what they are for."""
COLOURS = {"ai": AI, "human": HUMAN}
QUIET = {"GRADIO_ANALYTICS_ENABLED": "False", "HF_HUB_DISABLE_TELEMETRY": "1"}
"""What keeps Gradio from telling others that it runs; it reads them when it is imported."""


def serve(host: str, port: int, model: TrainedModel) -> None:
    """Serve the page at an address of this machine until interrupted or terminated; print it.

    What is dropped is kept in a folder that goes when the server does.

    Raises
    ------
    RealartError
        Gradio is not installed, or the port is taken.
    """
    if not find_spec("gradio"):
        raise RealartError("the demo needs Gradio, which is not installed: run `make install`")
    with TemporaryDirectory() as folder:
        os.environ.update(QUIET, GRADIO_TEMP_DIR=folder)
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


def answer(data: bytes, model: TrainedModel) -> tuple[str, Image.Image | None]:
    """Return what is said of a dropped file, as HTML, and what is drawn of it."""
    evidence = _evidence(data)
    try:
        said = explain.explain(data, model)
    except (UnusableFileError, RealartError) as error:
        html = f"<p>There is no verdict on this file: {escape(str(error))}</p>{evidence}"
        return f"<article>{html}</article>", None
    verdicts = {point: model.verdicts.decide(said.probability, point) for point in POINTS}
    rows = "".join(
        f"<tr><td><code>{point}</code></td><td>{_coloured(verdict)}</td>"
        f"<td>from {model.verdicts.points[point]:.3f} on ai: {POINTS[point]}</td></tr>"
        for point, verdict in verdicts.items()
    )
    html = (
        f"<h2>{_coloured(said.verdict)}</h2>"
        f"<p>probability of ai: <b>{said.probability:.3f}</b></p>"
        f"<p>Verdicts at the operating points:</p><table>{rows}</table>"
        f"{evidence}"
    )
    return f"<article>{html}</article>", explain.draw(said)


def _evidence(data: bytes) -> str:
    found = provenance.evidence(data) or ["nothing of how it was made"]
    items = "".join(f"<li>{escape(sentence)}</li>" for sentence in found)
    return f"<p>What the file says of itself, which no verdict is made from:</p><ul>{items}</ul>"


def _coloured(verdict: str) -> str:
    return f'<b style="color: {COLOURS.get(verdict, "inherit")}">{verdict}</b>'


def _page(model: TrainedModel) -> Any:
    import gradio

    with gradio.Blocks(title="realart", analytics_enabled=False) as page:
        gradio.Markdown("# realart\nWas this picture made by people or by a generator?")
        with gradio.Row():
            with gradio.Column(scale=2):
                dropped = gradio.File(label="Picture", type="binary", height=240)
            with gradio.Column(scale=3):
                said = gradio.HTML(elem_id="said")
        drawn = gradio.Image(show_label=False, format="png", buttons=["download"], elem_id="drawn")
        # What was judged leaves the place, so that the next picture can be dropped there at once.
        dropped.upload(lambda data: (None, *answer(data, model)), dropped, [dropped, said, drawn])
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
