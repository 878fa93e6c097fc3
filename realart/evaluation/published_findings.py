"""What an audit of published sets found: in words, as figures, and as reasons to fail a check."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from realart.evaluation import predictability, remedies, shortcuts
from realart.evaluation.published_audit import CLEAN, LEAST, PublishedAudit, TwinPair
from realart.metrics import text
from realart.params import CLASSES

SCOPES = {
    "as published": (shortcuts.PUBLISHED,),
    "saved alike": shortcuts.AVAILABLE,
    "texture": (shortcuts.TEXTURE,),
}
"""Scopes of baselines that are judged together."""
JUDGED = (shortcuts.PUBLISHED, *shortcuts.AVAILABLE)
"""Scopes of shortcuts; texture may be the art's own."""
SAVED_ALIKE = f"at most {CLEAN.long_side} pixels, JPEG {CLEAN.quality}"
PROBLEMS = ("duplicates", "contradictions", "leaks", "broken", "one-sided")
"""What a check may allow none of; `leaks` are duplicates across published parts."""
NAMED = 8
"""One-sided properties that are named in words."""


def best(audit: PublishedAudit, scopes: Sequence[str]) -> pd.Series | None:
    """Return the row of the best baseline of some scopes, None if there are too few pictures."""
    return shortcuts.best_row(audit.baselines, scopes) if len(audit.baselines) else None


def problems(audit: PublishedAudit) -> dict[str, int]:
    """Return the number of each of `PROBLEMS`, by name."""
    counts = (
        len(audit.duplicates),
        len(audit.contradictions),
        len(audit.leaks),
        len(audit.broken),
        len(audit.one_sided),
    )
    return dict(zip(PROBLEMS, counts, strict=True))


def sentences(audit: PublishedAudit) -> list[str]:
    """Describe the result, a sentence each, the most harmful first, and what to do about it."""
    return [
        *_about_labels(audit),
        *(f"One-sided: {found}." for found in audit.one_sided[:NAMED]),
        *_about_copies(audit),
        *_about_files(audit),
        *(remedies.remedies(audit.baselines) if len(audit.baselines) else []),
    ]


def failures(audit: PublishedAudit, above: float | None, kinds: Iterable[str]) -> list[str]:
    """Return why a check fails, a clause each.

    Parameters
    ----------
    above
        The AUC that the best shortcut baseline may reach: more fails if the lower
        bound of its interval is above. None for no limit.
    kinds
        Those of `PROBLEMS` of which there may be none.
    """
    reasons = []
    row = best(audit, JUDGED)
    if above is not None and row is not None and row["auc_low"] > above:
        reasons.append(
            f"{row['name']} ({row['scope']}) predicts the label with AUC {row['auc']:.3f}, at "
            f"least {row['auc_low']:.3f}, above {above:g}"
        )
    counts = problems(audit)
    return reasons + [f"{counts[kind]} {kind}" for kind in kinds if counts[kind]]


def doubt(audit: PublishedAudit, above: float) -> str:
    """Return why pictures are too few to judge the AUC by a limit; empty if they are not."""
    row = best(audit, JUDGED)
    if row is None:
        return (
            f"fewer than {LEAST} unrelated pictures of a class: too few to tell whether the label "
            f"can be predicted with an AUC above {above:g}"
        )
    if row["auc_low"] <= above < row["auc_high"]:
        return (
            f"too few pictures to tell whether AUC {text.estimate('auc', row)} of {row['name']} "
            f"({row['scope']}) is above {above:g}"
        )
    return ""


def figures(audit: PublishedAudit) -> dict[str, Any]:
    """Return all figures and lists of files, for JSON."""
    labels = audit.kept["label"]
    columns = ["scope", "name", "classifier", "auc", "auc_low", "auc_high"]
    return {
        "sets": list(audit.archives),
        "labelled": audit.labelled,
        "audited": audit.drawn,
        "pictures": {label: int((labels == label).sum()) for label in CLASSES},
        "parts": {
            str(part): int(count)
            for part, count in audit.kept["published_part"].value_counts().items()
            if part
        },
        "baselines": audit.baselines.reindex(columns=columns).to_dict("records"),
        "one_sided": [vars(found) for found in audit.one_sided],
        **{
            name: [{"a": pair.a._asdict(), "b": pair.b._asdict()} for pair in pairs]
            for name, pairs in pairs_by_kind(audit).items()
        },
        "broken": audit.broken[["set", "path", "reason", "detail"]].to_dict("records"),
        "unlabelled": int((audit.rejected["reason"] == "unlabelled").sum()),
        "problems": problems(audit),
        "findings": sentences(audit),
    }


def pairs_by_kind(audit: PublishedAudit) -> Mapping[str, Sequence[TwinPair]]:
    """Return pairs of duplicates by kind, the most harmful first."""
    return {
        "contradictions": audit.contradictions,
        "leaks": audit.leaks,
        "duplicates": audit.duplicates,
    }


def _about_labels(audit: PublishedAudit) -> list[str]:
    if not len(audit.baselines):
        return [
            f"There are fewer than {LEAST} unrelated pictures of a class, too few to tell whether "
            "the label can be predicted from shortcuts."
        ]
    rows = {name: shortcuts.best_row(audit.baselines, scopes) for name, scopes in SCOPES.items()}
    texture = text.estimate("auc", rows["texture"])
    return [
        f"Files as published: {predictability.describe_baseline(rows['as published'])}.",
        f"All saved alike ({SAVED_ALIKE}): "
        f"{predictability.describe_baseline(rows['saved alike'])}.",
        f"From texture, {predictability.describe(texture)}, AUC {texture}: {shortcuts.TRACES}.",
    ]


def _about_copies(audit: PublishedAudit) -> list[str]:
    counts = problems(audit)
    parts = sorted({*audit.kept["published_part"]} - {""})
    related = audit.related[audit.related["correlation"] < CLEAN.duplicate]
    across = (
        (related["part_a"] != related["part_b"]) & (related["part_a"] != "")
        & (related["part_b"] != "")
    )  # fmt: skip
    split = (
        f"{_count(counts['leaks'], 'picture')} of one part duplicated in another, and "
        f"{_count(int(across.sum()), 'pair')} of related pictures across them"
        if len(parts) > 1
        else "no folder names a training and a test part"
    )
    return [
        f"Contradictory labels: {_count(counts['contradictions'], 'picture')} also published under "
        "the other label.",
        f"Published parts ({', '.join(parts) or 'none'}): {split}.",
        f"Duplicates: {_count(counts['duplicates'], 'picture')} more than once under one label; "
        f"{_count(len(related), 'pair')} of related pictures, such as crops or frames of a scene.",
    ]


def _about_files(audit: PublishedAudit) -> list[str]:
    reasons = ", ".join(
        f"{count} {reason}" for reason, count in audit.broken["reason"].value_counts().items()
    )
    broken = f"Unusable files: {reasons or 'none'}."
    if audit.drawn == audit.labelled:
        return [broken]
    share = (audit.drawn / audit.labelled) ** 2
    return [
        broken,
        f"Only {audit.drawn} of {audit.labelled} labelled files were audited (--pictures), evenly "
        f"by class: of pairs of duplicates about {share:.0%} have both pictures among these.",
    ]


def _count(number: int, noun: str) -> str:
    return f"{number or 'no'} {noun}{'' if number == 1 else 's'}"
