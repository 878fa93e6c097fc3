"""Scores of another detector are evaluated as a run's, and a wrong table of them is refused."""

import json
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from making import LABELS, PARAMS, archive, file, picture

from realart.core import tables
from realart.core.errors import RealartError
from realart.data.archive import files as archive_files
from realart.data.file_index import FileIndex
from realart.evaluation import compare, external_scores, named_scores, set_report
from realart.metrics import classification

FILES = [f"{label}/{name}.png" for label in ("ai", "human") for name in ("a", "b", "é", "d")]
DATA = {path: file(picture(number)) for number, path in enumerate(FILES)}
SCORES = dict(zip(FILES, (0.9, 0.8, 0.4, 0.7, 0.1, 0.6, 0.2, 0.3), strict=True))
TWO_CLASSES = {"confusion.csv", "confusion.png", "roc.csv", "precision_recall.csv", "curves.png"}
CALIBRATION = {"reliability.csv", "coverage.csv", "calibration.png"}
ALWAYS = {"metrics.json", "scores.csv", "subgroups.csv"}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Zip the pictures, one of them twice, and a file that is none."""
    copies = {"human/twice.png": DATA["human/a.png"], "ai/broken.png": b"broken"}
    return archive(tmp_path / "set.zip", [*DATA.items(), *copies.items()])


def written(
    folder: Path, scores: Mapping[str, object] | Iterable[tuple[str, object]], column: str
) -> Path:
    rows = scores.items() if isinstance(scores, Mapping) else scores
    path = folder / "rival.csv"
    pd.DataFrame(rows, columns=["path", column]).to_csv(path, index=False)
    return path


def evaluated(
    table: Path, data: Path, threshold: float | None = None
) -> tuple[dict[str, Any], Path]:
    """Return the report, which is that of metrics.json, and its folder."""
    folder = table.parent / "out"
    scores = external_scores.read(table, threshold)
    report = external_scores.evaluate(scores, data, LABELS, PARAMS, folder)
    assert json.loads((folder / "metrics.json").read_text()) == report
    json.dumps(report, allow_nan=False)
    return report, folder


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_probabilities_are_evaluated_as_those_of_a_run(tmp_path: Path, data: Path) -> None:
    """Files that cleaning rejects need no score."""
    report, folder = evaluated(written(tmp_path, SCORES, "probability_ai"), data)
    labels, scores = np.repeat([1, 0], 4), np.array(list(SCORES.values()))
    expected = classification.figures(labels, scores)
    assert {name: report[name] for name in expected} == expected
    assert (report["detector"], report["data"], report["threshold"]) == ("rival", "set.zip", 0.5)
    counts = [report[name] for name in ("pictures", "rejected", "unscored", "unknown_rows")]
    assert counts == [8, 2, 0, 0]
    assert report["matched"] == {"pictures": 8, "accuracy": 0.75, "auc": expected["auc"]}
    table = tables.read(folder / "scores.csv", tables.PREDICTIONS)
    assert sorted(table["score"]) == sorted(SCORES.values())
    assert names(folder) == ALWAYS | TWO_CLASSES | CALIBRATION


def test_scores_have_a_ranking_and_with_a_threshold_decisions(tmp_path: Path, data: Path) -> None:
    table = written(tmp_path, {path: 20 * score - 9 for path, score in SCORES.items()}, "score")
    report, folder = evaluated(table, data)
    assert report["auc"] == 15 / 16
    assert report["threshold"] is None
    assert not {"accuracy", "confusion", "brier"} & {*report}
    assert "accuracy" not in report["matched"]
    assert names(folder) == ALWAYS | TWO_CLASSES - {"confusion.csv", "confusion.png"}
    subgroups = pd.read_csv(folder / "subgroups.csv").set_index("name")
    assert subgroups.loc["PNG", ["accuracy", "recall"]].isna().all()
    assert subgroups.loc["PNG", "auc"] == 15 / 16
    report, folder = evaluated(table, data, threshold=1.0)
    assert report["confusion"] == {"tn": 3, "fp": 1, "fn": 1, "tp": 3}
    assert report["matched"]["accuracy"] == 0.75
    assert pd.read_csv(folder / "subgroups.csv")["accuracy"].iloc[0] == 0.75
    cells = pd.read_csv(folder / "confusion.csv").set_index(["actual", "predicted"])["pictures"]
    assert cells.to_dict() == {
        ("ai", "ai"): 3, ("human", "human"): 3, ("ai", "human"): 1, ("human", "ai"): 1,
    }  # fmt: skip
    assert names(folder) == ALWAYS | TWO_CLASSES


@pytest.mark.parametrize(
    "form",
    [
        lambda path: f"./{path}",
        lambda path: f"/somewhere/set/{path}",
        lambda path: path.replace("/", "\\"),
        lambda path: unicodedata.normalize("NFD", path),
    ],
    ids=["dot", "absolute", "backslashes", "NFD"],
)
def test_paths_may_be_written_otherwise(tmp_path: Path, data: Path, form: Any) -> None:
    rows = {form(path): score for path, score in SCORES.items()}
    table = external_scores.read(written(tmp_path, rows, "probability_ai"), None)
    index = FileIndex(archive_files(data, ""), "set.zip")
    assert external_scores.match(table, index) == (SCORES, Counter())


def test_a_folder_is_evaluated_as_its_zip(tmp_path: Path, data: Path) -> None:
    for path, content in DATA.items():
        (tmp_path / "set" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "set" / path).write_bytes(content)
    table = written(tmp_path, {f"set/{path}": s for path, s in SCORES.items()}, "probability_ai")
    of_folder, _ = evaluated(table, tmp_path / "set")
    of_zip, _ = evaluated(table, data)
    assert of_zip | {"data": "set", "rejected": 0} == of_folder


def test_what_has_no_score_and_what_is_not_there_is_counted(tmp_path: Path, data: Path) -> None:
    rows = SCORES | {"ai/a.png": "", "ai/nowhere.png": 0.5}
    report, _ = evaluated(written(tmp_path, rows, "probability_ai"), data)
    assert (report["pictures"], report["unscored"], report["unknown_rows"]) == (7, 1, 1)
    summary = set_report.summary(report)
    assert "; 1 left out without a score, 1 rows of no picture in the set, 2 files rej" in summary


def test_a_set_of_one_class_has_the_rate_of_that_class(tmp_path: Path) -> None:
    human = {path: data for path, data in DATA.items() if "human" in path}
    gallery = archive(tmp_path / "gallery.zip", human.items())
    report, folder = evaluated(written(tmp_path, SCORES, "probability_ai"), gallery)
    assert report["classes"] == "human"
    assert report["false_positive_rate"] == 0.25
    assert not {"accuracy", "auc", "matched", "baselines", "recall"} & {*report}
    assert names(folder) == ALWAYS | {"confusion.csv", "confusion.png"}
    summary = set_report.summary(report)
    assert "rival on gallery.zip (4 pictures, all human): false positive rate 0.250 [" in summary
    assert "(1 of 4 classified as ai)" in summary


CHANGED: dict[str, tuple[Any, str, str]] = {
    "text": (SCORES | {"ai/a.png": "high"}, "probability_ai", r"no numbers: 1 \('high'\)"),
    "infinite": (SCORES | {"ai/a.png": "inf"}, "score", r"no numbers: 1 \('inf'\)"),
    "nan": (SCORES | {"ai/a.png": "nan"}, "score", r"no numbers: 1 \('nan'\)"),
    "no probability": (SCORES | {"ai/a.png": 1.5}, "probability_ai", r"from 0 to 1: 1 \('1.5'\)"),
    "no column": (SCORES, "confidence", "columns path, confidence: it needs path, and prob"),
    "nothing known": ({f"x{n}.png": 0.5 for n in range(9)}, "score",
                      r"no path names a file of the set: 9 \('x0.png', 'x1.png', 'x2.png', ...\)"),
    "several files": ([*SCORES.items(), ("a.png", 0.1)], "score", r"several files.*1 \('a.png'\)"),
    "two scores": ([*SCORES.items(), ("./ai/a.png", 0.1)], "score",
                   r"several scores: 1 \('ai/a.png'\)"),
    "a score and none": ([*SCORES.items(), ("ai/a.png", "")], "score", "several scores"),
    "no row": (dict.fromkeys(FILES[1:], 1), "score", r"without a row: 1 \('ai/a.png'\)"),
    "nothing scored": (dict.fromkeys(FILES, ""), "score", "no usable picture"),
}  # fmt: skip


@pytest.mark.parametrize(("rows", "column", "message"), CHANGED.values(), ids=CHANGED)
def test_a_wrong_table_is_one_line_and_writes_nothing(
    tmp_path: Path, data: Path, rows: Any, column: str, message: str
) -> None:
    with pytest.raises(RealartError, match=message) as raised:
        evaluated(written(tmp_path, rows, column), data)
    assert "rival.csv" in str(raised.value)
    assert not (tmp_path / "out").exists()


def test_the_same_row_twice_is_no_contradiction(tmp_path: Path, data: Path) -> None:
    table = written(tmp_path, [*SCORES.items(), *SCORES.items()], "probability_ai")
    assert evaluated(table, data)[0]["pictures"] == 8


def test_scores_of_one_class_need_a_threshold(tmp_path: Path) -> None:
    gallery = archive(tmp_path / "gallery.zip", list(DATA.items())[:4])
    table = written(tmp_path, SCORES, "score")
    with pytest.raises(RealartError, match=r"all pictures are ai, where scores .* --threshold"):
        evaluated(table, gallery)
    assert evaluated(table, gallery, 0.75)[0]["recall"] == 0.5
    with pytest.raises(RealartError, match="threshold nan is no number"):
        external_scores.read(table, float("nan"))


def test_a_table_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(RealartError, match=r"none\.csv can't be read: No such file"):
        external_scores.read(tmp_path / "none.csv", None)


def test_two_detectors_are_compared_on_one_set(tmp_path: Path, data: Path) -> None:
    folders = []
    for name, scores in (("good", SCORES), ("poor", dict.fromkeys(FILES, 0.5))):
        folders.append(tmp_path / name)
        table = external_scores.read(written(tmp_path, scores, "probability_ai"), None)
        external_scores.evaluate(table, data, LABELS, PARAMS, folders[-1])
    (a, threshold_a), (b, threshold_b) = (named_scores.load(f"{name}") for name in folders)
    (comparison,) = compare.compare(a, b, (threshold_a, threshold_b))
    assert (comparison.part, comparison.pictures) == ("set", 8)
    assert comparison.decisions
    assert comparison.decisions.values == (0.75, 0.5)
    assert comparison.ranking
    assert comparison.ranking.auc == (15 / 16, 0.5)
