"""The run as one page: what was asked, of which pictures, what came out, and what to doubt."""

import base64
import io
import json
from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined
from PIL import Image

from realart.core import paths, tables
from realart.data import pictures, raw
from realart.evaluation import model_card, robustness
from realart.features import ela
from realart.metrics import classification, goals, subgroups, thresholds
from realart.params import Ela, Params

HARDEST = 12
THUMBNAIL = 240
"""Pixels of a side."""


def page(params: Params, project: Path = Path()) -> str:
    """Return the report of what stages have written in the folder `project`, as HTML.

    Pictures are embedded in it; it loads nothing from elsewhere and has no script.
    """
    report = json.loads((project / paths.FIGURES).read_text("utf-8"))
    kept = tables.read(project / paths.PICTURES, tables.PICTURES)
    scores = tables.read(project / paths.SCORES, tables.JUDGED)
    changed = tables.read(project / paths.ROBUSTNESS_TABLE, robustness.COLUMNS)
    environment = Environment(
        loader=PackageLoader("realart.evaluation", "."), autoescape=True, undefined=StrictUndefined
    )
    environment.globals["figure"] = thresholds.figure
    environment.globals["embed"] = lambda name: _embedded(project / paths.METRICS / name)
    return environment.get_template("report.html").render(
        params=params,
        names=[Path(one.path).name for one in params.sets.values() if one.path],
        sources=raw.records(project / paths.RAW),
        report=report,
        figure_names=model_card.FIGURE_NAMES,
        on_sets=model_card.on_sets(report),
        kinds=model_card.kinds(report),
        explained=model_card.EXPLAINED,
        missed=goals.misses(report, params.goals),
        warnings=thresholds.one_sided(report),
        kept=kept["label"].value_counts().to_dict(),
        rejected=tables.read(project / paths.REJECTED, tables.REJECTED),
        findings=_items(project / paths.FINDINGS),
        robustness=changed[changed["point"] == "balanced"],
        subgroups=tables.read(project / paths.SUBGROUPS, subgroups.COLUMNS),
        mistakes=_mistakes(scores, kept.set_index("id"), project / paths.DATA, params.ela),
    )


def _items(file: Path) -> list[str]:
    return [line.removeprefix("- ") for line in file.read_text("utf-8").splitlines() if line]


def _mistakes(
    scores: pd.DataFrame, kept: pd.DataFrame, data: Path, how: Ela
) -> list[dict[str, Any]]:
    """Describe the pictures whose score is the furthest from their label, and wrong."""
    scores = scores[scores["part"] != "unseen"]
    distance = (scores["score"] - tables.is_ai(scores["label"])).abs()
    wrong = (scores["score"] >= classification.THRESHOLD) != (scores["label"] == "ai")
    worst = scores.assign(distance=distance)[wrong].sort_values(
        ["distance", "row"], ascending=[False, True]
    )
    described = []
    for one in worst.head(HARDEST).itertuples():
        published = kept.loc[str(one.row)]
        image = pictures.read((data / published["file"]).read_bytes())
        described.append(
            {
                "picture": _thumbnail(image),
                "ela": _thumbnail(ela.stored_map(image, how)),
                "label": one.label,
                "score": one.score,
                "part": one.part,
                "path": published["path"],
                "set": published["set"],
            }
        )
    return described


def _thumbnail(image: Image.Image) -> str:
    small = image.copy()
    small.thumbnail((THUMBNAIL, THUMBNAIL), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    small.save(buffer, "JPEG", quality=80)
    return _address(buffer.getvalue(), "jpeg")


def _embedded(file: Path) -> str:
    return _address(file.read_bytes(), file.suffix[1:].replace("jpg", "jpeg"))


def _address(content: bytes, kind: str) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"
