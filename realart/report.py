"""The run as one page: what was asked, of which pictures, what came out, and what to doubt."""

import base64
import io
import json
from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined
from PIL import Image

from realart import (
    card,
    ela,
    evaluation,
    goals,
    pictures,
    raw,
    robustness,
    subgroups,
    tables,
    verdicts,
)
from realart.params import Ela, Params

HARDEST = 12
THUMBNAIL = 240
"""Pixels of a side."""


def page(knobs: Params, data: Path, metrics: Path) -> str:
    """Return the report of what lies in the folders `data` and `metrics`: HTML that needs no more.

    Nothing in it is loaded from elsewhere, and nothing in it is a script.
    """
    report = json.loads((metrics / "metrics.json").read_text("utf-8"))
    kept = tables.read(data / "clean/pictures.csv", tables.PICTURES)
    scores = tables.read(metrics / "scores.csv", tables.JUDGED)
    environment = Environment(
        loader=PackageLoader("realart", "."), autoescape=True, undefined=StrictUndefined
    )
    environment.globals["figure"] = verdicts.figure
    environment.globals["embed"] = lambda name: _embedded(metrics / name)
    return environment.get_template("report.html").render(
        knobs=knobs,
        names=[Path(one.path).name for one in knobs.sets.values() if one.path],
        sources=raw.records(data / "raw"),
        report=report,
        told=card.TOLD,
        on_sets=card.on_sets(report),
        kinds=card.kinds(report),
        explained=card.EXPLAINED,
        missed=goals.misses(report, knobs.goals),
        warnings=verdicts.one_sided(report),
        kept=kept["label"].value_counts().to_dict(),
        rejected=tables.read(data / "clean/rejected.csv", tables.REJECTED),
        findings=_items(metrics / "audit/findings.md"),
        robustness=_by_change(tables.read(metrics / "robustness/table.csv", robustness.COLUMNS)),
        subgroups=tables.read(metrics / "tables/subgroups.csv", subgroups.COLUMNS),
        mistakes=_mistakes(scores, kept.set_index("id"), data, knobs.ela),
    )


def _by_change(table: pd.DataFrame) -> pd.DataFrame:
    return table[table["point"] == "balanced"]


def _items(file: Path) -> list[str]:
    return [line.removeprefix("- ") for line in file.read_text("utf-8").splitlines() if line]


def _mistakes(
    scores: pd.DataFrame, kept: pd.DataFrame, data: Path, how: Ela
) -> list[dict[str, Any]]:
    """Describe the pictures whose score is the furthest from their label, and wrong."""
    scores = scores[scores["part"] != "unseen"]
    distance = (scores["score"] - tables.is_ai(scores["label"])).abs()
    wrong = (scores["score"] >= evaluation.THRESHOLD) != (scores["label"] == "ai")
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
