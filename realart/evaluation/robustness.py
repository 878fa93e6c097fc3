"""What becomes of verdicts when pictures are changed as they are on their way through the world.

Thresholds stay where they were: nobody chooses them anew for a picture that was saved again.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import pandas as pd

from realart.core import tables
from realart.data import archive, pictures, raw
from realart.data.archive import Member
from realart.data.changes import Change
from realart.features import preprocessing
from realart.features.preprocessing import InputSpec, ModelInput
from realart.metrics import classification, intervals
from realart.models.trained_model import TrainedModel

PICTURES = 500
"""How many pictures are tried, those of the lowest ids."""
COLUMNS = {
    "change": str, "strength": float, "pictures": int, "auc": float, "auc_low": float,
    "auc_high": float, "point": str, "recall": float, "false_positive_rate": float,
}  # fmt: skip


TRIED: dict[str, Sequence[float]] = {
    "jpeg": (95, 80, 60, 40),
    "webp": (80, 50),
    "resize": (0.75, 0.5, 0.25),
    "blur": (1, 2),
    "noise": (4, 10),
    "crop": (0.9, 0.75),
    "brightness": (0.75, 1.25),
    "grey": (1,),
    "screenshot": (1, 2),
}
"""How strongly each of `changes.CHANGES` is tried, the mildest first."""


def table(
    archives: Mapping[str, Path], published: pd.DataFrame, groups: pd.Series, model: TrainedModel
) -> pd.DataFrame:
    """Score published pictures as they are and after each change: columns `COLUMNS`.

    A row for each change, strength and operating point; the first change is `none`.

    Parameters
    ----------
    archives
        The published zip archive of each set.
    published
        Columns of `tables.PICTURES`, with ids as index.
    groups
        The group of near-duplicates of each id.
    """
    tried = published.sort_values("id").head(PICTURES)
    labels = tables.is_ai(tried["label"])
    changes = [Change(name, strength) for name, tried_at in TRIED.items() for strength in tried_at]
    look = partial(_look, seen=model.input, changes=changes)
    scores = model.scores_of(look, raw.members(tried, archives), "robustness")
    rows = []
    for number, change in enumerate([Change("none", 0.0), *changes]):
        area = intervals.of_auc(labels, scores[:, number], groups.loc[tried["id"]])
        for point, threshold in model.verdicts.points.items():
            found = classification.at(labels, scores[:, number], threshold)
            rows.append(
                {
                    "change": change.name,
                    "strength": change.strength,
                    "pictures": len(tried),
                    "auc": area.value,
                    "auc_low": area.low,
                    "auc_high": area.high,
                    "point": point,
                    "recall": found["recall"],
                    "false_positive_rate": found["false_positive_rate"],
                }
            )
    return pd.DataFrame(rows)


def summary(rows: pd.DataFrame) -> str:
    """Return in words the AUC on unchanged pictures, and the three changes that lower it most.

    `rows` is what `table` returns.
    """
    by_change = rows[rows["point"] == "balanced"].sort_values("auc")
    unchanged = by_change[by_change["change"] == "none"].iloc[0]
    lowest = ", ".join(
        f"{row.change} {row.strength:g} {row.auc:.3f}" for row in by_change.head(3).itertuples()
    )
    return (
        f"robustness: auc {unchanged['auc']:.3f} on {unchanged['pictures']} test pictures as they "
        f"are; lowest: {lowest}"
    )


def _look(member: Member, seen: InputSpec, changes: Sequence[Change]) -> Sequence[ModelInput]:
    """Return what is seen of a published picture as it is and after each change."""
    data = archive.read(*member)
    image, _ = pictures.decode(data, seen.clean.max_pixels, seen.clean.min_side)
    changed = [preprocessing.from_pixels(change(image), seen) for change in changes]
    return [preprocessing.from_decoded(data, image, seen), *changed]
