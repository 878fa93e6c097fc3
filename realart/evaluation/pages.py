"""HTML pages that hold all that they show: no script, and nothing to load."""

import base64
import io
import re
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape
from PIL import Image

THUMBNAIL = 240
"""Bound on both sides of a thumbnail, in pixels."""


def render(template: str, **context: Any) -> str:
    """Render a template of this package, such as `report.html`, as HTML.

    Parameters
    ----------
    template
        The name of its file; the templates extend `base.html`, which has the style.
    context
        What it shows: any text in it is escaped. The filter `code` shows what is in backticks as
        code.
    """
    environment = Environment(
        loader=PackageLoader("realart.evaluation", "."), autoescape=True, undefined=StrictUndefined
    )
    environment.filters["code"] = _code
    return environment.get_template(template).render(context)


def embed_thumbnail(image: Image.Image) -> str:
    """Return a picture, shrunk to `THUMBNAIL` pixels, as a data URL of a JPEG."""
    small = image.copy()
    small.thumbnail((THUMBNAIL, THUMBNAIL), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    small.save(buffer, "JPEG", quality=80)
    return _data_url(buffer.getvalue(), "jpeg")


def embed_file(path: Path) -> str:
    """Return the PNG or JPEG file at `path` as a data URL."""
    return _data_url(path.read_bytes(), path.suffix[1:].replace("jpg", "jpeg"))


def _code(text: str) -> Markup:
    return Markup(re.sub("`([^`]+)`", r"<code>\1</code>", str(escape(text))))


def _data_url(content: bytes, kind: str) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"
