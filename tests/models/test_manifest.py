"""A model whose files were changed, cut or removed is named in one line, and never scores."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from networks import PARAMS, UNCALIBRATED_RULE

from realart.core.errors import RealartError
from realart.features import forensic, preprocessing
from realart.models import classifiers, manifest, novelty, trained_model
from realart.models.classifiers import TrainingRows
from realart.models.manifest import CalibrationSet
from realart.params import ClassifierRecipe, ForensicFeatures

KINDS = {"svm": {"C": [1.0]}, "logistic": {"C": [1.0]}, "boosting": {"max_iter": [3]}}
WIDTH = forensic.FAMILIES["colour"].size


@pytest.fixture(scope="module", params=KINDS)
def sound(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Save a classifier that was fitted on noise."""
    folder = tmp_path_factory.mktemp(request.param)
    head = {"name": request.param, "grid": KINDS[request.param]}
    recipe = ClassifierRecipe.model_validate({"sees": {"features": ["colour"]}, "head": head})
    generator = np.random.default_rng(0)
    rows = TrainingRows(
        vectors=generator.standard_normal((60, WIDTH)).astype(np.float32),
        labels=np.arange(60) % 2,
        weights=np.ones(60, np.float32),
        groups=np.arange(60),
        published=np.ones(60, np.bool_),
    )
    classifier, _ = classifiers.fit(recipe.head, rows, [WIDTH], seed=0)
    measured = [
        novelty.forensic.measure(pixels, novelty.FAMILIES)
        for pixels in generator.integers(0, 256, (12, 64, 64, 3), np.uint8)
    ]
    novelty.fit(np.stack(measured), np.arange(12) % 2).save(folder)
    parts = {"colour": ForensicFeatures(families=["colour"])}
    spec = preprocessing.input_spec(PARAMS).model_copy(update={"parts": parts})
    trained_model.save(folder, recipe, spec, [classifier], UNCALIBRATED_RULE)
    return folder


@pytest.fixture
def copy(sound: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(sound, tmp_path / "model"))


def content(folder: Path) -> dict[str, Any]:
    return json.loads((folder / manifest.FILE).read_text())


def changed(folder: Path, change: dict[str, Any]) -> Path:
    (folder / manifest.FILE).write_text(json.dumps({**content(folder), **change}))
    return folder


def assert_named(folder: Path, *words: str) -> None:
    with pytest.raises(RealartError) as raised:
        trained_model.TrainedModel(folder)
    for word in (str(folder), *words):
        assert word in str(raised.value)


def sound_or_named(folder: Path) -> bool:
    """Return whether a model is loaded and scores, or else is named; nothing else is raised."""
    try:
        model = trained_model.TrainedModel(folder)
    except RealartError as error:
        message = str(error)
    else:
        assert np.isfinite(model.scores(np.zeros((1, WIDTH), np.float32))).all()
        return True
    assert str(folder) in message
    return False


def test_the_manifest_has_a_checksum_of_each_other_file(sound: Path) -> None:
    assert set(content(sound)["files"]) == {"0.npz", "novelty.npz"}
    trained_model.TrainedModel(sound)


@given(
    name=st.sampled_from(["0.npz", "novelty.npz"]),
    place=st.floats(0, 1, exclude_max=True),
    flipped=st.integers(1, 255),
)
def test_a_changed_byte_is_named_with_its_file(
    sound: Path, tmp_path_factory: pytest.TempPathFactory, name: str, place: float, flipped: int
) -> None:
    folder = tmp_path_factory.mktemp("changed")
    shutil.copytree(sound, folder, dirs_exist_ok=True)
    data = bytearray((folder / name).read_bytes())
    data[int(place * len(data))] ^= flipped
    (folder / name).write_bytes(data)
    assert_named(folder, f"{folder / name}", "was changed after training (sha256 ", "dvc checkout")


@given(
    name=st.sampled_from(["0.npz", "novelty.npz"]),
    start=st.floats(0, 1),
    damage=st.binary(max_size=9),
    cut=st.booleans(),
)
def test_without_checksums_a_damaged_file_never_gives_a_score_that_is_no_number(
    sound: Path,
    tmp_path_factory: pytest.TempPathFactory,
    name: str,
    start: float,
    damage: bytes,
    cut: bool,
) -> None:
    """As models of older releases have none; bytes that no checksum covers may do no harm."""
    folder = tmp_path_factory.mktemp("damaged")
    shutil.copytree(sound, folder, dirs_exist_ok=True)
    changed(folder, {"files": {}})
    data = (folder / name).read_bytes()
    place = int(start * len(data))
    behind = b"" if cut else data[place + len(damage) :]
    (folder / name).write_bytes(data[:place] + damage + behind)
    sound_or_named(folder)


def test_a_model_without_checksums_is_one_of_an_older_release(copy: Path) -> None:
    before = trained_model.TrainedModel(copy).scores(np.zeros((1, WIDTH), np.float32))
    older = content(copy)
    del older["files"]
    (copy / manifest.FILE).write_text(json.dumps(older))
    after = trained_model.TrainedModel(copy).scores(np.zeros((1, WIDTH), np.float32))
    np.testing.assert_array_equal(before, after)


def test_numbers_that_are_not_finite_are_refused_without_checksums(copy: Path) -> None:
    changed(copy, {"files": {}})
    for name in ("0.npz", "novelty.npz"):
        with np.load(copy / name) as stored:
            arrays = dict(stored)
        for key, array in arrays.items():
            if array.dtype.kind == "f":
                np.savez(copy / name, **{**arrays, key: np.full_like(array, np.nan)})
                assert_named(copy, "dvc checkout")
        np.savez(copy / name, **arrays)


def test_a_classifier_of_another_width_is_refused(copy: Path) -> None:
    parts = content(copy)["input"]["parts"]
    parts["colour"]["families"] = ["colour", "patterns"]
    changed(copy, {"input": {**content(copy)["input"], "parts": parts}})
    assert_named(copy, "is damaged")


def test_a_missing_file_is_named(copy: Path) -> None:
    (copy / "novelty.npz").unlink()
    assert_named(copy, f"{copy / 'novelty.npz'}", "is missing", "dvc checkout")


def leaves(value: Any, place: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield the place of every value in nested dicts."""
    for key, inner in value.items() if isinstance(value, dict) else ():
        yield (*place, key)
        yield from leaves(inner, (*place, key))


@given(data=st.data(), value=st.none() | st.just(-1) | st.just(float("nan")) | st.just("?"))
@example(data=None, value=0)
def test_a_manifest_that_lacks_or_changes_a_value_is_one_line(
    sound: Path, tmp_path_factory: pytest.TempPathFactory, data: Any, value: Any
) -> None:
    """Or the value may be missing or such: nothing but a `RealartError` is ever raised."""
    folder = tmp_path_factory.mktemp("manifest")
    shutil.copytree(sound, folder, dirs_exist_ok=True)
    whole = content(folder)
    place = data.draw(st.sampled_from(list(leaves(whole)))) if data else ("members",)
    group = whole
    for key in place[:-1]:
        group = group[key]
    if value is None:
        del group[place[-1]]
    else:
        group[place[-1]] = value
    (folder / manifest.FILE).write_text(json.dumps(whole))
    assert not (sound_or_named(folder) and place == ("members",))


@pytest.mark.parametrize(
    "text",
    [b"", b"{", b"[]", b"\xff\xfe{}", b'{"members": 1}', b"[" * 100_000],
    ids=["empty", "cut", "list", "no UTF-8", "incomplete", "deep"],
)
def test_a_manifest_that_is_none_is_one_line(copy: Path, text: bytes) -> None:
    (copy / manifest.FILE).write_bytes(text)
    assert_named(copy, f"{copy / manifest.FILE}", "is damaged", "dvc checkout")


@pytest.mark.parametrize("path", ["", "model.json"])
def test_no_model_is_named(tmp_path: Path, path: str) -> None:
    (tmp_path / "model.json").write_text("{}")
    with pytest.raises(RealartError, match=r"no model in .* `dvc repro`"):
        trained_model.TrainedModel(tmp_path / (path or "nothing"))


def test_a_recalibrated_model_has_checksums_of_its_own(copy: Path) -> None:
    record = CalibrationSet(data="set", digest="0", human=1, ai=1, left_out=0)
    with np.load(copy / "novelty.npz") as stored:
        arrays = dict(stored)
    rule = UNCALIBRATED_RULE.model_copy(update={"sure": 0.75})
    trained_model.replace_rule(copy, rule, record)
    assert trained_model.TrainedModel(copy).decision_rule == rule
    np.savez(copy / "novelty.npz", **{**arrays, "limit": 0.0})
    assert_named(copy, f"{copy / 'novelty.npz'}", "was changed after training")
