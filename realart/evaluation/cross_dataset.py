"""Evaluate a trained model on another data set with the same two labels.

Pictures that a run was trained on can't test it: those of its own data set keep the run's own score
(out of fold, or of the test part), and their near-duplicates in other files are left out.
"""

import zipfile
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

from realart.core import parallel, paths, revisions, tables
from realart.core.errors import RealartError
from realart.core.outputs import fresh_directory, fresh_file, write_json
from realart.data import archive, cleaning, decoding, near_duplicates, raw
from realart.data.fingerprints import Fingerprint, Fingerprints, fingerprint
from realart.features import preprocessing
from realart.metrics import plots
from realart.metrics.thresholds import evaluate_decisions
from realart.models.trained_model import TrainedModel
from realart.params import CLASSES, LabelNames


@dataclass(frozen=True)
class TrainedRun:
    """A trained model, its scores and its pictures.

    Attributes
    ----------
    name
        The revision that it was loaded by.
    model
        The final model.
    scores
        Columns `tables.PREDICTIONS`: of its own test part, and of its training part out of fold.
    files
        Stored files of all pictures of its data set.
    """

    name: str
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
    with revisions.outputs_of(revision, paths.FINAL, paths.SCORES, paths.CLEAN) as folder:
        kept = tables.read(folder / paths.PICTURES, tables.PICTURES)
        yield TrainedRun(
            revision,
            TrainedModel(folder / paths.FINAL),
            tables.read(folder / paths.SCORES, tables.PREDICTIONS),
            [folder.resolve() / paths.DATA / file for file in kept["file"]],
        )


def evaluate(run: TrainedRun, data: Path, labels: LabelNames, folder: Path) -> dict[str, Any]:
    """Score a data set by the final model of a run, and write metrics, scores and plots.

    Parameters
    ----------
    data
        A folder or zip archive of labelled pictures.
    labels
        The names of folders by which pictures are labelled.
    folder
        That is written: metrics.json, scores.csv and plots.

    Returns
    -------
    dict
        The content of metrics.json: the metrics of `thresholds.evaluate_decisions`; `run` and
        `data`, their names; the number of `pictures`, of which `own` have the run's own score; the
        numbers of files `rejected` by cleaning, and `left_out` as near-duplicates of the run's own
        pictures.

    Raises
    ------
    RealartError
        There are no such pictures, or none of a class is left.
    """
    with TemporaryDirectory() as temporary:
        workspace = Path(temporary)
        zipped = _zipped(data, workspace)
        (workspace / cleaning.FOLDER).mkdir(parents=True)
        clean = run.model.input.clean
        kept, rejected, _ = cleaning.clean(zipped, labels, None, clean, workspace / cleaning.FOLDER)
        stored = [workspace / file for file in kept["file"]]
        run_scores = run.scores[run.scores["part"] != "unseen"].set_index("row")["score"]
        scores = run_scores.reindex(kept["id"]).to_numpy(copy=True)
        own = ~np.isnan(scores)
        left_out = ~own & near_duplicate_mask(run.files, stored, clean.similar)
        new = kept[~own & ~left_out]
        _require_classes(kept[~left_out], data, int(left_out.sum()))

        members = raw.members(new.assign(set=""), {"": zipped})
        if members:
            prepare = partial(preprocessing.from_member, run.model.input)
            scores[new.index] = run.model.score_items(prepare, members, "evaluate")[:, 0]
    scored = kept.assign(row=kept["id"], score=scores)[~left_out]
    truth, probabilities = tables.is_ai(scored["label"]), scored["score"].to_numpy()
    figures = evaluate_decisions(truth, probabilities, scored["group"], run.model.decision_rule)
    report = {
        "run": run.name,
        "data": data.name,
        "pictures": len(scored),
        "own": int(own.sum()),
        "left_out": int(left_out.sum()),
        "rejected": len(rejected),
        **figures,
    }
    with fresh_directory(folder) as beside:
        write_json(report, beside / "metrics.json")
        part = np.where(own, "own", "elsewhere")[~left_out]
        tables.write(scored.assign(part=part), beside / "scores.csv", tables.PREDICTIONS)
        plots.write_curves(
            {data.name: (truth, probabilities)}, {data.name: figures}, None, beside, beside
        )
    return report


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


def _zipped(data: Path, folder: Path) -> Path:
    if data.is_dir():
        archive.zip_folder(data, folder / "archive.zip")
        return folder / "archive.zip"
    if not zipfile.is_zipfile(data):
        raise RealartError(
            f"{data} is neither a folder nor a zip archive: name one with a folder for each class"
        )
    return data


def _require_classes(pictures: pd.DataFrame, data: Path, left_out: int) -> None:
    for name in CLASSES:
        if name not in set(pictures["label"]):
            raise RealartError(
                f"no picture of class {name} is left of {data}: {left_out} are near-duplicates of "
                "the run's own pictures; name other pictures"
            )


def matrix(
    revisions: Sequence[str], sets: Sequence[Path], labels: LabelNames, folder: Path
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
        That is written: a folder for each run on each set, matrix.csv and matrix.png.

    Raises
    ------
    RealartError
        As `load_run` and `evaluate`, or two sets have one name.
    """
    names = [data.name for data in sets]
    for name in names:
        if names.count(name) > 1:
            raise RealartError(f"two sets are called {name}: rename either of them")
    rows = []
    for revision in revisions:
        with load_run(revision) as run:
            for data in sets:
                report = evaluate(run, data, labels, folder / f"{run.name} on {data.name}")
                rows.append(
                    {
                        "run": run.name,
                        "data": data.name,
                        "pictures": report["pictures"],
                        "accuracy": report["accuracy"],
                        "auc": report["auc"],
                        **report["intervals"]["auc"],
                    }
                )
                yield report
    table = pd.DataFrame(rows)
    with fresh_file(folder / "matrix.csv") as beside:
        table.to_csv(beside, index=False)
    plots.draw_matrix(table, folder / "matrix.png")
