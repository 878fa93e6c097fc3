"""What a model says of the same pictures when they are saved again, both classes or one only.

If saving one class again moves its scores, the model goes by how files were saved.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from realart.core import tables
from realart.data import archive, pictures, raw
from realart.data.archive import Member
from realart.features import preprocessing
from realart.features.preprocessing import InputSpec, ModelInput
from realart.metrics import classification
from realart.metrics.classification import Figures, Labels, Scores
from realart.models.trained_model import TrainedModel

PICTURES = 1000
"""How many pictures are tried, those of the lowest ids: the shift of a class is known well then."""


def evaluate(
    archives: Mapping[str, Path],
    published: pd.DataFrame,
    scores: pd.DataFrame,
    model: TrainedModel,
    quality: int,
) -> dict[str, Figures]:
    """Score published pictures saved again as JPEG of `quality`, and compare.

    Parameters
    ----------
    archives
        The published zip archive of each set.
    published, scores
        Columns `tables.PICTURES` and `tables.SCORES`: the pictures, and what the model says of them
        as they are.
    """
    tried = published.sort_values("id").head(PICTURES)
    look = partial(_look, seen=model.input, quality=quality)
    again = model.scores_of(look, raw.members(tried, archives), "evaluate")[:, 0]
    as_they_are = scores.set_index("row").loc[tried["id"], "score"].to_numpy()
    return report(tables.is_ai(tried["label"]), as_they_are, again)


def report(labels: Labels, as_they_are: Scores, again: Scores) -> dict[str, Figures]:
    """Return accuracy and AUC under each condition, and the mean shift of each class's scores."""
    ai = labels == 1
    conditions = {
        "published": as_they_are,
        "both_again": again,
        "only_human_again": np.where(ai, as_they_are, again),
        "only_ai_again": np.where(ai, again, as_they_are),
    }
    shift = again - as_they_are
    return {
        "shift": {"human": float(shift[~ai].mean()), "ai": float(shift[ai].mean())},
        **{
            name: {key: classification.figures(labels, scores)[key] for key in ("accuracy", "auc")}
            for name, scores in conditions.items()
        },
    }


def _look(member: Member, seen: InputSpec, quality: int) -> Sequence[ModelInput]:
    data = archive.read(*member)
    image, _ = pictures.decode(data, seen.clean.max_pixels, seen.clean.min_side)
    saved_as = seen.clean.model_copy(update={"encoding": "jpeg", "quality": quality})
    return [preprocessing.from_published(pictures.encode(image, saved_as), seen)]
