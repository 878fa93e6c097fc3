"""Render an audit of published sets as one HTML page, which loads nothing and has no script."""

from collections.abc import Sequence
from typing import Any

from realart.data import archive, decoding
from realart.data.contact_sheets import evenly_spaced
from realart.evaluation import pages, published_findings, shortcuts
from realart.evaluation.published_audit import (
    CLEAN,
    FOLDS,
    LEAST,
    PublishedAudit,
    PublishedFile,
    TwinPair,
)  # fmt: skip
from realart.evaluation.published_findings import JUDGED, SCOPES
from realart.metrics import text
from realart.params import CLASSES

PAIRS = 6
"""Pairs of each kind that are drawn."""
SAMPLE = 8
"""Pictures of each class that are drawn."""
LISTED = 20
"""Broken files that are listed."""

SCOPE_TITLES = {
    shortcuts.PUBLISHED: "file as published",
    shortcuts.STORED: "file, all saved alike",
    shortcuts.COLOUR: "colour, all saved alike",
    shortcuts.TEXTURE: "texture, all saved alike",
}


def page(audit: PublishedAudit) -> str:
    """Render the page of an audit, with thumbnails of its pictures, as HTML."""
    kinds = {kind: _distinct(of) for kind, of in published_findings.pairs_by_kind(audit).items()}
    baselines = audit.baselines
    return pages.render(
        "audit.html",
        audit=audit,
        counts=audit.kept["label"].value_counts().reindex(list(CLASSES), fill_value=0).to_dict(),
        parts=[part for part in audit.kept["published_part"].unique() if part],
        best={name: published_findings.best(audit, scopes) for name, scopes in SCOPES.items()},
        judged=JUDGED,
        sentences=published_findings.sentences(audit),
        format_figure=text.format_figure,
        baselines=baselines.drop_duplicates(["scope", "name"]) if len(baselines) else baselines,
        scope_titles=SCOPE_TITLES,
        pairs={
            kind: [_draw_pair(audit, pair) for pair in of[:PAIRS]] for kind, of in kinds.items()
        },
        totals={kind: len(of) for kind, of in kinds.items()},
        sample={label: _sample(audit, label) for label in CLASSES},
        broken=audit.broken.head(LISTED),
        clean=CLEAN,
        folds=FOLDS,
        least=LEAST,
        saved_alike=published_findings.SAVED_ALIKE,
    )


def _distinct(pairs: Sequence[TwinPair]) -> list[TwinPair]:
    """Return pairs without those of the same two pictures: each contradicts the other."""
    return list({frozenset(pair): pair for pair in reversed(pairs)}.values())[::-1]


def _draw_pair(audit: PublishedAudit, pair: TwinPair) -> list[dict[str, Any]]:
    return [_draw(audit, file) for file in pair]


def _draw(audit: PublishedAudit, file: PublishedFile) -> dict[str, Any]:
    data = archive.read(audit.archives[file.set], file.path, file.bytes, file.id)
    picture = pages.embed_thumbnail(decoding.read(data))
    return {"picture": picture, **file._asdict()}


def _sample(audit: PublishedAudit, label: str) -> Sequence[dict[str, Any]]:
    """Draw some pictures of a class, evenly spaced over its paths."""
    columns = ["set", "path", "bytes", "label", "published_part", "id"]
    rows = audit.kept.loc[audit.kept["label"] == label, columns].to_numpy().tolist()
    return [_draw(audit, PublishedFile(*row)) for row in evenly_spaced(rows, SAMPLE)]
