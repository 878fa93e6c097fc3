"""Changes do what they say, more the stronger they are; figures are those of changed pictures."""

import io
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from making import file, picture
from networks import AS_SAID, KNOBS, recipe
from PIL import Image
from sklearn import metrics

from realart import evaluation, inputs, models, recipes, robustness
from realart.robustness import CHANGES, Change

EVERY = [Change(name, strength) for name, (_, all_) in CHANGES.items() for strength in all_]
KEEPING = [one for one in EVERY if one.name not in ("crop", "screenshot")]


def art(seed: int = 0) -> Image.Image:
    """Return a picture with both smooth areas and detail."""
    generator = np.random.default_rng(seed)
    smooth = Image.fromarray(generator.integers(0, 256, (9, 12, 3), np.uint8))
    large = np.asarray(smooth.resize((240, 180), Image.Resampling.BICUBIC), np.float32)
    return Image.fromarray(
        np.clip(large + generator.normal(0, 6, large.shape), 0, 255).astype("u1")
    )


def apart(one: Image.Image, other: Image.Image) -> float:
    difference = np.asarray(one, np.float32) - np.asarray(other, np.float32)
    return float(np.sqrt((difference**2).mean()))


@pytest.mark.parametrize("change", EVERY, ids=str)
def test_a_changed_picture_is_another_one_and_the_same_each_time(change: Change) -> None:
    image = art()
    kept = np.array(image)
    changed = change(image)
    assert changed.mode == "RGB"
    np.testing.assert_array_equal(np.asarray(change(image)), np.asarray(changed))
    np.testing.assert_array_equal(np.asarray(image), kept)
    if change in KEEPING:
        assert changed.size == image.size
        assert 0.5 < apart(changed, image) < 70


@pytest.mark.parametrize("name", ["jpeg", "webp", "resize", "blur", "noise"])
def test_the_mildest_comes_first(name: str) -> None:
    image = art()
    harm = [apart(change(image), image) for change in EVERY if change.name == name]
    assert harm == sorted(harm)
    assert harm[-1] > harm[0] * 1.05


def test_saving_is_saving() -> None:
    buffer = io.BytesIO()
    art().save(buffer, "JPEG", quality=60, subsampling=2)
    expected = np.asarray(Image.open(buffer))
    np.testing.assert_array_equal(np.asarray(Change("jpeg", 60)(art())), expected)


@pytest.mark.parametrize("change", EVERY, ids=str)
def test_no_picture_is_too_wide(change: Change) -> None:
    """WebP itself holds at most 16,383 pixels a side."""
    assert max(change(Image.new("RGB", (17_000, 64), (90, 120, 30))).size) <= robustness.LARGEST


def test_a_crop_is_the_middle() -> None:
    image = art()
    np.testing.assert_array_equal(
        np.asarray(Change("crop", 0.75)(image)), np.asarray(image)[22:157, 30:210]
    )


def test_levels_colour_and_noise_are_as_strong_as_said() -> None:
    flat = Image.new("RGB", (200, 200), (100, 50, 200))
    assert np.asarray(Change("brightness", 1.25)(flat))[0, 0].tolist() == [125, 62, 250]
    assert len(set(np.asarray(Change("grey", 1)(flat))[0, 0].tolist())) == 1
    noisy = np.asarray(Change("noise", 4)(Image.new("RGB", (200, 200), (128,) * 3)), np.float32)
    assert noisy.std() == pytest.approx(4, rel=0.02)


def test_the_table_holds_the_figures_of_changed_pictures(tmp_path: Path) -> None:
    wanted = recipe(32)
    seen = inputs.spec(KNOBS).model_copy(update={"parts": {"pixels": wanted.sees}})
    models.save(tmp_path, wanted, seen, [recipes.build(wanted)], AS_SAID)
    model = models.Final(tmp_path)
    rows, scores = [], {"none": [], "jpeg 40": [], "crop 0.75": []}
    with zipfile.ZipFile(tmp_path / "archive.zip", "w") as target:
        for number in range(12):
            data = file(picture(number, 70, 90))
            target.writestr(f"{number}.png", data)
            rows.append((f"{number:02}", f"{number}.png", len(data), ("ai", "human")[number % 2]))
            for name, said in scores.items():
                image = Image.open(io.BytesIO(data)).convert("RGB")
                if name != "none":
                    change, strength = name.split()
                    image = Change(change, float(strength))(image)
                small = model.input.clean.model_copy(update={"min_side": 1})
                again = model.input.model_copy(update={"clean": small})
                looked = inputs.from_published(file(np.asarray(image)), again)
                said.append(model.scores(*inputs.stack([looked]))[0])
    published = pd.DataFrame(rows, columns=["id", "path", "bytes", "label"]).assign(set="")
    published = published.set_index("id", drop=False)
    published.index.name = None
    groups = published["id"]
    table = robustness.table({"": tmp_path / "archive.zip"}, published, groups, model)
    assert len(table) == (1 + len(EVERY)) * 3
    assert list(table.columns) == list(robustness.COLUMNS)
    labels = (published["label"] == "ai").to_numpy().astype(int)
    for name, said in scores.items():
        change, strength, *_ = (*name.split(), "0")
        of_it = table[(table["change"] == change) & (table["strength"] == float(strength))]
        assert len(of_it) == 3
        expected = metrics.roc_auc_score(labels, np.round(said, 6))
        assert of_it["auc"].tolist() == pytest.approx([expected] * 3)
        for row in of_it.itertuples():
            found = evaluation.at(labels, np.array(said), AS_SAID.points[row.point])
            assert row.recall == pytest.approx(found["recall"])
            assert row.false_positive_rate == pytest.approx(found["false_positive_rate"])
    assert table.groupby("change")["auc"].first().nunique() > 1
