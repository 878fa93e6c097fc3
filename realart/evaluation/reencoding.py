"""Measure how re-encoding pictures, of both classes or of one alone, changes a model's scores.

A model whose scores of a class shift when it is re-encoded relies on how files were saved.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from realart.core import tables
from realart.data import archive, decoding, pictures, raw
from realart.data.archive import ArchiveMember
from realart.features import preprocessing
from realart.features.preprocessing import InputSpec, ModelInput
from realart.metrics import classification
from realart.metrics.classification import Figures, Labels, Scores
from realart.models.trained_model import TrainedModel

PICTURES = 1000
"""Pictures that are re-encoded at most, those of the lowest ids: enough for a mean shift."""
STABLE = 0.05
"""Largest mean shift of a class's scores that is called none: it turns few decisions."""


def evaluate(
    archives: Mapping[str, Path],
    published: pd.DataFrame,
    scores: pd.DataFrame,
    model: TrainedModel,
    quality: int,
) -> dict[str, Figures]:
    """Re-encode at most `PICTURES` published pictures as JPEG and compare their scores.

    Parameters
    ----------
    archives
        The published zip archive of each set.
    published, scores
        Columns `tables.PICTURES` and `tables.SCORES`: pictures, and the model's scores of them as
        published.
    quality
        Of the JPEG files, 1 to 100.

    Returns
    -------
    dict
        What `compare_scores` returns.
    """
    selected = published.sort_values("id").head(PICTURES)
    prepare = partial(_reencode, spec=model.input, quality=quality)
    reencoded = model.score_items(prepare, raw.members(selected, archives), "evaluate")[:, 0]
    published_scores = scores.set_index("row").loc[selected["id"], "score"].to_numpy()
    return compare_scores(tables.is_ai(selected["label"]), published_scores, reencoded)


def compare_scores(labels: Labels, published: Scores, reencoded: Scores) -> dict[str, Figures]:
    """Compute accuracy and AUC under each condition, and the mean shift of each class's scores.

    Parameters
    ----------
    labels, published, reencoded
        1 for ai and 0 for human, and the scores before and after re-encoding; shape (n,).

    Returns
    -------
    dict
        `shift` of `human` and `ai`; accuracy and auc of `published`, `both_again` (both classes
        re-encoded), `only_human_again` and `only_ai_again`.
    """
    ai = labels == 1
    conditions = {
        "published": published,
        "both_again": reencoded,
        "only_human_again": np.where(ai, published, reencoded),
        "only_ai_again": np.where(ai, reencoded, published),
    }
    shift = reencoded - published
    return {
        "shift": {"human": float(shift[~ai].mean()), "ai": float(shift[ai].mean())},
        **{
            name: {key: classification.figures(labels, scores)[key] for key in ("accuracy", "auc")}
            for name, scores in conditions.items()
        },
    }


def describe(found: Mapping[str, Figures], quality: int) -> str:
    """Describe what `compare_scores` returns, and what follows, as a sentence.

    `quality` is that of the JPEG files.
    """
    shift = found["shift"]
    auc = {name: found[name]["auc"] for name in found if name != "shift"}
    if max(map(abs, shift.values())) <= STABLE:
        conclusion = "So how a file was saved hardly moves its score"
    else:
        conclusion = (
            "So how a file was saved moves its score: where the classes are saved differently, do "
            "not believe the model; a lower `clean.shrink` removes more of it"
        )
    return (
        f"Test pictures re-encoded as JPEG {quality}: mean score of human art {shift['human']:+.3f}"
        f", of ai art {shift['ai']:+.3f}; AUC {auc['published']:.3f} as published, "
        f"{auc['both_again']:.3f} with both re-encoded, {auc['only_human_again']:.3f} with human "
        f"art alone, {auc['only_ai_again']:.3f} with ai art alone. {conclusion}."
    )


def _reencode(member: ArchiveMember, spec: InputSpec, quality: int) -> Sequence[ModelInput]:
    data = archive.read(*member)
    image, _ = decoding.decode(data, spec.clean.max_pixels, spec.clean.min_side)
    saved_as = spec.clean.model_copy(update={"encoding": "jpeg", "quality": quality})
    return [preprocessing.from_published(pictures.encode(image, saved_as), spec)]
