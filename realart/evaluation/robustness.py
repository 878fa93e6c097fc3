"""Measure robustness: metrics on pictures changed as in practice: re-encoded, resized, framed.

Thresholds stay as they were chosen out of fold.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from realart.core import tables
from realart.data import archive, decoding, raw
from realart.data.archive import ArchiveMember
from realart.data.perturbations import Change
from realart.features import preprocessing
from realart.features.preprocessing import InputSpec, ModelInput
from realart.metrics import classification, intervals
from realart.models.trained_model import TrainedModel

PICTURES = 500
"""Pictures of the test part that are changed at most, those of the lowest ids."""
POINT = "balanced"
"""The operating point whose decisions are summarised and drawn."""
UNCHANGED = "none"
"""Name of the first change, which is none."""
NAMED = 3
"""Worst changes that are named."""
NONE_WORSE = "no change makes its decisions worse"
COLUMNS = {
    "change": str, "strength": float, "pictures": int, "auc": float, "auc_low": float,
    "auc_high": float, "point": str, "recall": float, "false_positive_rate": float,
}  # fmt: skip
STRENGTHS: dict[str, Sequence[float]] = {
    "jpeg": (95, 80, 60, 40),
    "webp": (80, 50),
    "resize": (0.75, 0.5, 0.25),
    "blur": (1, 2),
    "noise": (4, 10),
    "crop": (0.9, 0.75),
    "corner": (0.1, 0.25),
    "letterbox": (0.25, 0.44),
    "collage": (0.67, 0.5),
    "brightness": (0.75, 1.25),
    "grey": (1,),
    "screenshot": (1, 2),
}
"""Strengths at which each of `perturbations.CHANGES` is applied, the mildest first."""


def evaluate(
    archives: Mapping[str, Path], published: pd.DataFrame, groups: pd.Series, model: TrainedModel
) -> pd.DataFrame:
    """Compute metrics of at most `PICTURES` published pictures, unchanged and after each change.

    Parameters
    ----------
    archives
        The published zip archive of each set.
    published
        Columns of `tables.PICTURES`, with ids as index.
    groups
        The group of near-duplicates of each id.

    Returns
    -------
    DataFrame
        Columns `COLUMNS`, a row for each change, strength and operating point. The first change is
        `UNCHANGED`; `auc` has a 95 % interval and does not depend on the point.
    """
    selected = published.sort_values("id").head(PICTURES)
    labels = tables.is_ai(selected["label"])
    changes = [Change(name, strength) for name, values in STRENGTHS.items() for strength in values]
    prepare = partial(_change, spec=model.input, changes=changes)
    scores = model.score_items(prepare, raw.members(selected, archives), "robustness")
    rows = []
    for number, change in enumerate([Change(UNCHANGED, 0.0), *changes]):
        auc = intervals.of_auc(labels, scores[:, number], groups.loc[selected["id"]])
        for point, threshold in model.decision_rule.points.items():
            metrics = classification.at(labels, scores[:, number], threshold)
            rows.append(
                {
                    "change": change.name,
                    "strength": change.strength,
                    "pictures": len(selected),
                    "auc": auc.value,
                    "auc_low": auc.low,
                    "auc_high": auc.high,
                    "point": point,
                    "recall": metrics["recall"],
                    "false_positive_rate": metrics["false_positive_rate"],
                }
            )
    return pd.DataFrame(rows)


def worst(rows: pd.DataFrame) -> pd.DataFrame:
    """Select the changes after which decisions at the point `POINT` are worst, the worst first.

    They are ranked by balanced accuracy, hence by false positives and lost recall at a threshold
    that stays where it is: an AUC may be perfect where everything is classified as ai.

    Parameters
    ----------
    rows
        What `evaluate` returns.

    Returns
    -------
    DataFrame
        At most `NAMED` of the rows, none of which is of unchanged pictures or as good as these.
    """
    rows = rows[rows["point"] == POINT]
    balanced_accuracy = ((1 + rows["recall"] - rows["false_positive_rate"]) / 2).round(9)
    unchanged = balanced_accuracy[rows["change"] == UNCHANGED].iloc[0]
    ranked = balanced_accuracy[balanced_accuracy < unchanged].sort_values(kind="stable")
    return rows.loc[ranked.index[:NAMED]]


def describe(row: Any) -> str:
    """Describe a row of what `worst` returns: the change, and both rates after it."""
    return (
        f"{row.change} {row.strength:g} (recall {row.recall:.3f}, false positive rate "
        f"{row.false_positive_rate:.3f})"
    )


def summary(rows: pd.DataFrame) -> str:
    """Summarise in a line the figures of unchanged pictures, and the worst changes.

    `rows` is what `evaluate` returns.
    """
    unchanged = rows[(rows["point"] == POINT) & (rows["change"] == UNCHANGED)].iloc[0]
    changes = ", ".join(describe(row) for row in worst(rows).itertuples())
    return (
        f"robustness: recall {unchanged['recall']:.3f}, false positive rate "
        f"{unchanged['false_positive_rate']:.3f} at the point {POINT} on {unchanged['pictures']} "
        f"unchanged test pictures; {f'worst after {changes}' if changes else NONE_WORSE}"
    )


def _change(
    member: ArchiveMember, spec: InputSpec, changes: Sequence[Change]
) -> Sequence[ModelInput]:
    """Return the model input of a published picture, unchanged and after each change."""
    data = archive.read(*member)
    image, _ = decoding.decode(data, spec.clean.max_pixels, spec.clean.min_side)
    changed = [preprocessing.from_pixels(change(image), spec) for change in changes]
    return [preprocessing.from_decoded(data, image, spec), *changed]
