"""The audit finds planted shortcuts: compression, colour, copies, pairs."""

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from making import LABELS, PARAMS, archive, file, picture

from realart.core import tables
from realart.core.errors import RealartError
from realart.data import cleaning, decoding, pictures, splits
from realart.evaluation import audit, remedies, shortcuts
from realart.features import pixel_statistics
from realart.metrics import intervals
from realart.metrics.intervals import Estimate
from realart.params import Clean

pytestmark = pytest.mark.slow

COUNT = 160
SPLIT = PARAMS.split.model_copy(update={"folds": 4, "slices": 2})


def textured(seed: int) -> pictures.Pixels:
    """Paint clouds with grain of a few sizes, so that there is something for JPEG to take away."""
    generator = np.random.default_rng(seed)
    width, height = generator.integers(150, 260, 2).tolist()
    canvas = picture(seed, width, height).astype(float)
    for size, strength in ((1, 14), (2, 14), (4, 14)):
        grain = generator.normal(0, strength, (height // size + 1, width // size + 1, 1))
        canvas += grain.repeat(size, 0).repeat(size, 1)[:height, :width]
    return np.clip(canvas, 0, 255).astype(np.uint8)


def audited(
    folder: Path, clean: Clean
) -> tuple[list[shortcuts.Candidate], pd.DataFrame, pd.DataFrame]:
    """Clean, split and audit a set whose class is the JPEG quality: ai 70, human 90."""
    content = [
        (f"{('human', 'ai')[i % 2]}/{i}.jpg", file(textured(i), "JPEG", quality=90 - 20 * (i % 2)))
        for i in range(COUNT)
    ]
    stored = folder / "pictures"
    stored.mkdir()
    kept, _, _ = cleaning.clean(archive(folder / "a.zip", content), LABELS, None, clean, stored)
    rows = kept.join(splits.assign(kept, SPLIT)[["fold"]])
    decoded = [
        decoding.decode((stored / Path(name).name).read_bytes(), 10**8) for name in kept["file"]
    ]
    headers = pd.DataFrame([vars(header) for _, header in decoded]).assign(
        bytes=[(stored / Path(name).name).stat().st_size for name in kept["file"]]
    )
    measured = [pixel_statistics.measure(image) for image, _ in decoded]
    stacked = {
        name: np.stack([statistics[name] for statistics in measured]) for name in measured[0]
    }
    candidates = shortcuts.list_candidates(kept, headers, stacked)
    return (
        candidates,
        shortcuts.evaluate_candidates(candidates, tables.is_ai(kept["label"]), rows),
        rows,
    )


@pytest.fixture(scope="module")
def shrunk(
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[list[shortcuts.Candidate], pd.DataFrame, pd.DataFrame]:
    clean = PARAMS.clean.model_copy(update={"shrink": 0.5})
    return audited(tmp_path_factory.mktemp("shrunk"), clean)


def test_a_planted_quality_is_named_and_shrinking_removes_it(
    shrunk: tuple[list[shortcuts.Candidate], pd.DataFrame, pd.DataFrame],
) -> None:
    _, table, _ = shrunk
    published = shortcuts.best_row(table, [shortcuts.PUBLISHED])
    assert (published["name"], published["auc"]) == ("quantisation table", 1.0)
    assert "quantisation table" not in set(table.loc[table["scope"] == shortcuts.STORED, "name"])
    assert shortcuts.best_row(table, [shortcuts.TEXTURE])["auc_low"] < 0.55


@pytest.mark.parametrize("change", [{"encoding": "original"}, {"shrink": 1.0}])
def test_neither_published_nor_merely_saved_again_pictures_are_rid_of_it(
    tmp_path: Path, change: dict[str, object]
) -> None:
    _, table, _ = audited(tmp_path, PARAMS.clean.model_copy(update=change))
    assert shortcuts.best_row(table, [shortcuts.TEXTURE])["auc"] > 0.9
    stored = set(table.loc[table["scope"] == shortcuts.STORED, "name"])
    assert ("quantisation table" in stored) == ("encoding" in change)


def test_the_test_part_is_scored_by_the_same_candidate(
    shrunk: tuple[list[shortcuts.Candidate], pd.DataFrame, pd.DataFrame],
) -> None:
    candidates, table, rows = shrunk
    named = shortcuts.best_row(table, [shortcuts.PUBLISHED])
    found = shortcuts.evaluate_on_test(named, candidates, tables.is_ai(rows["label"]), rows)
    assert found.accuracy.value == 1


def test_findings_name_the_best_baselines(
    shrunk: tuple[list[shortcuts.Candidate], pd.DataFrame, pd.DataFrame],
) -> None:
    _, table, _ = shrunk
    aspects = {"squash": 0.5, "crop": -0.1, "pad": 0.9}
    copies = {"ai": Estimate(0.5, 0.4, 0.6), "human": Estimate(0.8, 0.7, 0.9)}
    sentences = audit.summarise(
        table,
        {shape: Estimate(value, value, value) for shape, value in aspects.items()},
        {"across labels": pd.DataFrame([1, 2])},
        copies,
    )
    assert re.search(
        r"published: the label is almost fully predictable .* quantisation table", sentences[0]
    )
    assert "squash 0.50, crop -0.10, pad 0.90. So `shape: crop` hides it best" in sentences[2]
    assert "2 across labels" in sentences[4]
    assert [f"{label} art" in sentences[5 + i] for i, label in enumerate(copies)] == [True, True]
    assert ["class_weight" in sentence for sentence in sentences[5:7]] == [False, True]
    assert sentences[7:] == [*remedies.remedies(table)]
    assert sentences[7] == remedies.REMEDIES["files"]


def test_a_shape_from_which_nothing_can_be_predicted_hides_the_aspect_ratio() -> None:
    values = {"squash": 0.5, "crop": np.nan, "pad": 0.9}
    aspects = {shape: Estimate(value, value, value) for shape, value in values.items()}
    assert "squash 0.50, crop 0.00, pad 0.90. So `shape: crop`" in audit._about_aspect(aspects)
    assert "one aspect ratio" in audit._about_aspect({})


def test_a_limit_stops_only_what_is_certainly_above_it(
    shrunk: tuple[list[shortcuts.Candidate], pd.DataFrame, pd.DataFrame],
) -> None:
    _, table, _ = shrunk
    shortcuts.require_at_most(shortcuts.best_row(table, shortcuts.AVAILABLE), 0.99)
    with pytest.raises(RealartError, match=r"quantisation table .*above audit.stop_above \(0.9\)"):
        shortcuts.require_at_most(shortcuts.best_row(table, [shortcuts.PUBLISHED]), 0.9)


def rows_with_copies(blur: bool) -> tuple[pd.DataFrame, dict[str, np.ndarray]]:
    """Return rows of both classes, half of them copies, and what is measured of them."""
    copied = np.arange(160) % 2 == 1
    texture = np.random.default_rng(0).normal(size=(160, 4)).astype(np.float32)
    texture[:, 0] -= 3 * copied * blur
    rows = pd.DataFrame(
        {
            "label": np.where(np.arange(160) < 80, "ai", "human"),
            "operation": np.where(copied, "{}", ""),
            "fold": np.arange(160) // 2 % 4,
            "group": (np.arange(160) // 2).astype(str),
        }
    )
    return rows, {"texture": texture}


def test_blurred_copies_are_detected_and_faithful_ones_are_not() -> None:
    for label in ("ai", "human"):
        assert shortcuts.copy_detection_aucs(*rows_with_copies(blur=True))[label].low > 0.8
        assert shortcuts.copy_detection_aucs(*rows_with_copies(blur=False))[label].low < 0.5
    rows, measured = rows_with_copies(blur=True)
    assert shortcuts.copy_detection_aucs(rows.assign(operation=""), measured) == {}


def test_pairs_are_sorted_by_what_they_do() -> None:
    related = pd.DataFrame(
        [
            ("", "", "a", "b", 1, 2, "ai", "ai", "train", "train", 1.0),
            ("", "", "c", "d", 1, 2, "ai", "human", "train", "train", 0.98),
            ("", "", "e", "f", 1, 2, "ai", "ai", "train", "test", 0.93),
        ],
        columns=list(tables.RELATED),
    )
    found = {
        kind: set(pairs["a"]) for kind, pairs in shortcuts.pairs_by_kind(related, 0.97).items()
    }
    assert found == {
        "across labels": {"c"},
        "across the published split": {"e"},
        "equal pixels": {"a"},
        "nearly the same": {"c"},
        "related": {"e"},
    }


def test_the_baseline_is_written_with_its_scores(inside: Path) -> None:
    """Of the pictures that models are judged on out of fold, so that the two can be compared."""
    kept = tables.read(Path("metrics/audit/floor.csv"), tables.PREDICTIONS)
    scores = tables.read(Path("metrics/scores.csv"), tables.PREDICTIONS)
    assert set(kept["row"]) == set(scores.loc[scores["part"] == "oof", "row"])
    assert set(kept["part"]) == {"oof"}
    report = json.loads(Path("metrics/evaluation.json").read_text())
    found = intervals.of_auc(tables.is_ai(kept["label"]), kept["score"].to_numpy(), kept["group"])
    bounds = {name: report["floor"]["oof"][name] for name in ("auc", "auc_low", "auc_high")}
    assert [found.value, found.low, found.high] == pytest.approx(list(bounds.values()))
    gain = report["oof"]["auc"] - found.value
    assert report["gain"]["auc"] == pytest.approx(gain)
    assert report["gain"]["pictures"] == len(kept)
    assert report["goals"]["above_floor"] == (report["gain"]["low"] > 0)


def test_one_aspect_ratio_correlates_with_nothing() -> None:
    """All pictures of 64 to 103 px are squares: a correlation with a constant is undefined."""
    side = np.arange(64, 104)
    stored = pd.DataFrame({"width": side, "height": side})
    statistics = {f"square_{shape}": np.ones((40, 3)) for shape in pixel_statistics.SHAPES}
    folds = pd.DataFrame({"fold": np.arange(40) % 4 - (np.arange(40) == 0), "group": side})
    assert shortcuts.aspect_correlations(stored, statistics, folds) == {}
    stored.loc[0, "width"] = 99  # of a picture that is not used
    assert shortcuts.aspect_correlations(stored, statistics, folds) == {}
