"""Measure robustness: metrics on pictures changed as in practice: re-encoded, resized, framed.

Thresholds stay as they were chosen out of fold.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

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
"""Number of pictures that are changed, those of the lowest ids."""
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
    """Compute metrics of published pictures, unchanged and after each change.

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
        `none`; `auc` has a 95 % interval and does not depend on the point.
    """
    selected = published.sort_values("id").head(PICTURES)
    labels = tables.is_ai(selected["label"])
    changes = [Change(name, strength) for name, values in STRENGTHS.items() for strength in values]
    prepare = partial(_change, spec=model.input, changes=changes)
    scores = model.score_items(prepare, raw.members(selected, archives), "robustness")
    rows = []
    for number, change in enumerate([Change("none", 0.0), *changes]):
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


def summary(rows: pd.DataFrame) -> str:
    """Summarise in a line the AUC on unchanged pictures, and the three lowest after changes.

    `rows` is what `evaluate` returns.
    """
    by_change = rows[rows["point"] == "balanced"].sort_values("auc")
    unchanged = by_change[by_change["change"] == "none"].iloc[0]
    lowest = ", ".join(
        f"{row.change} {row.strength:g} {row.auc:.3f}" for row in by_change.head(3).itertuples()
    )
    return (
        f"robustness: auc {unchanged['auc']:.3f} on {unchanged['pictures']} unchanged test "
        f"pictures; lowest: {lowest}"
    )


def _change(
    member: ArchiveMember, spec: InputSpec, changes: Sequence[Change]
) -> Sequence[ModelInput]:
    """Return the model input of a published picture, unchanged and after each change."""
    data = archive.read(*member)
    image, _ = decoding.decode(data, spec.clean.max_pixels, spec.clean.min_side)
    changed = [preprocessing.from_pixels(change(image), spec) for change in changes]
    return [preprocessing.from_decoded(data, image, spec), *changed]
