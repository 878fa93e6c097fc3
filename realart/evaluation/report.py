"""Render the report of a run: one HTML page of its data, metrics, plots and mistakes."""

import json
from pathlib import Path
from typing import Any

import pandas as pd

from realart.core import paths, tables
from realart.data import decoding, raw
from realart.evaluation import made_by, model_card, pages, reencoding, robustness, verdict
from realart.features import ela
from realart.metrics import (
    classification,
    goals,
    label_issues,
    matching,
    promises_by_source,
    subgroups,
    text,
    thresholds,
)
from realart.metrics.proofs import Proofs
from realart.params import Ela, Params

HARDEST = 12
"""Mistakes that are shown."""


def page(params: Params, project: Path = Path()) -> str:
    """Render the report of a run as HTML.

    Pictures are embedded; the page loads nothing and has no script.

    Parameters
    ----------
    project
        The folder whose metrics/, data/ and models/ the stages have written.
    """
    report = json.loads((project / paths.EVALUATION).read_text("utf-8"))
    kept = tables.read(project / paths.PICTURES, tables.PICTURES)
    scores = tables.read(project / paths.SCORES, tables.PREDICTIONS)
    changed = tables.read(project / paths.ROBUSTNESS_TABLE, robustness.COLUMNS)
    return pages.render(
        "report.html",
        format_figure=text.format_figure,
        embed=lambda name: pages.embed_file(project / paths.METRICS / name),
        params=params,
        names=[Path(data.path).name for data in params.sets.values() if data.path],
        sources=raw.records(project / paths.RAW),
        report=report,
        verdict=verdict.sentences(report),
        intervals=text.INTERVALS,
        metric_names=model_card.METRIC_NAMES,
        set_rows=model_card.set_rows(report),
        set_evaluations=model_card.set_evaluations(report),
        by_set_note=model_card.BY_SET_NOTE,
        unmet=goals.unmet(report, params.goals),
        warnings=text.one_class_warnings(report),
        kept=kept["label"].value_counts().to_dict(),
        rejected=tables.read(project / paths.REJECTED, tables.REJECTED),
        findings=_items(project / paths.FINDINGS),
        below_balanced=thresholds.why_below_balanced(report["verdicts"]),
        reencoded=reencoding.describe(report["intervention"], params.evaluate.reencode),
        matched=matching.describe(report),
        unsure_band=thresholds.unsure_band(report["verdicts"]["sure"]),
        reencoded_at_most=reencoding.PICTURES,
        robustness=changed[changed["point"] == robustness.POINT],
        worst_changes=[robustness.describe(row) for row in robustness.worst(changed).itertuples()],
        none_worse=robustness.NONE_WORSE,
        promises=Proofs.model_validate(report["promises"]),
        worst_sources=promises_by_source.worst(
            tables.read(project / paths.PROMISES, promises_by_source.COLUMNS)
        ),
        sources_are_unseen=params.split.method in ("sources", "sets"),
        unreliable_issues=label_issues.unreliable(report["oof"]),
        issues=tables.read(project / paths.LABEL_ISSUES, label_issues.COLUMNS),
        subgroups=tables.read(project / paths.SUBGROUPS, subgroups.COLUMNS),
        made_by=made_by.describe(params, project),
        mistakes=_mistakes(scores, kept.set_index("id"), project / paths.DATA, params.ela),
    )


def _items(file: Path) -> list[str]:
    return [line.removeprefix("- ") for line in file.read_text("utf-8").splitlines() if line]


def _mistakes(
    scores: pd.DataFrame, kept: pd.DataFrame, data: Path, params: Ela
) -> list[dict[str, Any]]:
    """Describe the wrongly classified pictures whose score is furthest from their label."""
    scores = scores[scores["part"] != "unseen"]
    distance = (scores["score"] - tables.is_ai(scores["label"])).abs()
    wrong = (scores["score"] >= classification.THRESHOLD) != (scores["label"] == "ai")
    worst = scores.assign(distance=distance)[wrong].sort_values(
        ["distance", "row"], ascending=[False, True]
    )
    described = []
    for row in worst.head(HARDEST).itertuples():
        published = kept.loc[str(row.row)]
        image = decoding.read((data / published["file"]).read_bytes())
        described.append(
            {
                "picture": pages.embed_thumbnail(image),
                "ela": pages.embed_thumbnail(ela.stored_map(image, params)),
                "label": row.label,
                "score": row.score,
                "part": row.part,
                "path": published["path"],
                "set": published["set"],
            }
        )
    return described
