"""A network sees the same of a published file as of what the stages stored of it."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from making import PARAMS, file, picture

from realart.data import pictures
from realart.data.pictures import UnusableFileError
from realart.features import ela, preprocessing
from realart.features.preprocessing import InputSpec
from realart.params import PixelInput

BIG = picture(1, 700, 520)  # above clean.long_side: the canonical picture is reduced
PUBLISHED = {
    "png": file(BIG),
    "jpeg": file(BIG, "JPEG", quality=80),
    "webp": file(BIG.transpose(1, 0, 2), "WEBP"),
    "grey": file(BIG[:90, :70, 0]),
    "transparent": file(np.dstack([BIG, BIG[..., :1]])[:100, :333]),
}


def seen_by(encoding: str, shape: str, ela_params: object) -> InputSpec:
    clean = PARAMS.clean.model_copy(update={"encoding": encoding})
    square = PixelInput(input="rgb", size=64, shape=shape, backbone=None)
    return InputSpec(parts={"pixels": square}, clean=clean, ela=ela_params)


@pytest.mark.parametrize("published", PUBLISHED)
@pytest.mark.parametrize("encoding", ["jpeg", "original"])
@pytest.mark.parametrize("ela_params", [None, PARAMS.ela], ids=["rgb", "ela"])
def test_published_and_stored_look_the_same(
    published: str, encoding: str, ela_params: object, tmp_path: Path
) -> None:
    data = PUBLISHED[published]
    for shape in ("squash", "crop", "pad"):
        seen = seen_by(encoding, shape, ela_params)
        image, _ = pictures.decode(data, seen.clean.max_pixels)
        stored = tmp_path / "picture"
        stored.write_bytes(pictures.stored(data, image, seen.clean))
        if seen.ela:
            level = ela.stored_map(pictures.read(stored.read_bytes()), seen.ela)
            stored = tmp_path / "map.png"
            stored.write_bytes(ela.encode(level))
        (looked,) = preprocessing.from_published(data, seen)
        assert np.array_equal(looked, *preprocessing.from_stored(stored, seen))
        assert looked.shape == (64, 64, 3)
        assert looked.std() > 5


def test_what_clean_rejects_is_rejected_here() -> None:
    seen = seen_by("jpeg", "squash", None)
    for data in (b"", b"<html>", file(BIG[:20, :20]), file(BIG, "JPEG")[:-99]):
        with pytest.raises(UnusableFileError):
            preprocessing.from_published(data, seen)


@pytest.mark.parametrize("name", list(PARAMS.recipes))
def test_the_spec_is_that_of_the_recipe_and_outlives_a_file(name: str) -> None:
    spec = preprocessing.input_spec(PARAMS.model_copy(update={"model": name}))
    sees = PARAMS.recipes[name].sees
    if isinstance(sees, PixelInput):
        assert spec.parts == {"pixels": sees}
    else:
        assert spec.parts == {feature: PARAMS.descriptors[feature] for feature in sees.features}
    assert spec.clean == PARAMS.clean
    assert spec.ela == (PARAMS.ela if getattr(sees, "input", "") == "ela" else None)
    assert InputSpec.model_validate_json(spec.model_dump_json()) == spec


def test_files_are_pictures_or_maps_row_by_row() -> None:
    rows = pd.DataFrame({"row": ["a", "a-1"], "file": ["clean/pictures/a.jpg", "balanced/a-1.jpg"]})
    data = Path("data")
    assert preprocessing.files(rows, data, seen_by("jpeg", "pad", None)) == [
        data / "clean/pictures/a.jpg",
        data / "balanced/a-1.jpg",
    ]
    assert preprocessing.files(rows, data, seen_by("jpeg", "pad", PARAMS.ela)) == [
        data / "ela/maps/a.png",
        data / "ela/maps/a-1.png",
    ]
