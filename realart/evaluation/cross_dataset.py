"""Evaluate a trained model on another data set with the same two labels.

Pictures that a run was trained on can't test it: those of its own data set keep the run's own score
(out of fold, or of the test part), and their near-duplicates in other files are left out.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from realart.core import parallel, paths, revisions, tables, yaml12
from realart.core.errors import RealartError
from realart.data import decoding, near_duplicates, raw
from realart.data.fingerprints import Fingerprint, Fingerprints, fingerprint
from realart.evaluation import labelled_set, set_baselines, set_matrix, set_report
from realart.features import preprocessing
from realart.metrics import scored_set
from realart.metrics.classification import THRESHOLD
from realart.metrics.scored_set import Scale
from realart.models import novelty
from realart.models.trained_model import TrainedModel
from realart.params import LabelNames


@dataclass(frozen=True)
class TrainedRun:
    """A trained model, its scores and its pictures.

    Attributes
    ----------
    name
        The revision that it was loaded by.
    dataset
        The name of its data set.
    model
        The final model.
    scores
        Columns `tables.PREDICTIONS`: of its own test part, and of its training part out of fold.
    files
        Stored files of all pictures of its data set.
    """

    name: str
    dataset: str
    model: TrainedModel
    scores: pd.DataFrame
    files: list[Path]


@contextmanager
def load_run(revision: str) -> Iterator[TrainedRun]:
    """Load the run of an experiment, a commit or the workspace, for as long as the block runs.

    Raises
    ------
    RealartError
        There is no such revision, or its model or pictures are not in DVC's cache.
    """
    outputs = (paths.FINAL, paths.SCORES, paths.CLEAN, paths.PARAMS)
    with revisions.outputs_of(revision, *outputs) as folder:
        kept = tables.read(folder / paths.PICTURES, tables.PICTURES)
        params = yaml12.load((folder / paths.PARAMS).read_text("utf-8"), paths.PARAMS.name)
        yield TrainedRun(
            revision,
            params["dataset"],
            TrainedModel(folder / paths.FINAL),
            tables.read(folder / paths.SCORES, tables.PREDICTIONS),
            [folder.resolve() / paths.DATA / file for file in kept["file"]],
        )


def evaluate(
    run: TrainedRun, data: Path, labels: LabelNames, folder: Path, limit: int
) -> dict[str, Any]:
    """Score a data set by the final model of a run, and write metrics, scores and plots.

    Parameters
    ----------
    data
        A folder or zip archive of labelled pictures, of both classes or of one.
    labels
        The names of folders by which pictures are labelled.
    folder
        That is written, as by `set_report.write`.
    limit
        Most pictures on which baselines are computed: `audit.pictures`.

    Returns
    -------
    dict
        The content of metrics.json: `run` and `data`, their names; `threshold` of metrics without
        an operating point; `classes`, `both` or the only one; the number of `pictures`, of which
        `own` have the run's own score and `novel` are unlike those that it was trained on; the
        number `left_out` as near-duplicates of the run's own pictures; `LabelledSet.counts`; the
        metrics of `scored_set.evaluate_rule`, and what `set_report.comparisons` returns.

    Raises
    ------
    RealartError
        There are no such pictures, or none of a class that the set has is left.
    """
    with TemporaryDirectory() as temporary:
        archive = labelled_set.zipped(data, Path(temporary))
        clean = run.model.input.clean
        pictures = labelled_set.clean(archive, labels, clean, Path(temporary))
        kept = pictures.kept
        run_scores = run.scores[run.scores["part"] != "unseen"].set_index("row")["score"]
        scores = run_scores.reindex(kept["id"]).to_numpy(copy=True)
        own = ~np.isnan(scores)
        left_out = ~own & near_duplicate_mask(run.files, pictures.stored, clean.similar)
        new = kept[~own & ~left_out]
        _require_classes(kept, left_out, data)

        members = raw.members(new.assign(set=""), {"": archive})
        if members:
            prepare = partial(preprocessing.from_member, run.model.input)
            scores[new.index] = run.model.score_items(prepare, members, "evaluate")[:, 0]
        part = np.where(own, "own", "elsewhere")
        scored = kept.assign(row=kept["id"], score=scores, part=part)[~left_out]
        stored = [file for file, out in zip(pictures.stored, left_out, strict=True) if not out]
        baselines = set_baselines.evaluate(scored, stored, limit)
        novel = _count_novel(run.model, stored)
    truth, probabilities = tables.is_ai(scored["label"]), scored["score"].to_numpy()
    report = {
        "run": run.name,
        "data": data.name,
        "threshold": THRESHOLD,
        "classes": scored_set.only_class(truth) or "both",
        "pictures": len(scored),
        "own": int(own.sum()),
        "left_out": int(left_out.sum()),
        **novel,
        **pictures.counts(),
        **scored_set.evaluate_rule(truth, probabilities, scored["group"], run.model.decision_rule),
        **set_report.comparisons(scored, Scale(), baselines),
    }
    set_report.write(report, scored, Scale(), folder)
    return report


def _count_novel(model: TrainedModel, files: Sequence[Path]) -> dict[str, int]:
    """Return how many stored pictures are unlike those of the model, as `novel`, if it can tell."""
    if model.novelty is None:
        return {}
    return {"novel": int(model.novelty.novel(novelty.measure_files(files)).sum())}


def near_duplicate_mask(
    references: list[Path], files: list[Path], similar: float
) -> NDArray[np.bool_]:
    """Return which of n `files` are in a group of near-duplicates with a reference, shape (n,).

    Parameters
    ----------
    references, files
        Stored pictures.
    similar
        Correlation of thumbnails from which two pictures are near-duplicates: `clean.similar`.
    """
    prints = Fingerprints()
    for print_of_file in parallel.map_parallel(_fingerprint, [*references, *files], "compare"):
        prints.append(print_of_file)
    groups = near_duplicates.components(len(prints), near_duplicates.forest(prints, similar))
    return np.isin(groups[len(references) :], groups[: len(references)])


def _fingerprint(file: Path) -> Fingerprint:
    data = file.read_bytes()
    return fingerprint(decoding.read(data), data)


def _require_classes(pictures: pd.DataFrame, left_out: NDArray[np.bool_], data: Path) -> None:
    """Raise if all pictures of a class are left out."""
    for name in sorted(set(pictures["label"]) - set(pictures.loc[~left_out, "label"])):
        raise RealartError(
            f"no picture of class {name} is left of {data}: {left_out.sum()} are near-duplicates "
            "of the run's own pictures; name other pictures"
        )


def matrix(
    revisions: Sequence[str], sets: Sequence[Path], labels: LabelNames, folder: Path, limit: int
) -> Iterator[dict[str, Any]]:
    """Evaluate each run on each data set, and yield what `evaluate` returns as soon as it is there.

    Parameters
    ----------
    revisions
        Experiments, commits or the workspace.
    sets
        Folders or zip archives of labelled pictures.
    labels
        The names of folders by which pictures are labelled.
    folder
        That is written: a folder for each run on each set, and what `set_matrix.write` writes.
    limit
        Most pictures on which baselines are computed.

    Raises
    ------
    RealartError
        As `load_run` and `evaluate`, or two sets have one name.
    """
    names = [data.name for data in sets]
    for name in names:
        if names.count(name) > 1:
            raise RealartError(f"two sets are called {name}: rename either of them")
    reports = []
    for revision in revisions:
        with load_run(revision) as run:
            for data in sets:
                own = folder / f"{run.name} on {data.name}"
                reports.append(evaluate(run, data, labels, own, limit))
                yield reports[-1]
    set_matrix.write(reports, folder)
