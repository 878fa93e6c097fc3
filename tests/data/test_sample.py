"""The sample dataset: reproducible, labelled by its folders only, with planted files."""

import hashlib
import io
import warnings
import zipfile
from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import cross_val_score

from realart.data.sample import is_generated, picture, write_archive
from realart.data.sample.finishing import FORMATS, SUFFIXES, draw_frame, random_generator, render
from realart.data.sample.generating import regenerate
from realart.data.sample.planting import FOLDERS, PlantedFile, SampleFile, plant

PICTURES = 36


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sample") / "sample.zip"
    write_archive(path, PICTURES, seed=3)
    return path


@pytest.fixture(scope="module")
def entries(archive: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(archive) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


@pytest.fixture(scope="module")
def good(entries: dict[str, bytes]) -> list[SampleFile]:
    names = [f"{FOLDERS[is_generated(i)]}/{i:04d}" for i in range(PICTURES)]
    whole = {f"{name}.{suffix}" for name in names for suffix in SUFFIXES.values()}
    found = sorted(whole & entries.keys(), key=lambda name: name.rpartition("/")[2])
    return [SampleFile(name, entries[name]) for name in found]


@pytest.fixture(scope="module")
def planted(good: list[SampleFile]) -> list[PlantedFile]:
    return plant(good, seed=3)


def decoded(data: bytes) -> Image.Image:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        image = Image.open(io.BytesIO(data))
        image.load()
    return image


def test_same_arguments_give_the_same_bytes(archive: Path, tmp_path: Path) -> None:
    write_archive(tmp_path / "again.zip", PICTURES, seed=3)
    assert (tmp_path / "again.zip").read_bytes() == archive.read_bytes()


def test_another_seed_gives_other_pictures(good: list[SampleFile]) -> None:
    assert picture(0, 3) == good[0]
    assert picture(0, 4).data != good[0].data


def test_more_pictures_leave_those_before_as_they_were(
    tmp_path: Path, good: list[SampleFile]
) -> None:
    assert [picture(index, 3) for index in (1, 2)] == good[1:3]


def test_archive_is_stored_sorted_and_without_dates(archive: Path) -> None:
    with zipfile.ZipFile(archive) as opened:
        infos = opened.infolist()
    assert [info.filename for info in infos] == sorted(info.filename for info in infos)
    assert {info.date_time for info in infos} == {(1980, 1, 1, 0, 0, 0)}
    assert {info.compress_type for info in infos} == {zipfile.ZIP_STORED}


def test_every_good_file_decodes(good: list[SampleFile]) -> None:
    assert len(good) == PICTURES
    for item in good:
        image = decoded(item.data)
        assert 200 <= min(image.size) <= max(image.size) <= 640
        assert SUFFIXES[str(image.format)] == item.name.rpartition(".")[2]


def test_classes_are_unequal_and_mixed() -> None:
    labels = [is_generated(index) for index in range(100)]
    assert sum(labels) == 58
    assert all(0 < sum(labels[k : k + 10]) < 10 for k in range(0, 100, 10))


def test_sizes_and_formats_do_not_depend_on_the_label() -> None:
    rows, labels = [], [is_generated(index) for index in range(600)]
    for index in range(600):
        frame = draw_frame(random_generator(0, index))
        options = dict(frame.options)
        rows.append(
            (
                frame.width,
                frame.height,
                frame.width / frame.height,
                FORMATS.index(frame.format),
                options.get("quality", 0),
            )
        )
    model = HistGradientBoostingClassifier(max_depth=3, max_iter=50)
    auc = cross_val_score(model, np.array(rows), labels, cv=4, scoring="roc_auc").mean()
    assert 0.42 < auc < 0.58


def test_both_classes_have_the_same_shares_of_formats() -> None:
    counts = {False: Counter[str](), True: Counter[str]()}
    for index in range(1000):
        counts[is_generated(index)][draw_frame(random_generator(0, index)).format] += 1
    for kind in FORMATS:
        shares = [counts[c][kind] / counts[c].total() for c in (False, True)]
        assert abs(shares[0] - shares[1]) < 0.06


def test_file_size_does_not_predict_the_label(good: list[SampleFile]) -> None:
    weights: dict[bool, list[float]] = {False: [], True: []}
    for item in good:
        image = decoded(item.data)
        if image.format == "JPEG":
            weights[item.name.startswith(FOLDERS[1])].append(
                len(item.data) / (image.width * image.height)
            )
    painted, generated = (np.array(weights[c]) for c in (False, True))
    auc = (painted[:, None] > generated[None, :]).mean()
    assert 0.15 < auc < 0.85


@pytest.mark.parametrize("generated", [False, True])
def test_rendered_pictures_have_the_size_of_the_frame(generated: bool) -> None:
    for index in range(4):
        frame = draw_frame(random_generator(9, index))
        pixels = render(frame, generated, random_generator(9, index))
        assert pixels.shape == (frame.height, frame.width, 3)
        assert pixels.dtype == np.uint8
        assert pixels.std() > 8


def generated_share(index: int) -> float:
    """Return the share of the generator in a picture painted black and generated light grey."""
    black, light = np.zeros((96, 96, 3), np.uint8), np.full((64, 64, 3), 200, np.uint8)
    flow = np.zeros((64, 64), np.int16)
    return float(regenerate(black, light, flow, random_generator(3, index)).mean() / 200)


def test_traces_of_generated_pictures_are_faint_to_strong() -> None:
    shares = [generated_share(index) for index in range(40)]
    assert 0.08 < min(shares) < 0.2
    assert 0.9 < max(shares) < 1.02
    assert 0.4 < float(np.median(shares)) < 0.65


def brush_coverage(image: Image.Image) -> float:
    """Return the typical contrast of brush strokes, as a share of the strongest ones' in places."""
    grey = np.asarray(image.convert("L"), np.float32)
    strokes = cv2.GaussianBlur(grey, (13, 13), 0) - cv2.GaussianBlur(grey, (45, 45), 0)
    return float(np.median(np.abs(strokes)) / strokes.std())


def test_one_measurement_separates_the_classes_but_not_perfectly(good: list[SampleFile]) -> None:
    labels = [item.name.startswith(FOLDERS[0]) for item in good]
    auc = roc_auc_score(labels, [brush_coverage(decoded(item.data)) for item in good])
    assert 0.65 < auc < 0.9


def test_planted_files_are_in_the_archive(
    entries: dict[str, bytes], good: list[SampleFile], planted: list[PlantedFile]
) -> None:
    assert {item.name: item.data for item in [*good, *planted]} == entries
    assert len(entries) == len(good) + len(planted)


def test_both_folders_have_the_same_planted_files(planted: list[PlantedFile]) -> None:
    outcomes = [
        Counter(p.outcome for p in planted if p.name.startswith(folder)) for folder in FOLDERS
    ]
    assert outcomes[0] == outcomes[1]
    assert set(outcomes[0]) == {
        "kept",
        "duplicate",
        "both labels",
        "truncated",
        "empty",
        "not a picture",
        "animated",
        "too small",
    }
    assert [p.name for p in planted if p.outcome == "no label"] == ["sample/unsorted/0001.jpg"]


def test_odd_pictures_that_should_be_kept_decode(planted: list[PlantedFile]) -> None:
    kept = [item for item in planted if item.outcome == "kept"]
    images = {item.name.rpartition("/")[2]: decoded(item.data) for item in kept}
    assert {"P", "RGBA", "CMYK", "L", "I;16", "RGB"} == {image.mode for image in images.values()}
    assert {image.getexif().get(0x0112) for image in images.values()} == {None, 3, 6, 8}
    assert images["profile.jpg"].info["icc_profile"]
    assert images["palette.png"].info["transparency"] is not None
    assert images["really a png.jpg"].format == "PNG"
    assert images["really a jpeg.png"].format == "JPEG"
    assert {"-rf.jpg", ".hidden.jpg", "été.jpg", "漢字.jpg", "🎨.jpg", "no suffix"} <= set(images)


def test_odd_pictures_are_not_copies_of_each_other(planted: list[PlantedFile]) -> None:
    kept = [item for item in planted if item.outcome in ("kept", "no label")]
    assert len({hashlib.sha256(item.data).digest() for item in kept}) == len(kept)


def test_broken_files_are_broken(planted: list[PlantedFile]) -> None:
    for item in planted:
        if item.outcome in ("truncated", "empty", "not a picture"):
            with pytest.raises(OSError, match=r"truncated|cannot identify"):
                decoded(item.data)
        if item.outcome == "animated":
            assert getattr(decoded(item.data), "n_frames", 1) > 1
        if item.outcome == "too small":
            assert max(decoded(item.data).size) < 64


def test_planted_copies_resemble_their_originals(
    good: list[SampleFile], planted: list[PlantedFile]
) -> None:
    source = {item.name: item.data for item in good}
    for item in planted:
        if item.copy_of is None:
            continue
        same_label = item.name.split("/")[1] == item.copy_of.split("/")[1]
        assert same_label == (item.outcome == "duplicate")
        thumbnails = [
            np.asarray(decoded(data).convert("L").resize((16, 16), Image.Resampling.BOX), float)
            for data in (item.data, source[item.copy_of])
        ]
        near = [
            np.corrcoef(thumbnails[0].ravel(), other.ravel())[0, 1]
            for other in (thumbnails[1], thumbnails[1][:, ::-1])
        ]
        assert max(near) > 0.97
