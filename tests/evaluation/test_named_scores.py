"""The scores of a set that `realart evaluate` wrote are found by its folder, and compared."""

import json
from pathlib import Path

import pandas as pd
import pytest
from networks import scored, some_scores

from realart.core import tables
from realart.evaluation import compare, named_scores


def evaluated(folder: Path, table: pd.DataFrame, **report: float | None) -> str:
    """Write what `realart evaluate` writes of a set."""
    folder.mkdir()
    full = table.assign(set="", part="elsewhere")
    tables.write(full, folder / "scores.csv", tables.PREDICTIONS)
    (folder / "metrics.json").write_text(json.dumps(report))
    return f"{folder}"


def test_a_folder_is_compared_with_each_part_of_a_run(tmp_path: Path) -> None:
    labels, scores = some_scores(80)
    run = pd.concat([scored(scores, labels).head(60), scored(scores, labels, "test").tail(20)])
    rival, threshold = named_scores.load(
        evaluated(tmp_path / "rival", scored(1 - scores, labels).head(70), threshold=0.7)
    )
    assert threshold == 0.7
    for a, b in ((rival, run), (run, rival)):
        found = {part.part: part.pictures for part in compare.compare(a, b)}
        assert found == {"test": 10, "oof": 60}
    (found_alone,) = compare.compare(rival, rival)
    assert (found_alone.part, found_alone.pictures) == ("set", 70)


@pytest.mark.parametrize(("report", "threshold"), [({}, 0.5), ({"threshold": None}, None)])
def test_a_folder_has_the_threshold_of_its_metrics(
    tmp_path: Path, report: dict[str, None], threshold: float | None
) -> None:
    labels, scores = some_scores(20)
    folder = evaluated(tmp_path / "rival", scored(scores, labels), **report)
    assert named_scores.load(folder)[1] == threshold
