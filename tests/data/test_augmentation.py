"""Augmented copies: exact where they can be, as sharp as their sources, stored alike."""

import subprocess
import sys
from pathlib import Path
from typing import Literal

import joblib
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from making import PARAMS, archive, decoded, distance, file, picture, plain
from PIL import Image

from realart.core.hashing import picture_id
from realart.data import decoding, pictures
from realart.data.augmentation import Operation, apply, augment, write_copies
from realart.data.perturbations import Change
from realart.features.pixel_statistics import block_energies
from realart.params import Clean

PIXELS = picture(1)
SAME = Operation()
OPERATIONS = st.builds(
    Operation,
    rotation=st.floats(-180, 180),
    zoom=st.floats(0.01, 2),
    brightness=st.floats(0, 2),
    horizontal_flip=st.booleans(),
    vertical_flip=st.booleans(),
    changes=st.lists(
        st.builds(Change, st.sampled_from(["jpeg", "shrink"]), st.floats(0.1, 1)), max_size=2
    ).map(tuple),
)


@given(OPERATIONS)
def test_an_operation_reads_back_from_its_text(operation: Operation) -> None:
    assert Operation.parse(str(operation)) == operation


def test_a_delivery_is_turned_first_and_changed_afterwards() -> None:
    changes = (Change("shrink", 0.5), Change("jpeg", 70))
    operation = Operation(horizontal_flip=True, changes=changes)
    made = np.asarray(apply(Image.fromarray(PIXELS), operation))
    half = Image.fromarray(PIXELS[:, ::-1]).resize(
        (PIXELS.shape[1] // 2, PIXELS.shape[0] // 2), Image.Resampling.LANCZOS
    )
    assert np.array_equal(made, np.asarray(Change("jpeg", 70)(half)))


@given(OPERATIONS, st.integers(2, 60), st.integers(2, 60))
def test_a_copy_has_the_shape_of_its_source(operation: Operation, width: int, height: int) -> None:
    copy = augment(picture(0, width, height), operation)
    assert copy.shape == (height, width, 3)
    assert copy.dtype == np.uint8


def test_a_picture_one_pixel_wide_is_no_endless_work() -> None:
    """A banner in canonical form; in a process of its own, since OpenCV can't be interrupted."""
    code = """if True:
        import numpy as np
        from realart.data.augmentation import Operation, augment
        for shape in ((1, 512, 3), (512, 1, 3), (1, 1, 3)):
            copy = augment(np.zeros(shape, np.uint8), Operation(10.0, 1.1, 1.0, True, True))
            assert copy.shape == shape"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=20)


def test_the_identity_changes_nothing_and_flips_are_exact() -> None:
    assert np.array_equal(augment(PIXELS, SAME), PIXELS)
    mirrored = augment(PIXELS, Operation(0, 1, 1, True, False))
    assert np.array_equal(mirrored, PIXELS[:, ::-1])
    assert np.array_equal(augment(PIXELS, Operation(0, 1, 1, False, True)), PIXELS[::-1])
    assert np.array_equal(augment(mirrored, Operation(0, 1, 1, True, False)), PIXELS)


@pytest.mark.parametrize("degrees", [180, -180])
def test_half_a_turn_is_both_flips(degrees: float) -> None:
    turned = augment(PIXELS, Operation(degrees, 1, 1, False, False))
    assert distance(turned, PIXELS[::-1, ::-1]) < 1


def test_rotating_there_and_back_is_nearly_the_identity() -> None:
    there = augment(PIXELS, Operation(10, 1, 1, False, False))
    back = augment(there, Operation(-10, 1, 1, False, False))
    assert distance(there, PIXELS) > 4
    assert distance(back[20:60, 25:70], PIXELS[20:60, 25:70]) < 2


@given(st.floats(0.5, 2), st.floats(-180, 180), st.floats(0.3, 1.5))
def test_a_plain_picture_changes_in_brightness_only(
    zoom: float, degrees: float, brightness: float
) -> None:
    copy = augment(plain((100, 60, 20)), Operation(degrees, zoom, brightness, False, False))
    expected = np.round(np.array([100, 60, 20]) * brightness)
    assert np.abs(copy - expected).max() <= 1


@given(OPERATIONS, st.integers(2, 900), st.integers(2, 60))
def test_a_canonical_copy_has_the_shape_of_its_source(
    operation: Operation, width: int, height: int
) -> None:
    source = plain((9, 9, 9), width, height)
    of_source, of_copy = (
        decoding.read(pictures.canonical(Image.fromarray(pixels), PARAMS.clean))
        for pixels in (source, augment(source, operation))
    )
    assert of_source.size == of_copy.size


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("encoding", ["jpeg", "original"])
def test_an_identity_copy_is_stored_like_its_source(
    encoding: Literal["jpeg", "original"], folder: Path
) -> None:
    clean = PARAMS.clean.model_copy(update={"encoding": encoding})
    published = [file(picture(seed, 200, 160)) for seed in (1, 2)]
    stored = [pictures.stored(data, decoding.read(data), clean) for data in published]
    copied = copies(published, [SAME, SAME], clean, folder)
    for copy, source in zip(copied, stored, strict=True):
        assert np.array_equal(decoded(copy), decoded(source))


def test_a_copy_is_nearly_as_sharp_as_its_source(folder: Path) -> None:
    """All frequencies alike, so that a turn changes none: what is lost, interpolation took."""
    noise = np.random.default_rng(0).integers(0, 256, (300, 400, 3), np.uint8)
    source = pictures.canonical(Image.fromarray(noise), PARAMS.clean)
    turns = [Operation(degrees, 1.0, 1.0, False, False) for degrees in (7.3, -14.0)]
    for turn in turns:
        (copy,) = copies([file(noise)], [turn], PARAMS.clean, folder)
        assert finest(copy) == pytest.approx(finest(source), abs=0.06)  # bicubic: 0.1


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty folder, the working directory of a stage."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def copies(
    published: list[bytes], operations: list[Operation], clean: Clean, folder: Path
) -> list[bytes]:
    """Return the stored copy of each published file; all have one name, and other bytes."""
    path = archive(folder / "archive.zip", [("ai/1.png", data) for data in published])
    names = [f"{number}.jpg" for number in range(len(published))]
    table = pd.DataFrame(
        {
            "set": "",
            "path": "ai/1.png",
            "bytes": [len(data) for data in published],
            "id": [picture_id(data) for data in published],
            "operation": [str(operation) for operation in operations],
            "file": names,
        }
    )
    with joblib.parallel_config(backend="sequential"):
        write_copies(table, {"": path}, folder, clean)
    return [(folder / name).read_bytes() for name in names]


def finest(data: bytes) -> float:
    """Return the mean logarithm of the highest frequencies of a stored picture."""
    return float(block_energies(decoded(data)).reshape(8, 8)[4:, 4:].mean())
