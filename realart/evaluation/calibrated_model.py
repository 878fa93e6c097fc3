"""Calibrate a trained model on labelled pictures of where it will be used."""

import hashlib
import shutil
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from realart.core import tables
from realart.core.errors import RealartError
from realart.core.hashing import SHORT
from realart.core.outputs import fresh_directory
from realart.data import raw
from realart.evaluation import labelled_set, model_card
from realart.evaluation.cross_dataset import TrainedRun, near_duplicate_mask
from realart.features import preprocessing
from realart.metrics import classification
from realart.metrics.recalibration import recalibrate
from realart.models import novelty, trained_model
from realart.models.manifest import CARD, CalibrationSet
from realart.models.novelty import NoveltyDetector
from realart.models.trained_model import TrainedModel
from realart.params import CLASSES, LabelNames, Promise


def calibrate(
    run: TrainedRun, data: Path, labels: LabelNames, promise: Promise, folder: Path
) -> dict[str, Any]:
    """Refit the decision rule of a run's final model, and save it as another model.

    Pictures that the run was trained or tested on, and their near-duplicates, are left out. To the
    new model, pictures like the others are not novel, if these are of both classes.

    Parameters
    ----------
    data
        A folder or zip archive of labelled pictures, of both classes or of human art alone.
    labels
        The names of folders by which pictures are labelled.
    promise
        Error rates that are to hold for further pictures like those of `data`.
    folder
        That is written: the model with its new rule, and what it takes for novel.

    Returns
    -------
    dict
        `data`: the name of the set; `human`, `ai`: the numbers of pictures; `left_out` and
        `rejected`, those of files that were not used; `before`, `after`: the accuracy on the
        pictures, each calibrated on the others; `promises`: what is promised now, two sentences.

    Raises
    ------
    RealartError
        There are no such pictures, or no human art among them.
    """
    with TemporaryDirectory() as temporary:
        archive = labelled_set.zipped(data, Path(temporary))
        pictures = labelled_set.clean(archive, labels, run.model.input.clean, Path(temporary))
        own = pictures.kept["id"].isin(run.scores["row"]).to_numpy()
        left_out = own | near_duplicate_mask(
            run.files, pictures.stored, run.model.input.clean.similar
        )
        new = pictures.kept[~left_out].reset_index(drop=True)
        if "human" not in set(new["label"]):
            if left_out.any():
                raise RealartError(
                    f"{data} has no human art that the run does not know: it was trained or tested "
                    f"on {left_out.sum()} of {len(left_out)} pictures, or on near-duplicates of "
                    "them; give other pictures"
                )
            raise RealartError(
                f"no human art in {data} to calibrate on, {len(new)} pictures of ai: add some; it "
                "may be alone"
            )
        prepare = partial(preprocessing.from_member, run.model.input)
        members = raw.members(new.assign(set=""), {"": archive})
        probabilities = run.model.score_items(prepare, members, "calibrate")[:, 0]
        stored = [file for file, out in zip(pictures.stored, left_out, strict=True) if not out]
        detector = _extended_novelty(run.model, set(new["label"]), stored)
    truth, rule = tables.is_ai(new["label"]), run.model.decision_rule
    name = data.stem if data.is_file() else data.resolve().name
    chosen, after = recalibrate(rule, truth, probabilities, new["group"], promise, name)
    record = CalibrationSet(
        data=name,
        digest=hashlib.sha256("\n".join(sorted(new["id"])).encode()).hexdigest()[:SHORT],
        human=int((truth == 0).sum()),
        ai=int(truth.sum()),
        left_out=int(left_out.sum()),
    )
    with fresh_directory(folder) as beside:
        shutil.copytree(run.model.folder, beside, dirs_exist_ok=True)
        trained_model.replace_rule(beside, chosen, record, detector)
        model_card.replace_promises(beside / CARD, chosen, record)
    return {
        "data": name,
        "human": record.human,
        "ai": record.ai,
        "left_out": record.left_out,
        "rejected": len(pictures.rejected),
        "before": _accuracy(truth, probabilities),
        "after": _accuracy(truth, after),
        "promises": [chosen.promise("low_fpr"), chosen.promise()],
    }


def _extended_novelty(
    model: TrainedModel, classes: set[str], stored: Sequence[Path]
) -> NoveltyDetector | None:
    """Return the model's detector of novel pictures, extended by stored ones of both classes.

    None if it has none, or if there is one class only, by which verdicts are not calibrated.
    """
    if model.novelty is None or classes != set(CLASSES):
        return None
    return model.novelty.extended(novelty.measure_files(stored))


def summary(report: Mapping[str, Any]) -> str:
    """Return what `calibrate` did as lines for people; `report` is what it returned."""
    what_for = "" if report["ai"] else "; human art alone moves no more than low_fpr"
    return (
        f"calibrated on {report['data']}: {report['human']} pictures of human art, {report['ai']} "
        f"of ai; {report['left_out']} left out that the run was trained or tested on, or like "
        f"them, {report['rejected']} files rejected{what_for}\n"
        f"accuracy on them {report['before']:.3f} before, {report['after']:.3f} after, each by a "
        f"calibration on the others\n" + "\n".join(report["promises"])
    )


def _accuracy(labels: classification.Labels, probabilities: classification.Scores) -> float:
    return float(((probabilities >= classification.THRESHOLD) == labels).mean())
