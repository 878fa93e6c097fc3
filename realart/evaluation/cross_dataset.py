"""What a trained model is worth on pictures from elsewhere: another set, under the same two labels.

Pictures that a run has learnt from are no test of it. Where they are the very files, they keep the
score of the fold that has not seen them; others that show nearly the same are left out.
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
from realart.data import archive, cleaning, near_duplicates, pictures, raw
from realart.data.fingerprints import Fingerprint, Fingerprints, fingerprint
from realart.features import preprocessing
from realart.metrics import plots
from realart.metrics.thresholds import evaluate_decisions
from realart.models.trained_model import TrainedModel
from realart.params import CLASSES, LabelNames


@dataclass(frozen=True)
class TrainedRun:
    """A trained model and what it was trained on.

    Attributes
    ----------
    name
        What the run was asked for by.
    model
        The final one.
    judged
        Columns `tables.JUDGED`: its own test part, and its training part out of fold.
    known
        The stored file of each picture that it was made from or tested on.
    """

    name: str
    model: TrainedModel
    judged: pd.DataFrame
    known: list[Path]


@contextmanager
def load_run(revision: str) -> Iterator[TrainedRun]:
    """Yield the run of an experiment, a commit or the workspace.

    Raises
    ------
    RealartError
        There is no such revision, or its model or pictures are not in DVC's cache.
    """
    with revisions.outputs_of(revision, paths.FINAL, paths.SCORES, paths.CLEAN) as place:
        kept = tables.read(place / paths.PICTURES, tables.PICTURES)
        yield TrainedRun(
            revision,
            TrainedModel(place / paths.FINAL),
            tables.read(place / paths.SCORES, tables.JUDGED),
            [place.resolve() / paths.DATA / file for file in kept["file"]],
        )


def evaluate(run: TrainedRun, data: Path, labels: LabelNames, folder: Path) -> dict[str, Any]:
    """Score a folder or zip of labelled pictures, and write metrics, scores and plots to `folder`.

    Returns
    -------
    dict
        What metrics.json holds: the figures of `thresholds.evaluate_decisions`, how many pictures
        they are of (`pictures`; `own` of them have the score that the run itself gave), and how
        many files were `rejected` by cleaning or `left_out` because the run knows nearly the same
        picture.

    Raises
    ------
    RealartError
        There are no such pictures, or none of a class is left.
    """
    with TemporaryDirectory() as temporary:
        place = Path(temporary)
        zipped = _zipped(data, place)
        (place / cleaning.FOLDER).mkdir(parents=True)
        clean = run.model.input.clean
        kept, rejected, _ = cleaning.clean(zipped, labels, None, clean, place / cleaning.FOLDER)
        stored = [place / file for file in kept["file"]]
        judged_once = run.judged[run.judged["part"] != "unseen"]
        own = judged_once.set_index("row")["score"].reindex(kept["id"]).to_numpy(copy=True)
        known = ~np.isnan(own)
        left_out = ~known & related(run.known, stored, clean.similar)
        fresh = kept[~known & ~left_out]
        _require_classes(kept[~left_out], data, int(left_out.sum()))

        items = raw.members(fresh.assign(set=""), {"": zipped})
        if items:
            look = partial(preprocessing.of_member, run.model.input)
            own[fresh.index] = run.model.scores_of(look, items, "evaluate")[:, 0]
    scored = kept.assign(row=kept["id"], score=own)[~left_out]
    truth, scores = tables.is_ai(scored["label"]), scored["score"].to_numpy()
    judged = evaluate_decisions(truth, scores, scored["group"], run.model.verdicts)
    report = {
        "run": run.name,
        "data": data.name,
        "pictures": len(scored),
        "own": int(known.sum()),
        "left_out": int(left_out.sum()),
        "rejected": len(rejected),
        **judged,
    }
    with fresh_directory(folder) as beside:
        write_json(report, beside / "metrics.json")
        part = np.where(known, "own", "elsewhere")[~left_out]
        tables.write(scored.assign(part=part), beside / "scores.csv", tables.JUDGED)
        plots.write_scored({data.name: (truth, scores)}, {data.name: judged}, None, beside, beside)
    return report


def related(known: list[Path], others: list[Path], similar: float) -> NDArray[np.bool_]:
    """Say of each of `others` whether it shows nearly what one of `known` shows, shape (n,).

    Both are stored pictures; near-duplicates are those of `near_duplicates.forest`, also by way of
    each other.
    """
    prints = Fingerprints()
    for one in parallel.each(_fingerprint, [*known, *others], "compare"):
        prints.append(one)
    groups = near_duplicates.components(len(prints), near_duplicates.forest(prints, similar))
    return np.isin(groups[len(known) :], groups[: len(known)])


def _fingerprint(file: Path) -> Fingerprint:
    data = file.read_bytes()
    return fingerprint(pictures.read(data), data)


def _zipped(data: Path, folder: Path) -> Path:
    if data.is_dir():
        archive.zip_folder(data, folder / "archive.zip")
        return folder / "archive.zip"
    if not zipfile.is_zipfile(data):
        raise RealartError(
            f"{data} is neither a folder nor a zip archive: name one with a folder for each class"
        )
    return data


def _require_classes(left: pd.DataFrame, data: Path, left_out: int) -> None:
    for name in CLASSES:
        if name not in set(left["label"]):
            raise RealartError(
                f"no picture of class {name} is left of {data}: {left_out} show nearly what the "
                "model was made from; name other pictures"
            )


def matrix(
    revisions: Sequence[str], sets: Sequence[Path], labels: LabelNames, folder: Path
) -> Iterator[dict[str, Any]]:
    """Yield what `evaluate` returns for each run on each set, and write them side by side.

    Each has a folder of its own in `folder`, which in the end has matrix.csv and matrix.png, too.

    Raises
    ------
    RealartError
        As `load_run` and `evaluate`, or two sets have one name.
    """
    names = [data.name for data in sets]
    for name in names:
        if names.count(name) > 1:
            raise RealartError(f"two sets are called {name}: rename one of them")
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
