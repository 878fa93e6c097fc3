"""What a model says of the same pictures when they are saved again, both classes or one only.

If saving one class again moves its scores, the model goes by how files were saved.
"""

from functools import partial
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pandas as pd

from realart import evaluation, inputs, pictures, tables
from realart.evaluation import Figures, Labels, Scores
from realart.inputs import Input
from realart.models import Final
from realart.parallel import each
from realart.pictures import Pixels

PICTURES = 1000
"""How many pictures are tried, those of the lowest ids: the shift of a class is known well then."""


def intervene(
    archive: Path, published: pd.DataFrame, model: Final, quality: int
) -> dict[str, Figures]:
    """Score published pictures as they are and saved again as JPEG of `quality`.

    Parameters
    ----------
    archive
        The published zip.
    published
        Columns of `tables.PICTURES`.
    """
    tried = published.sort_values("id").head(PICTURES)
    look = partial(_look, seen=model.input, quality=quality)
    with ZipFile(archive) as opened:
        seen = list(
            each(look, [(opened, path) for path in tried["path"]], "evaluate", threads=True)
        )
    as_they_are, again = (model.scores(np.stack(pixels)) for pixels in zip(*seen, strict=True))
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
            name: {key: evaluation.figures(labels, scores)[key] for key in ("accuracy", "auc")}
            for name, scores in conditions.items()
        },
    }


def _look(item: tuple[ZipFile, str], seen: Input, quality: int) -> tuple[Pixels, Pixels]:
    archive, path = item
    data = archive.read(path)
    pixels, _ = pictures.decode(data, seen.clean.max_pixels, seen.clean.min_side)
    saved_as = seen.clean.model_copy(update={"encoding": "jpeg", "quality": quality})
    again = pictures.encode(pixels, saved_as)
    return inputs.from_published(data, seen), inputs.from_published(again, seen)
