"""Evaluate somebody else's detector, by a table of its scores, on a data set.

The pictures are cleaned and grouped as for a run of this project, and the metrics are the same.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd

from realart.core import tables
from realart.core.errors import RealartError, examples
from realart.data import text_table
from realart.data.archive import files as archive_files
from realart.data.file_index import FileIndex
from realart.evaluation import labelled_set, set_baselines, set_report
from realart.metrics import scored_set
from realart.metrics.classification import THRESHOLD
from realart.metrics.scored_set import Scale
from realart.params import LabelNames, Params

PATH, PROBABILITY, SCORE = "path", "probability_ai", "score"
"""Columns of a table of scores; of the last two it needs one."""


@dataclass(frozen=True)
class ScoreTable:
    """The scores of a detector.

    Attributes
    ----------
    file
        That it was read from.
    paths, scores
        As the file has them; the score of a picture that the detector did not score is None.
    scale
        What the scores are.
    """

    file: Path
    paths: list[str]
    scores: list[float | None]
    scale: Scale


def read(file: Path, threshold: float | None) -> ScoreTable:
    """Read a table of scores, such as `realart predict --csv` prints.

    Parameters
    ----------
    file
        CSV, TSV or JSON lines with the columns `path`, and `probability_ai` (from 0 to 1) or
        `score` (any number, the higher for ai); `score` is not read beside a probability.
    threshold
        Score from which a picture is classified as ai; None is 0.5 for probabilities, and none for
        scores.

    Raises
    ------
    RealartError
        It can't be read, lacks a column, or has a value that is no number or no probability.
    """
    try:
        frame = text_table.parse(file.read_bytes(), file.name)
    except OSError as error:
        raise RealartError(f"the scores in {file} can't be read: {error.strerror}") from error
    column = next((name for name in (PROBABILITY, SCORE) if name in frame), None)
    if PATH not in frame or not column:
        raise RealartError(
            f"{file} has the columns {', '.join(frame.columns)}: it needs {PATH}, and "
            f"{PROBABILITY} or {SCORE}"
        )
    if threshold is not None and not np.isfinite(threshold):
        raise RealartError(f"the threshold {threshold} is no number: give one that scores reach")
    if threshold is None and column == PROBABILITY:
        threshold = THRESHOLD
    scale = Scale(threshold, probabilities=column == PROBABILITY)
    return ScoreTable(file, list(frame[PATH]), _numbers(frame[column], file), scale)


def _numbers(values: "pd.Series[str]", file: Path) -> list[float | None]:
    """Return a column of `file` as numbers, None where it is empty."""
    texts = values.str.strip()
    numbers = pd.to_numeric(texts, errors="coerce")
    if invalid := Counter(texts[(texts != "") & ~np.isfinite(numbers)]):
        raise RealartError(
            f"{file}: values of {values.name} that are no numbers: {examples(invalid)}; leave a "
            "value empty where there is no score"
        )
    outside = Counter(texts[(numbers < 0) | (numbers > 1)])
    if values.name == PROBABILITY and outside:
        raise RealartError(
            f"{file}: probabilities that are not from 0 to 1: {examples(outside)}; call the column "
            f"{SCORE} if these are no probabilities"
        )
    return [None if np.isnan(number) else number for number in numbers.tolist()]


def match(table: ScoreTable, index: FileIndex) -> tuple[dict[str, float | None], "Counter[str]"]:
    """Match the paths of a table with the files of an archive.

    Returns
    -------
    scores, unknown
        The score of each file that a row names, by its path in the archive, and the paths that
        name no file.

    Raises
    ------
    RealartError
        No path names a file, a path fits several files, or a file has two scores.
    """
    scores: dict[str, set[float | None]] = defaultdict(set)
    unknown, ambiguous = Counter[str](), Counter[str]()
    for path, score in zip(table.paths, table.scores, strict=True):
        files = index.find(path)
        if len(files) == 1:
            scores[files[0]].add(score)
        else:
            (ambiguous if files else unknown)[path] += 1
    twice = Counter(file for file, values in scores.items() if len(values) > 1)
    advice = "give paths from the top of the set"
    for problem, found, what_to_do in (
        ("paths that fit several files of the set", ambiguous, advice),
        ("files with several scores", twice, "keep one row of each"),
        ("no path names a file of the set", unknown if not scores else None, advice),
    ):
        if found:
            raise RealartError(f"{table.file}: {problem}: {examples(found)}; {what_to_do}")
    return {file: values.pop() for file, values in scores.items()}, unknown


def evaluate(
    table: ScoreTable, data: Path, labels: LabelNames, params: Params, folder: Path
) -> dict[str, Any]:
    """Evaluate the scores of a detector on a data set, and write metrics, scores and plots.

    Parameters
    ----------
    table
        Scores of its pictures; files that cleaning rejects need none.
    data
        A folder or zip archive of labelled pictures, of both classes or of one.
    labels
        The names of folders by which pictures are labelled.
    params
        Of the project: cleaning, and the number of pictures for baselines.
    folder
        That is written, as by `set_report.write`.

    Returns
    -------
    dict
        The content of metrics.json: `detector` and `data`, the names of the table and of the set;
        `threshold`, null without one; `classes`, `both` or the only one; the number of `pictures`;
        `unscored`, how many more had an empty score; `unknown_rows`, how many rows name no file;
        `LabelledSet.counts`; the metrics of `scored_set.evaluate_scores`, and what
        `set_report.comparisons` returns.

    Raises
    ------
    RealartError
        As `match`; there are no such pictures; a picture has no row; or scores without a threshold
        are given for pictures of one class.
    """
    with TemporaryDirectory() as temporary:
        archive = labelled_set.zipped(data, Path(temporary))
        members = archive_files(archive, "name another set")
        of_file, unknown = match(table, FileIndex(members, data.resolve().name))
        pictures = labelled_set.clean(archive, labels, params.clean, Path(temporary))
        kept = pictures.kept
        _require_rows(kept["path"], of_file, table.file)
        scores = kept["path"].map(of_file).astype(float)
        scored = kept.assign(row=kept["id"], part="elsewhere", score=scores)[scores.notna()]
        _require_decidable(scored, table)
        stored = [pictures.stored[place] for place in scored.index]
        baselines = set_baselines.evaluate(scored, stored, params.audit.pictures)
    truth, values = tables.is_ai(scored["label"]), scored["score"].to_numpy()
    report = {
        "detector": table.file.stem,
        "data": data.name,
        "threshold": table.scale.threshold,
        "classes": scored_set.only_class(truth) or "both",
        "pictures": len(scored),
        "unscored": len(kept) - len(scored),
        "unknown_rows": unknown.total(),
        **pictures.counts(),
        **scored_set.evaluate_scores(truth, values, scored["group"], table.scale),
        **set_report.comparisons(scored, table.scale, baselines),
    }
    set_report.write(report, scored, table.scale, folder)
    return report


def _require_rows(paths: Iterable[str], scores: Mapping[str, float | None], file: Path) -> None:
    if missing := Counter(path for path in paths if path not in scores):
        raise RealartError(
            f"{file}: pictures of the set without a row: {examples(missing)}; add rows, with an "
            "empty value for a picture to leave out"
        )


def _require_decidable(scored: pd.DataFrame, table: ScoreTable) -> None:
    if scored.empty:
        raise RealartError(f"{table.file} scores no usable picture of the set: fill in scores")
    if table.scale.threshold is None and scored["label"].nunique() < 2:
        raise RealartError(
            f"all pictures are {scored['label'].iloc[0]}, where scores that are no probabilities "
            "only have metrics at a threshold: give --threshold"
        )
